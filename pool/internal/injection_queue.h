// InjectionQueue: the tasks that came from outside, in their order, for workers
// who take some at a time.
//
// Producers and workers meet in two lists with a lock each: producers append to
// the one, workers take from the other and fetch the whole of the first, in one
// step, when theirs is empty. The lists are of blocks of pointers, not through
// the tasks themselves: a worker with a long queue before it would wait for the
// memory of each task before it knew where the next one is.
//
//   (I1) taken_ <= fetched_ <= pushed_: tasks that were taken, those that the
//        workers' list has got, those that were pushed. None goes back.
//
// What producers write, what workers write and what lies around are a cache line
// apart from each other. (A word that every worker reads before each task, and
// that happened to lie beside the producers' lock, doubled the cost of a task.)
//
// Thread safety: all methods.
// Memory ordering: what came before a Push() is visible to who takes the task.

#ifndef HEDDLE_POOL_INTERNAL_INJECTION_QUEUE_H_
#define HEDDLE_POOL_INTERNAL_INJECTION_QUEUE_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace pool_internal {

// A FIFO of pointers to tasks, in blocks. Not for several threads at once.
class TaskList {
 public:
  TaskList() = default;
  TaskList(const TaskList&) = delete;
  TaskList& operator=(const TaskList&) = delete;
  ~TaskList();

  bool empty() const { return first_ == nullptr; }

  // Appends a task, or all of `tasks` as those of the pool of that number.
  // Throws std::bad_alloc; then nothing has changed.
  void Push(Task& task);
  void PushAll(TaskQueue& tasks, uint64_t pool);

  // Appends what `other` has, which is empty then.
  void Append(TaskList& other);

  // Takes up to `count` tasks, oldest first; returns how many.
  size_t Take(size_t count, Task::Node** taken);
  // Moves all to the end of `tasks`; returns how many.
  size_t MoveTo(TaskQueue& tasks);

 private:
  struct Block;
  void AddBlock();
  void FreeFirst();

  Block* first_ = nullptr;
  Block* last_ = nullptr;
  size_t begin_ = 0;  // the oldest task's place in the first block
};

class InjectionQueue {
 public:
  // For the tasks of the pool of that number.
  explicit InjectionQueue(uint64_t pool) : pool_(pool) {}

  // One task in so many has the time noted at which it was queued: a look at
  // the clock costs as much as the rest of a push.
  static constexpr uint64_t kTimedOneIn = 16;

  enum class Outcome {
    kClosed,  // nothing has changed
    kFirst,   // queued where producers had nothing waiting: workers may sleep
    kMore,    // queued behind others, for whom a worker was called
  };

  // Whose tasks they are. The end refuses those of others first.
  enum class Source { kOutside, kOwnTask };

  // Takes `task`, or all of `tasks`, unless closed to their source. Where the outcome is kFirst
  // it calls `before_first()` before any of them can be taken: a task may end
  // the queue's owner, so a caller that goes on to use that needs a hold on it.
  // Throws std::bad_alloc; then nothing has changed. REQUIRES: there is one.
  struct DoNothing {
    void operator()() const {}
  };
  template <typename BeforeFirst = DoNothing>
  Outcome Push(Task& task, Source source, BeforeFirst before_first = {});
  template <typename BeforeFirst = DoNothing>
  Outcome PushMany(TaskQueue& tasks, Source source,
                   BeforeFirst before_first = {});

  // A fair share for one of `takers` of what has been fetched or, if that is
  // nothing, of what is there: half of an equal one, at least 1 and at most
  // kMaxBatch.
  static constexpr size_t kMaxBatch = 32;
  size_t Share(size_t takers) const;

  // Takes up to `most` tasks, the oldest: returns the first, or null if there is
  // none, and calls `keep(rest, count, number)` with those behind it, if there
  // are any, before anybody else can take or look for what is left; so a task is
  // always in a place where it is found. `number` grows from batch to batch.
  template <typename Keep>
  Task::Node* Take(size_t most, Keep keep);

