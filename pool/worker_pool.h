// WorkerPool: threads that run tasks. The engine under Heddle's pools and
// executors.
//
// Most users want ThreadPool (thread_pool.h) or ThreadPoolExecutor, which give
// each task a result; this class is for work without results and for building
// executors.
//
// Example:
//
//   WorkerPool pool({.max_workers = 4});
//   Task task([] { Compact(); });
//   if (!pool.Schedule(task)) return Error("shutting down");
//   pool.Shutdown();  // accepts no more, runs what it has, waits for that
//
// Number: at most `max_workers` tasks have begun and not ended at any moment,
// whatever they wait in, unless spares are allowed (below). A task that its
// waiter runs in place is part of the waiter, and one that kRunInCaller runs
// part of the caller.
//
// Order: tasks from outside begin in the order in which they were scheduled; in
// a pool of one worker, without spares, each when the one before has ended. With
// several workers none begins later than one that was scheduled after it by more
// than some 10 microseconds of work: a worker takes several at a time only while
// tasks are short, as far as that can be told from those before; and where one
// turns out long, the others take what is behind it before anything newer. What
// a task itself schedules is run before those, the newest first, unless
// Options::order says otherwise.
//
// Waits in tasks: a worker that waits, without a limit, for the result of a task
// that this pool has queued runs that task itself, so tasks that wait for each
// other in this way never wedge the pool. Any other wait for what tasks of the
// same pool are to do needs a worker that is free, or a spare: when a worker has
// been blocked for a millisecond in any wait of Heddle's, or is in a
// BlockingRegion (blocking_region.h), another takes its place, up to `max_spares`
// threads more than `max_workers`, which end when they are no longer needed. By
// default there are spares only where `max_workers` was left open. A pool all of
// whose threads wait in Heddle, with tasks queued and no spare left, says so on
// stderr, once, within a second or so.
//
// Nothing is lost: what Schedule() accepts is run, or dropped and counted by
// Shutdown(kDropQueued), however long it has been queued, the first ones too. The
// destructor runs what was accepted, and what that schedules in this pool, and
// joins; in one of the pool's own workers it waits for nothing, and the workers
// run all of that and end by themselves: a task may end its pool, as soon as it
// is scheduled. What a task throws goes to the except hook; the worker lives on.
// Idle workers sleep and cost nothing.
//
// In the child of a fork() (thread/README.md, "After fork()") new pools work, and
// the pools of its parent have ended, also for a task that forked: they accept
// nothing, and nobody waits for their workers, which the parent has.
//
// At the end of the program, before its statics are destroyed, every pool that
// is there is shut down and what it accepted is run. From then on Schedule()
// accepts nothing, also in a pool that is made later. A task may be what calls
// exit(): its worker is not waited for, and the others do what is queued; where
// there is no other, that is dropped. (Other tasks may not wait for it: see
// heddle/thread/thread.h.)
//
// A task, an initializer or an observer must not end its thread by
// pthread_exit(), and nobody cancel it there by pthread_cancel(): that ends the
// program, with a message on stderr.
//
// Thread safety: all methods but the destructor.
// Memory ordering: what came before Schedule() is visible to the task; what a
// task did is visible after a Join() that returns true.

