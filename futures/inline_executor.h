// InlineExecutor: an executor that runs each task where it is submitted, at once.
//
// For tests, for debugging with one thread, and for where a library wants an
// executor and there is nothing to gain from another thread: a future of it is
// done when Submit() returns.
//
// Example:
//
//   InlineExecutor executor;
//   Future<int> answer = executor.Submit([] { return 6 * 7; });
//   assert(answer.Done());
//
// Shutdown() waits for nothing: what others are running just then they run to
// its end, and those may submit more. It returns true if there is no such task. The executor may be
// destroyed while tasks of it run, by one of them for instance: they run to
// their end.
//
// Thread safety: all methods; the destructor beside a Schedule() or Submit()
// that has begun its task.

#ifndef HEDDLE_FUTURES_INLINE_EXECUTOR_H_
#define HEDDLE_FUTURES_INLINE_EXECUTOR_H_

#include <memory>

#include "heddle/futures/executor.h"
#include "heddle/pool/task.h"

namespace heddle {

class InlineExecutor final : public Executor {
 public:
  // Throws std::bad_alloc.
  InlineExecutor();
  ~InlineExecutor() override;

  // Runs `task`. Throws ShutdownError after Shutdown().
  void Schedule(Task task) override;

 private:
  bool DoShutdown(const ShutdownOptions& options) override;

  struct State;

  const std::shared_ptr<State> state_;  // shared with the calls of Schedule()
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_INLINE_EXECUTOR_H_
