// PoolStats: what WorkerPool::Stats() tells of a pool.
//
// The numbers are counted while the workers go on, each for itself: in a pool
// that is at work they need not add up. In one that rests all that was
// submitted is queued, done or dropped.
//
// They count tasks as workers meet them. A task that its waiter has run in
// place is queued, for these numbers, until a worker comes by and finds nothing
// left to do, and then done; if a shutdown comes first, dropped. What
// WhenFull::kRunInCaller has run is not counted. A Map(), a ForRange() or an
// Invoke() is as many tasks as it has asked workers to take part, which may be
// none, and may come too late for it.
//
// Example:
//
//   const PoolStats stats = pool.Stats();
//   std::cout << stats.queued << " queued, 99 % of tasks wait less than "
//             << stats.waits.Percentile(99) << "\n";
//
// It is always on. What a task costs more for it: five plain additions of its
// worker's, and a look at the clock for each sixteenth task (measured: see
// README.md).

#ifndef HEDDLE_POOL_POOL_STATS_H_
#define HEDDLE_POOL_POOL_STATS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "heddle/pool/internal/worker_counters.h"

namespace heddle {

// How long something took, of a sample of tasks (every sixteenth), by order of
// magnitude.
class TimeHistogram {
 public:
  // How many were timed.
  [[nodiscard]] uint64_t count() const;

  // An upper bound of the time that `percent` of a hundred did not exceed: the
  // next power of two in nanoseconds. Zero if nothing was timed.
  // REQUIRES: 0 <= percent <= 100.
  [[nodiscard]] absl::Duration Percentile(double percent) const;

  // Bucket 0: no time at all; bucket n: 2^(n-1) to 2^n - 1 nanoseconds.
  const std::array<uint64_t, pool_internal::kTimeBuckets>& buckets() const {
    return buckets_;
  }
  void Add(const pool_internal::TimeCounters& counters);

 private:
  std::array<uint64_t, pool_internal::kTimeBuckets> buckets_{};
};

struct PoolStats {
  // Threads, at this moment. running + idle + blocked are all there are.
  int running = 0;  // at a task, looking for one, or beginning
  int idle = 0;     // asleep
  int blocked = 0;  // waiting inside a task, or when they begin
  int spare = 0;    // how many more than max_workers there are

  // Tasks. Forks of Invoke() that another worker took count as tasks, when it
  // takes them.
  uint64_t submitted = 0;  // accepted
  uint64_t queued = 0;     // accepted, and met by no worker yet
  uint64_t done = 0;       // ended
  // Of those, by an exception. Not those that threw where their waiter ran them
  // in place, nor a Map(), whose caller is told.
  uint64_t failed = 0;
  uint64_t dropped = 0;  // by a shutdown

  uint64_t steals = 0;    // tasks that came from another worker
  uint64_t parks = 0;     // times that a worker went to sleep
  uint64_t wake_ups = 0;  // times that one was called

  TimeHistogram waits;  // from scheduled to begun
  TimeHistogram runs;   // from begun to ended
};

}  // namespace heddle

#endif  // HEDDLE_POOL_POOL_STATS_H_
