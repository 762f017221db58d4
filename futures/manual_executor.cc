#include "heddle/futures/manual_executor.h"

#include <cstddef>
#include <utility>

#include "heddle/futures/executor.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {

void ManualExecutor::Schedule(Task task) {
  LockGuard guard(lock_);
  if (shut_down_) {
    internal::Throw(
        ShutdownError("ManualExecutor: cannot schedule work after Shutdown()"));
  }
  tasks_.Push(std::move(task));
}

Task ManualExecutor::Pop() {
  LockGuard guard(lock_);
  return tasks_.Pop();
}

bool ManualExecutor::RunOne() {
  Task task = Pop();
  if (!task) return false;
  static_cast<void>(std::move(task).Run());
  return true;
}

size_t ManualExecutor::RunAll() {
  size_t count = 0;
  while (RunOne()) ++count;
  return count;
}

bool ManualExecutor::DropOne() {
  Task task = Pop();
  if (!task) return false;
  std::move(task).Drop(nullptr);
  return true;
}

size_t ManualExecutor::size() const {
  LockGuard guard(lock_);
  return tasks_.size();
}

bool ManualExecutor::DoShutdown(const ShutdownOptions& options) {
  {
    LockGuard guard(lock_);
    shut_down_ = true;
    if (!options.cancel_futures) return tasks_.empty();
  }
  while (DropOne()) {
  }
  return true;
}

}  // namespace heddle
