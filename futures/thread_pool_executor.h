// ThreadPoolExecutor: an executor that runs tasks in threads of its own.
//
// Example (this is examples/hello.cc, shortened):
//
//   ThreadPoolExecutor executor;
//   Future<int> answer = executor.Submit([] { return 6 * 7; });
//   std::cout << answer.Result() << "\n";
//
// Threads start when there is work that no idle thread can take, up to
// max_workers, and are reused; they are called "ThreadPoolExecutor-N_0", "_1",
// ..., where N counts the executors from 0. Tasks start in the order in which
// they were submitted. The destructor runs what was submitted and joins: nothing
// is lost and no thread is left behind. The end of the program does the same,
// before its statics are destroyed, to executors that are still there. (Python:
// concurrent.futures.ThreadPoolExecutor; the destructor is the end of its `with`
// block.)
//
// A task may wait for another of the same executor, and for anything else that
// its tasks bring about: what is still queued and wanted without a limit runs
// right there, and threads that are blocked for longer than a millisecond are
// replaced meanwhile. (In Python that wait never ends.)
//
// Thread safety: all methods but the destructor.

#ifndef HEDDLE_FUTURES_THREAD_POOL_EXECUTOR_H_
#define HEDDLE_FUTURES_THREAD_POOL_EXECUTOR_H_

#include "heddle/futures/executor.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

struct ShutdownOptions {
  bool wait = true;             // for the threads to end
  bool cancel_futures = false;  // what has not begun is cancelled, not run
  WaitLimit limit = {};         // of that wait
};

class ThreadPoolExecutor final : public Executor {
 public:
  // At most 4 threads more than CPUs that this process may use, and no more
  // than 32: work that waits for the disk or the network keeps the CPUs busy.
  ThreadPoolExecutor();

  // At most `max_workers` threads. Throws std::invalid_argument unless it is
  // greater than 0.
  explicit ThreadPoolExecutor(int max_workers);

  // Runs what was submitted, then joins the threads. In a task of its own it
  // does not wait: the threads end by themselves.
  ~ThreadPoolExecutor() override = default;

  // Accepts `task`; throws ShutdownError after Shutdown(), and
  // std::system_error or std::bad_alloc if the first thread cannot be had.
  void Schedule(Task task) override;

  // Ends the acceptance of work. What was submitted is still run, or cancelled
  // if `cancel_futures` says so. Waits, unless `wait` is false, until all
  // threads have ended; returns true if it has seen that, false if it did not
  // wait or the limit passed. May be called again. Throws std::logic_error if a
  // task of this executor is to wait, which would be for itself; nothing has
  // changed then.
  bool Shutdown(const ShutdownOptions& options = {});

  // How many threads there may be.
  [[nodiscard]] int max_workers() const { return pool_.max_workers(); }

 private:
  WorkerPool pool_;
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_THREAD_POOL_EXECUTOR_H_