#ifndef HEDDLE_POOL_WORKER_POOL_H_
#define HEDDLE_POOL_WORKER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "heddle/pool/internal/fork.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/pool_stats.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class WorkerPool {
 public:
  enum class StartPolicy {
    kOnDemand,  // a worker starts when a task comes and no worker is free
    kAtOnce,    // all workers start in the constructor
  };

  // Where tasks go that a task of the pool schedules.
  enum class Order {
    kNewestFirst,  // before all others; the newest first, whose data are at hand
    kOldestFirst,  // behind all others, as tasks from outside do
  };

  // What Schedule() does when `max_queued` tasks are queued.
  enum class WhenFull {
    kWait,         // waits, within its limit, until one has begun
    kRefuse,       // returns false
    kRunInCaller,  // runs the task, here and now
  };

  // Who is told what the workers do. The workers themselves call it, several at
  // once; it should be quick, and must outlive the pool. What it throws goes to
  // the except hook. `worker` is the N of the worker's name, which another may
  // have again as soon as this one's OnWorkerEnd() has begun.
  //
  // It may take any lock and wait: it is called before and after tasks, never
  // inside one. So OnBlocked() and OnUnblocked() come when a worker is free to
  // call them: the worker itself after its task, or another before that; in
  // their order, and before the task's OnTaskEnd().
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void OnWorkerStart(int /*worker*/) {}
    virtual void OnWorkerEnd(int /*worker*/) {}
    virtual void OnTaskStart(int /*worker*/) {}
    virtual void OnTaskEnd(int /*worker*/, bool /*threw*/) {}
    virtual void OnBlocked(int /*worker*/) {}
    virtual void OnUnblocked(int /*worker*/) {}
  };

  static constexpr int kDefaultSpares = 256;

  struct Options {
    // How many tasks at most have begun and not ended. 0: as many as this
    // process may use CPUs, by its affinity mask and the quota of its cgroup.
    // With max_spares no more than 65535.
    int max_workers = 0;
    StartPolicy start = StartPolicy::kOnDemand;
    // Workers are called "PREFIX_0", "PREFIX_1", ... Empty: "WorkerPool-N".
    std::string name_prefix = {};
    // Called first in each worker. If it throws, the pool is broken: what is
    // queued, and what is scheduled later, fails with BrokenPool, and then the
    // except hook is told. It may wait, also for that of another worker: one
    // that is at its initializer counts as free for one task, until it is seen
    // to be blocked.
    std::function<void()> initializer = {};
    // How many threads there may be, over max_workers, in the place of blocked
    // workers (none: 0 where max_workers is given, kDefaultSpares where not); and
    // how long one that is not needed waits before it ends.
    std::optional<int> max_spares = std::nullopt;
    absl::Duration idle_time = absl::Seconds(1);
    // How many tasks may be queued; 0: no bound. No more than 2^63 - 1, which a
    // negative number would be. Tasks that a task of the pool schedules are
    // accepted beyond it, since only workers make room. A bounded pool hands
    // tasks to its workers one at a time.
    size_t max_queued = 0;
    WhenFull when_full = WhenFull::kWait;
    Order order = Order::kNewestFirst;
    Observer* observer = nullptr;
  };

  enum class ShutdownMode {
    // What was accepted is run, and what that schedules in this pool, until the
    // last task has ended. Only work from outside is refused at once.
    kDrain,
    // What has not begun is dropped, and nothing more is accepted. When
    // Shutdown() returns, no task begins any more.
    kDropQueued,
  };

  // What Shutdown() found and did.
  struct ShutdownReport {
    size_t dropped = 0;  // tasks that never began, and never will
    size_t queued = 0;   // that have not begun yet; none if all ended in time
    // The workers that are at a task yet; those whose names there is memory for.
    std::vector<std::string> running;
  };

  // Throws std::invalid_argument if an option is negative or larger than is said
  // above, and std::system_error or std::bad_alloc if a thread that kAtOnce asks
  // for cannot be had; those that started have ended then.
  explicit WorkerPool(const Options& options);
  WorkerPool() : WorkerPool(Options()) {}
  // WorkerPool(4) is {.max_workers = 4}. Throws std::invalid_argument unless
  // that is greater than 0 and no more than 65535.
  explicit WorkerPool(int max_workers);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  // Takes `task` over and returns true, or leaves it as it is and returns false
  // if the pool is shut down, broken or full; `limit` bounds the wait for room
  // of WhenFull::kWait. Throws std::system_error if there is no worker and the
  // first cannot be had, and std::bad_alloc if there is no memory to queue the
  // task (none is needed as a rule: it is used again); the task is then the
  // caller's too. Without a later thread the pool goes on with those it has.
  // REQUIRES: there is a task.
  [[nodiscard]] bool Schedule(Task& task, const WaitLimit& limit = {});

  // Schedule() of a task that calls `function()`. If it is refused, or this
  // throws, the function is gone.
  template <pool_internal::TaskFunction Function>
  [[nodiscard]] bool Schedule(Function&& function,
                              const WaitLimit& limit = {}) {
    Task task(std::forward<Function>(function));
    return Schedule(task, limit);
  }

  // Takes all of `tasks` over, in their order and at once, and returns true; or
  // none of them, and false, if the pool is shut down or broken. In a bounded
  // pool they are accepted beyond the bound. Throws as Schedule() does.
  [[nodiscard]] bool ScheduleMany(TaskQueue& tasks);

  // Calls f() and g(), at the same time if a worker is free, and returns when
  // both have ended. If either throws, that is rethrown here; f()'s if both do.
  // In a worker of this pool f() is called right here, and g() too unless
  // another worker took it meanwhile, so that recursive calls cost little more
  // than functions. Elsewhere a worker does all of it and the caller waits;
  // throws ShutdownError if the pool accepts nothing, BrokenPool if it is broken.
  template <typename F, typename G>
  void Invoke(F&& f, G&& g);

  // The pool, for work that may outlive it and still ask it for something then:
  // once it is destroyed, it accepts nothing.
  class Handle;
  [[nodiscard]] Handle handle() const;

  // Ends the acceptance of tasks, drops what has not begun if `mode` says so,
  // and waits within `limit` until all workers have ended; it does not wait in
  // a worker of this pool. May be called again; draining can still be turned
  // into dropping.
  ShutdownReport Shutdown(ShutdownMode mode = ShutdownMode::kDrain,
                          const WaitLimit& limit = {});

  // Waits within `limit` until all workers have ended; false if that passed
  // first. Throws std::logic_error before Shutdown() and in one of the pool's
  // workers, where it would wait for itself. Without a limit it is always true.
  [[nodiscard]] bool Join(const WaitLimit& limit);
  bool Join() { return Join(WaitLimit()); }

  // True after Shutdown(); true after the initializer threw.
  [[nodiscard]] bool IsShutDown() const;
  [[nodiscard]] bool IsBroken() const;

  // True as long as the pool accepts tasks of the calling thread's: until it is
  // shut down; in a task of its own, until it has drained or drops.
  [[nodiscard]] bool AcceptsHere() const;

  // True in a task of this pool's.
  [[nodiscard]] bool IsWorkerHere() const;

  // For tasks that wait for work of another kind, and are of less use than any
  // that is queued: true if the calling thread is not a worker, or one of a pool
  // that has tasks queued or has been shut down. Advisory.
  [[nodiscard]] static bool IsWorkerWanted();

  // The pool's number among all pools, from 1: for tasks of many parts, which
  // whoever wants their result may run parts of if it is one of its workers.
  [[nodiscard]] uint64_t number() const;

  // How many tasks may run at the same time, without spares, and how many
  // threads there are.
  [[nodiscard]] int max_workers() const;
  [[nodiscard]] int started_workers() const;

  // What the pool has done and does; see pool_stats.h.
  [[nodiscard]] PoolStats Stats() const;

 private:
  class Core;
  class Worker;
  using Fork = pool_internal::Fork;

  // The calling thread's worker, if it is one of this pool's.
  Worker* Here() const;
  // Shows `fork` to thieves; false if there is no memory for that. And takes it
  // back; false if somebody has taken it.
  static bool PushFork(Worker& worker, Fork& fork);
  static bool PopFork(Worker& worker);
  // Has a worker call `function`, and waits for it.
  void RunInWorker(std::function<void()> function);

  internal::RefPtr<Core> core_;  // shared with the workers
};

