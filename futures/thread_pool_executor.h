// ThreadPoolExecutor: an executor that runs tasks in threads of its own.
//
// Example (this is examples/hello.cc, shortened):
//
//   ThreadPoolExecutor executor;
//   Future<int> answer = executor.Submit([] { return 6 * 7; });
//   std::cout << answer.Result() << "\n";
//
// Threads start when there is work that no idle thread can take, up to
// max_workers, and are reused; they are called "PREFIX_0", "PREFIX_1", ..., where
// the prefix is "ThreadPoolExecutor-N" unless one is given, and N counts the
// executors from 0. Tasks start in the order in which they were submitted: with
// one thread the next starts when the last has ended; with several see
// worker_pool.h. The destructor runs what was submitted and joins: nothing is lost and no thread is
// left behind. The end of the program does the same, before its statics are
// destroyed, to executors that are still there. (Python:
// concurrent.futures.ThreadPoolExecutor; the destructor is the end of its `with`
// block.)
//
// A task may wait without a limit for the result of another of the same
// executor: what is still queued then runs right there. (In Python that wait
// never ends.) For other waits for what its own tasks are to bring about, an
// executor needs a free thread: an executor whose max_workers was not given, or
// that was given `max_spares`, replaces blocked threads, up to that number; of
// any other as many tasks may wait at the same time as there are threads, less
// one. An executor that has come to its end in this way says so on stderr.
//
// Shutdown(), the destructor and the end of the program refuse work from outside
// at once, and run what was accepted and what that submits to this executor,
// until the last task has ended; if it cancels, Shutdown() refuses both.
// Shutdown() has seen the end when all threads have ended. It throws
// std::logic_error if a task of this executor is to wait, which would be for
// itself; nothing has changed then.
//
// Thread safety: all methods but the destructor.

#ifndef HEDDLE_FUTURES_THREAD_POOL_EXECUTOR_H_
#define HEDDLE_FUTURES_THREAD_POOL_EXECUTOR_H_

#include <functional>
#include <optional>
#include <string>

#include "heddle/futures/executor.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"

namespace heddle {

class ThreadPoolExecutor final : public Executor {
 public:
  struct Options {
    // How many tasks at most have begun and not ended, whatever they wait in.
    // None: 4 more than CPUs that this process may use, and no more than 32: work
    // that waits for the disk or the network keeps the CPUs busy.
    std::optional<int> max_workers = std::nullopt;
    std::string thread_name_prefix = {};
    // Called first in each thread. If it throws, that goes to the except hook,
    // and the executor is broken: what is queued, and what is submitted later,
    // fails with BrokenThreadPool.
    std::function<void()> initializer = {};
    // How many threads there may be, over max_workers, in the place of those
    // whose task has been blocked for a millisecond. None: 0 where max_workers is
    // given, 256 where not.
    std::optional<int> max_spares = std::nullopt;
  };

  // Throws std::invalid_argument unless max_workers is greater than 0, max_spares
  // not less, and both together no more than 65535.
  explicit ThreadPoolExecutor(const Options& options);
  explicit ThreadPoolExecutor(int max_workers)
      : ThreadPoolExecutor(Options{.max_workers = max_workers}) {}
  ThreadPoolExecutor() : ThreadPoolExecutor(Options()) {}

  // Runs what was submitted, then joins the threads. In a task of its own it
  // does not wait: the threads end by themselves.
  ~ThreadPoolExecutor() override = default;

  // Accepts `task`; throws BrokenThreadPool after an initializer threw,
  // ShutdownError after Shutdown(), and std::system_error or std::bad_alloc if
  // the first thread cannot be had.
  void Schedule(Task task) override;

  // How many there may be, without spares.
  [[nodiscard]] int max_workers() const { return pool_.max_workers(); }

 private:
  bool DoShutdown(const ShutdownOptions& options) override;

  WorkerPool pool_;
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_THREAD_POOL_EXECUTOR_H_
