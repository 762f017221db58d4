// InjectionQueue: the tasks that came from outside, in their order, for workers
// who take some at a time.
//
// Producers and workers meet in two lists with a lock each: producers append to
// the one, workers take from the other and fetch the whole of the first, in one
// step, when theirs is empty. So a worker walks through tasks (whose memory the
// producers have just written) without holding up a producer.
//
// Thread safety: all methods.
// Memory ordering: what came before a Push() is visible to who takes the task.

#ifndef HEDDLE_POOL_INTERNAL_INJECTION_QUEUE_H_
#define HEDDLE_POOL_INTERNAL_INJECTION_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace pool_internal {

class InjectionQueue {
 public:
  // One task in so many has the time noted at which it was queued: a look at
  // the clock costs as much as the rest of a push.
  static constexpr uint64_t kTimedOneIn = 16;

  enum class Outcome {
    kClosed,  // nothing has changed
    kFirst,   // queued where producers had nothing waiting: workers may sleep
    kMore,    // queued behind others, for whom a worker was called
  };

  // Takes `task`, or all of `tasks`, unless closed. REQUIRES: there is one.
  Outcome Push(Task& task) {
    LockGuard guard(in_lock_);
    if (closed_) return Outcome::kClosed;
    if (++pushed_ % kTimedOneIn == 0) task.set_queued_at(internal::Clock::Now());
    const bool first = in_.empty();
    in_.Push(std::move(task));
    Count(1);
    return first ? Outcome::kFirst : Outcome::kMore;
  }
  Outcome PushMany(TaskQueue& tasks) {
    LockGuard guard(in_lock_);
    if (closed_) return Outcome::kClosed;
    pushed_ += tasks.size();
    const bool first = in_.empty();
    Count(static_cast<int64_t>(tasks.size()));
    in_.Append(tasks);
    return first ? Outcome::kFirst : Outcome::kMore;
  }

  // Moves the oldest tasks to `batch`: a share for one of `takers`, at most
  // kMaxBatch and at least one; kOne: just one. Returns how many.
  static constexpr size_t kMaxBatch = 32;
  static constexpr size_t kOne = SIZE_MAX / 2;
  size_t Take(size_t takers, Task::Node** batch) {
    // relaxed: a hint that spares the locks. Who must not miss a task asks
    // HasTasks().
    const int64_t queued = queued_.load(std::memory_order_relaxed);
    if (queued <= 0) return 0;
    LockGuard guard(out_lock_);
    if (out_.empty()) {
      LockGuard in_guard(in_lock_);
      out_.swap(in_);
    }
    const size_t share = std::clamp<size_t>(
        static_cast<size_t>(queued) / (2 * takers), 1, kMaxBatch);
    size_t taken = 0;
    for (; taken < share && !out_.empty(); ++taken)
      batch[taken] = out_.Pop().Release();
    Count(-static_cast<int64_t>(taken));
    return taken;
  }

  // Moves all tasks to the end of `tasks`.
  void TakeAll(TaskQueue& tasks) {
    LockGuard guard(out_lock_);
    LockGuard in_guard(in_lock_);
    const size_t before = tasks.size();
    tasks.Append(out_);
    tasks.Append(in_);
    Count(-static_cast<int64_t>(tasks.size() - before));
  }

  // No more pushes are accepted. False if that was so before.
  bool Close() {
    LockGuard guard(in_lock_);
    return !std::exchange(closed_, true);
  }

  // Whether there is one. A push before this is not missed (the locks see to
  // it), and one after it sees what the caller did before.
  bool HasTasks() {
    LockGuard guard(out_lock_);
    if (!out_.empty()) return true;
    LockGuard in_guard(in_lock_);
    return !in_.empty();
  }

  // How many there are; advisory.
  size_t size() const {
    return static_cast<size_t>(
        std::max<int64_t>(0, queued_.load(std::memory_order_relaxed)));
  }
  // How many have been pushed.
  uint64_t pushed() {
    LockGuard guard(in_lock_);
    return pushed_;
  }

 private:
  void Count(int64_t more) {
    // relaxed: a hint.
    queued_.fetch_add(more, std::memory_order_relaxed);
  }

  Lock in_lock_;
  TaskQueue in_ ABSL_GUARDED_BY(in_lock_);
  uint64_t pushed_ ABSL_GUARDED_BY(in_lock_) = 0;
  bool closed_ ABSL_GUARDED_BY(in_lock_) = false;
  internal::Atomic<int64_t> queued_{0};
  // Taken before in_lock_.
  Lock out_lock_;
  TaskQueue out_ ABSL_GUARDED_BY(out_lock_);
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_INJECTION_QUEUE_H_
