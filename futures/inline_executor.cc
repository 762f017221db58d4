#include "heddle/futures/inline_executor.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "heddle/futures/executor.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/pool/task.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {

using pool_internal::RunningCall;

struct InlineExecutor::State {
  Lock lock;
  bool shut_down ABSL_GUARDED_BY(lock) = false;
  int64_t running ABSL_GUARDED_BY(lock) = 0;
};

InlineExecutor::InlineExecutor() : state_(std::make_shared<State>()) {}

InlineExecutor::~InlineExecutor() = default;

void InlineExecutor::Schedule(Task task) {
  const std::shared_ptr<State> state = state_;  // the task may end `*this`
  {
    LockGuard guard(state->lock);
    if (state->shut_down && !RunningCall::IsHereInPartOf(state.get())) {
      internal::Throw(ShutdownError(
          "InlineExecutor: cannot schedule work after Shutdown()"));
    }
    ++state->running;
  }
  {
    const RunningCall running(state.get());
    static_cast<void>(std::move(task).Run());
  }
  LockGuard guard(state->lock);
  --state->running;
}

bool InlineExecutor::DoShutdown(const ShutdownOptions& /*options*/) {
  LockGuard guard(state_->lock);
  state_->shut_down = true;
  return state_->running == 0;
}

}  // namespace heddle
