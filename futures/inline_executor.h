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
// its end. It returns true if there is no such task.
//
// Thread safety: all methods but the destructor.

#ifndef HEDDLE_FUTURES_INLINE_EXECUTOR_H_
#define HEDDLE_FUTURES_INLINE_EXECUTOR_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "heddle/futures/executor.h"
#include "heddle/pool/task.h"
#include "heddle/sync/lock.h"

namespace heddle {

class InlineExecutor final : public Executor {
 public:
  // Runs `task`. Throws ShutdownError after Shutdown().
  void Schedule(Task task) override;

 private:
  bool DoShutdown(const ShutdownOptions& options) override;

  Lock lock_;
  bool shut_down_ ABSL_GUARDED_BY(lock_) = false;
  int64_t running_ ABSL_GUARDED_BY(lock_) = 0;
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_INLINE_EXECUTOR_H_
