// WorkerPool: threads that run tasks. The engine under Heddle's pools and
// executors.
//
// Tasks run in the order in which they were scheduled (a pool of one worker
// runs them one by one, in exactly that order). Idle workers sleep and cost
// nothing; a task that arrives wakes one of them, and a worker that finds more
// work than it can do wakes the next. Most users want ThreadPoolExecutor, which
// gives each task a future; this class is for work without results and for
// building executors.
//
// Example:
//
//   WorkerPool pool({.max_workers = 4});
//   Task task([] { Compact(); });
//   if (!pool.Schedule(task)) return Error("shutting down");
//   pool.Shutdown();                       // runs what was accepted ...
//   pool.Join();                           // ... and waits for it
//
// Nothing is lost: what Schedule() accepts is run, or dropped and counted by
// Shutdown(kDropQueued). The destructor runs what was accepted and joins; in
// one of the pool's own workers it waits for nothing, and the workers run what
// was accepted and end by themselves. What a task throws goes to the except
// hook; the worker lives on.
//
// At the end of the program, before its statics are destroyed, every pool that
// is there is shut down and what it accepted is run. From then on Schedule()
// accepts nothing, also in a pool that is made later.
//
// Thread safety: all methods but the destructor.
// Memory ordering: what came before Schedule() is visible to the task; what a
// task did is visible after a Join() that returns true.

#ifndef HEDDLE_POOL_WORKER_POOL_H_
#define HEDDLE_POOL_WORKER_POOL_H_

#include <cstddef>
#include <memory>
#include <string>

#include "heddle/pool/task.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class WorkerPool {
 public:
  enum class StartPolicy {
    kOnDemand,  // a worker starts when a task comes and no worker is free
    kAtOnce,    // all workers start in the constructor
  };

  struct Options {
    // How many workers at most. 0: as many as CPUs this process may use.
    int max_workers = 0;
    StartPolicy start = StartPolicy::kOnDemand;
    // Workers are called "PREFIX_0", "PREFIX_1", ... Empty: "WorkerPool-N".
    std::string name_prefix = {};
  };

  enum class ShutdownMode {
    kDrain,       // what was accepted is run
    kDropQueued,  // what has not begun is dropped
  };

  // Throws std::invalid_argument if max_workers is negative, and
  // std::system_error or std::bad_alloc if a thread that kAtOnce asks for
  // cannot be had; those that started have ended then.
  explicit WorkerPool(const Options& options);
  WorkerPool() : WorkerPool(Options()) {}
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  // Takes `task` over and returns true, or leaves it as it is and returns false
  // if the pool is shut down. Throws std::system_error or std::bad_alloc if
  // there is no worker and the first cannot be had; the task is then the
  // caller's too. Without a later one the pool goes on with those it has.
  // REQUIRES: there is a task.
  [[nodiscard]] bool Schedule(Task& task);

  // Ends the acceptance of tasks and tells the workers to go when there is
  // nothing left to run. Does not wait: see Join(). Returns how many tasks it
  // dropped, which is none unless `mode` says so. May be called again; draining
  // can still be turned into dropping.
  size_t Shutdown(ShutdownMode mode = ShutdownMode::kDrain);

  // Waits within `limit` until all workers have ended; false if that passed
  // first. Throws std::logic_error before Shutdown() and in one of the pool's
  // workers, where it would wait for itself.
  bool Join(const WaitLimit& limit = {});

  // True in a task of this pool's.
  [[nodiscard]] bool IsWorkerHere() const;

  // How many workers there may be, and how many have been started.
  [[nodiscard]] int max_workers() const;
  [[nodiscard]] int started_workers() const;

 private:
  class Core;

  std::shared_ptr<Core> core_;  // shared with the workers
};

}  // namespace heddle

#endif  // HEDDLE_POOL_WORKER_POOL_H_