class WorkerPool::Handle {
 public:
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;
  ~Handle();

  // As those of the pool.
  [[nodiscard]] bool Schedule(Task& task) const;
  [[nodiscard]] bool IsBroken() const;
  [[nodiscard]] bool IsWorkerHere() const;

 private:
  friend class WorkerPool;
  explicit Handle(internal::RefPtr<Core> core);

  internal::RefPtr<Core> core_;
};

template <typename F, typename G>
void WorkerPool::Invoke(F&& f, G&& g) {
  Worker* const worker = Here();
  if (worker == nullptr) {
    RunInWorker([this, &f, &g] { Invoke(f, g); });
    return;
  }
  pool_internal::ForkOf<std::remove_reference_t<G>> fork(g);
  const bool pushed = PushFork(*worker, fork);
  std::exception_ptr error = internal::CatchAll([&f] { f(); });
  if (!pushed || PopFork(*worker)) {
    if (error == nullptr) {
      g();
      return;
    }
    // Its callers count on both having been called.
    static_cast<void>(internal::CatchAll([&g] { g(); }));
  } else {
    fork.Wait();
    if (error == nullptr) error = std::move(fork.error());
  }
  if (error != nullptr) internal::Rethrow(std::move(error));
}

}  // namespace heddle

#endif  // HEDDLE_POOL_WORKER_POOL_H_
