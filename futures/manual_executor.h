// ManualExecutor: an executor that runs tasks when it is told to, in the thread
// that tells it.
//
// For tests, which then decide what happens in which order, and for programs
// with a loop of their own (a window, a game, a simulation), which give it its
// turn.
//
// Example:
//
//   ManualExecutor executor;
//   Future<int> answer = executor.Submit([] { return 6 * 7; });
//   assert(!answer.Done());
//   executor.RunAll();
//   assert(answer.Result() == 42);
//
// Tasks are run in the order in which they were scheduled, one at a time or by
// several threads that call RunOne(). Those that are left at its end are dropped:
// their futures are cancelled, and what they schedule meanwhile is refused. A
// task may destroy the executor: then the call that runs it returns, and touches
// nothing of it.
//
// Shutdown() waits for nothing, since who calls it may be who is to run the
// tasks: those that are queued can still be run, and may schedule more, unless
// they are to be cancelled. It returns true if none is queued any more.
//
// Thread safety: all methods but the destructor.

#ifndef HEDDLE_FUTURES_MANUAL_EXECUTOR_H_
#define HEDDLE_FUTURES_MANUAL_EXECUTOR_H_

#include <cstddef>
#include <memory>

#include "heddle/futures/executor.h"
#include "heddle/pool/task.h"

namespace heddle {

class ManualExecutor final : public Executor {
 public:
  // Throws std::bad_alloc.
  ManualExecutor();
  ~ManualExecutor() override;

  // Queues `task`. Throws ShutdownError after Shutdown().
  void Schedule(Task task) override;

  // Runs the oldest task; false if there is none.
  bool RunOne();

  // Runs tasks, also those that they schedule, until there is none; returns how
  // many.
  size_t RunAll();

  // Drops the oldest task unrun: its future is cancelled. False if there is
  // none.
  bool DropOne();

  // How many tasks are queued.
  [[nodiscard]] size_t size() const;

 private:
  bool DoShutdown(const ShutdownOptions& options) override;

  struct State;

  const std::shared_ptr<State> state_;  // shared with the calls that run tasks
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_MANUAL_EXECUTOR_H_
