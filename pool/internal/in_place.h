// InPlace: on whose stack a worker runs the task that it waits for.
//
// On its own, as a rule. A chain of tasks that wait each for the next, with fewer
// workers than tasks, would use up any stack; so when half of it is used, the
// chain goes on in another thread, which stands for the waiting one until the
// task has ended: it is the same worker for the pool, the same stack for
// running_call.h, and it makes no difference to how many tasks run at a time.
//
// A task may call fork(). Where it runs in another thread than the one that
// waits, the child has only that other one; the stack of the waiting one is
// free memory there, which the child's new threads may get. So when the task
// returns in the child, its thread ends, and touches nothing of the waiting
// one's:
//   (I1) what the stand-in runs is a copy on its own stack, and has its result
//        there; that goes to the waiting thread only where no fork() has come
//        in between.
//
// Thread safety: all functions.

#ifndef HEDDLE_POOL_INTERNAL_IN_PLACE_H_
#define HEDDLE_POOL_INTERNAL_IN_PLACE_H_

#include <cstdint>

#include "heddle/thread/internal/at_fork.h"

namespace heddle {
namespace pool_internal {

// Whether less than half of the calling thread's stack is used. True where that
// cannot be known: on a stack that somebody else has made.
bool HasHalfOfItsStack();

// Calls run(context) in a new thread that stands for this one, and waits for
// it. Throws std::system_error or std::bad_alloc if no thread can be had.
// REQUIRES: once a user's code has run, run() touches nothing of this thread's
// stack if Forks() has changed.
void RunOnNewStack(void (*run)(void* context) noexcept, void* context);

// Calls `function()`, which must not throw, on a stack of which half is left:
// this one, or a new one; returns the bool that it returns.
// REQUIRES: once a user's code has run, `function` touches nothing of this
// thread's stack but its own copy.
template <typename Function>
bool RunWithStack(const Function& function) {
  if (HasHalfOfItsStack()) return function();
  struct Call {
    const Function& function;
    bool result = false;
  } call{function};
  const auto run = [](void* opaque) noexcept {
    auto* const caller = static_cast<Call*>(opaque);
    const Function own(caller->function);
    const uint32_t forks = internal::Forks();
    const bool result = own();
    if (internal::Forks() == forks) caller->result = result;  // (I1)
  };
  RunOnNewStack(run, &call);
  return call.result;
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_IN_PLACE_H_
