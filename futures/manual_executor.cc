#include "heddle/futures/manual_executor.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "heddle/futures/executor.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {

using pool_internal::RunningCall;

struct ManualExecutor::State {
  // The oldest; none: there is none.
  Task Pop() {
    LockGuard guard(lock);
    return tasks.Pop();
  }

  // False if there is none.
  bool RunOne() {
    Task task = Pop();
    if (!task) return false;
    const RunningCall running(this);
    static_cast<void>(std::move(task).Run());
    return true;
  }

  Lock lock;
  TaskQueue tasks ABSL_GUARDED_BY(lock);
  bool shut_down ABSL_GUARDED_BY(lock) = false;
  bool dropped ABSL_GUARDED_BY(lock) = false;  // and what was queued, too
};

ManualExecutor::ManualExecutor() : state_(std::make_shared<State>()) {}

// Those who are told that a task is dropped may still use the executor.
ManualExecutor::~ManualExecutor() { DoShutdown({.cancel_futures = true}); }

void ManualExecutor::Schedule(Task task) {
  LockGuard guard(state_->lock);
  if (state_->shut_down &&
      (state_->dropped || !RunningCall::IsHereInPartOf(state_.get()))) {
    internal::Throw(
        ShutdownError("ManualExecutor: cannot schedule work after Shutdown()"));
  }
  state_->tasks.Push(std::move(task));
}

// A task may end `*this`, so whoever runs one holds the state.
bool ManualExecutor::RunOne() {
  const std::shared_ptr<State> state = state_;
  return state->RunOne();
}

size_t ManualExecutor::RunAll() {
  const std::shared_ptr<State> state = state_;
  size_t count = 0;
  while (state->RunOne()) ++count;
  return count;
}

bool ManualExecutor::DropOne() {
  Task task = state_->Pop();
  if (!task) return false;
  std::move(task).Drop(nullptr);
  return true;
}

size_t ManualExecutor::size() const {
  LockGuard guard(state_->lock);
  return state_->tasks.size();
}

bool ManualExecutor::DoShutdown(const ShutdownOptions& options) {
  const std::shared_ptr<State> state = state_;
  {
    LockGuard guard(state->lock);
    state->shut_down = true;
    if (!options.cancel_futures) return state->tasks.empty();
    state->dropped = true;
  }
  while (Task task = state->Pop()) std::move(task).Drop(nullptr);
  return true;
}

}  // namespace heddle