  // Moves all tasks to the end of `tasks`.
  void TakeAll(TaskQueue& tasks);

  // Gives the workers' list all that producers have appended: so the next push
  // is kFirst.
  void FetchAll();

  // No more pushes from outside are accepted, or none at all.
  void Close(Source closed_to);

  // Whether there is one. A push before this is not missed (the locks see to
  // it), and one after it sees what the caller did before.
  bool HasTasks();

  // How many there are; advisory.
  size_t size() const;
  // Of those, how many the workers' list has: if there are any, to look here and
  // to take does not disturb the producers. Advisory.
  size_t fetched() const;
  // How many have been pushed.
  uint64_t pushed();

 private:
  void Append(Task& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(in_lock_);
  void Append(TaskList& list, size_t count)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(in_lock_);
  bool IsClosed(Source source) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(in_lock_) {
    return source == Source::kOutside ? closed_ : closed_to_all_;
  }
  void Fetch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(out_lock_);
  void FetchMore() ABSL_EXCLUSIVE_LOCKS_REQUIRED(out_lock_);
  // Moves up to `most` tasks, the oldest, to `batch`; returns how many.
  size_t TakeSome(size_t most, Task::Node** batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(out_lock_);

  [[maybe_unused]] char apart_1_[64];
  const uint64_t pool_;
  Lock in_lock_;
  TaskList in_ ABSL_GUARDED_BY(in_lock_);
  bool closed_ ABSL_GUARDED_BY(in_lock_) = false;
  bool closed_to_all_ ABSL_GUARDED_BY(in_lock_) = false;
  internal::Atomic<uint64_t> pushed_{0};  // written under in_lock_
  [[maybe_unused]] char apart_2_[64];
  // Taken before in_lock_.
  Lock out_lock_;
  TaskList out_ ABSL_GUARDED_BY(out_lock_);
  // Written under out_lock_.
  internal::Atomic<uint64_t> fetched_{0};
  internal::Atomic<uint64_t> taken_{0};
  [[maybe_unused]] char apart_3_[64];
};

template <typename BeforeFirst>
InjectionQueue::Outcome InjectionQueue::Push(Task& task, Source source,
                                             BeforeFirst before_first) {
  task.set_pool(pool_);
  LockGuard guard(in_lock_);
  if (IsClosed(source)) return Outcome::kClosed;
  const bool first = in_.empty();
  Append(task);
  if (!first) return Outcome::kMore;
  before_first();
  return Outcome::kFirst;
}

template <typename BeforeFirst>
InjectionQueue::Outcome InjectionQueue::PushMany(TaskQueue& tasks,
                                                 Source source,
                                                 BeforeFirst before_first) {
  const size_t count = tasks.size();
  TaskList list;  // made before the lock is taken
  list.PushAll(tasks, pool_);
  LockGuard guard(in_lock_);
  if (IsClosed(source)) {
    list.MoveTo(tasks);
    return Outcome::kClosed;
  }
  const bool first = in_.empty();
  Append(list, count);
  if (!first) return Outcome::kMore;
  before_first();
  return Outcome::kFirst;
}

template <typename Keep>
Task::Node* InjectionQueue::Take(size_t most, Keep keep) {
  // A hint that spares the locks. Who must not miss a task asks HasTasks().
  if (fetched() == 0 && size() == 0) return nullptr;
  Task::Node* batch[kMaxBatch];
  LockGuard guard(out_lock_);
  // relaxed: we hold the lock of its writers.
  const uint64_t number = taken_.load(std::memory_order_relaxed);
  const size_t taken = TakeSome(most, batch);
  if (taken == 0) return nullptr;
  if (taken > 1) keep(batch + 1, taken - 1, number);
  return batch[0];
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_INJECTION_QUEUE_H_
