#include "heddle/futures/inline_executor.h"

#include <utility>

#include "heddle/futures/executor.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {

void InlineExecutor::Schedule(Task task) {
  {
    LockGuard guard(lock_);
    if (shut_down_) {
      internal::Throw(ShutdownError(
          "InlineExecutor: cannot schedule work after Shutdown()"));
    }
    ++running_;
  }
  static_cast<void>(std::move(task).Run());
  LockGuard guard(lock_);
  --running_;
}

bool InlineExecutor::DoShutdown(const ShutdownOptions& /*options*/) {
  LockGuard guard(lock_);
  shut_down_ = true;
  return running_ == 0;
}

}  // namespace heddle
