// BatchPace: how many tasks from outside a worker may take at a time.
//
// A batch saves most of what a task costs, and holds back all but its first. So
// a worker takes several only as long as tasks are so short that the last of
// them begins within a few microseconds. One of unknown length comes alone.
//
//   const size_t most = pace.Next();         // takes a batch, up to that many
//   pace.Took(ticks);                        // for each task that has ended
//
// Thread safety: one thread.

#ifndef HEDDLE_POOL_INTERNAL_BATCH_PACE_H_
#define HEDDLE_POOL_INTERNAL_BATCH_PACE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace heddle {
namespace pool_internal {

class BatchPace {
 public:
  // In Ticks(): a batch is to have ended within kMostTicks, and is late after
  // kLateTicks: then other workers take from it before they take newer tasks.
  static constexpr int64_t kMostTicks = 8192;
  static constexpr int64_t kLateTicks = 2 * kMostTicks;
  static constexpr size_t kMostTasks = 32;

  // How many tasks to take now. A batch is twice the last at most, so that it
  // takes several good ones to come to a large one.
  size_t Next() {
    const int64_t mean = sum_ / kTasks;
    const size_t fit =
        mean <= kMostTicks / static_cast<int64_t>(kMostTasks)
            ? kMostTasks
            : std::max<size_t>(static_cast<size_t>(kMostTicks / mean), 1);
    const size_t next = std::min(most_, fit);
    most_ = std::min(2 * next, kMostTasks);
    return next;
  }

  void Took(int64_t ticks) {
    // What is far too long is as good as any longer.
    ticks = std::clamp<int64_t>(ticks, 0, 4 * kMostTicks);
    if (ticks >= kMostTicks) most_ = 1;
    sum_ += ticks - sum_ / kTasks;
  }

 private:
  static constexpr int64_t kTasks = 8;  // over so many is the mean

  size_t most_ = 1;
  int64_t sum_ = 0;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_BATCH_PACE_H_
