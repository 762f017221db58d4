// Fork: a callable on the stack of a worker that will wait for it, and in that
// worker's deque of forks meanwhile, where others may take it.
//
// Forks of one worker end in the reverse order of their beginning, as the calls
// that hold them do, so at its end a fork is the newest in the deque or has been
// taken: whoever ends it never meets another's.

#ifndef HEDDLE_POOL_INTERNAL_FORK_H_
#define HEDDLE_POOL_INTERNAL_FORK_H_

#include <cstdint>
#include <exception>
#include <utility>

#include "heddle/pool/internal/endless_wait.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/pool/task.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace pool_internal {

class Fork : public Task::Node {
 public:
  // Waits until whoever took it has run it; then it may be destroyed.
  void Wait() {
    const EndlessWait wait(this, EndlessWait::IfRing::kTellAnother);
    taken_and_done_.Wait();
  }

  // What it threw. REQUIRES: it has run.
  std::exception_ptr& error() { return error_; }

 protected:
  ~Fork() override = default;

  // By who took it. The Set() is the last touch. In the child of a fork() of
  // `function` the thread that waits is lost, and its stack, with this, may be
  // another's.
  template <typename Function>
  bool RunTaken(Function& function) noexcept {
    const uint32_t forks = internal::Forks();
    std::exception_ptr error;
    {
      const RunningCall running(this);
      error = internal::CatchAll([&] { function(); });
    }
    const bool ok = error == nullptr;
    if (internal::Forks() != forks) return ok;
    error_ = std::move(error);
    taken_and_done_.Set();
    return ok;
  }

 private:
  // Never called: forks are no tasks that a shutdown drops.
  void Drop(std::exception_ptr /*why*/) noexcept override {}

  std::exception_ptr error_;
  Event taken_and_done_;
};

template <typename Function>
class ForkOf final : public Fork {
 public:
  explicit ForkOf(Function& function) : function_(function) {}

 private:
  bool Run() noexcept override { return RunTaken(function_); }

  Function& function_;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_FORK_H_
