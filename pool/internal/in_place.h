// InPlace: on whose stack a worker runs the task that it waits for.
//
// On its own, as a rule. A chain of tasks that wait each for the next, with fewer
// workers than tasks, would use up any stack; so when half of it is used, the
// chain goes on in another thread, which stands for the waiting one until the
// task has ended: it is the same worker for the pool, the same stack for
// running_call.h, and it makes no difference to how many tasks run at a time.
//
// Thread safety: all functions.

#ifndef HEDDLE_POOL_INTERNAL_IN_PLACE_H_
#define HEDDLE_POOL_INTERNAL_IN_PLACE_H_

namespace heddle {
namespace pool_internal {

// Whether less than half of the calling thread's stack is used. True where that
// cannot be known: on a stack that somebody else has made.
bool HasHalfOfItsStack();

// Calls run(context) in a new thread that stands for this one, and waits for
// it. Throws std::system_error or std::bad_alloc if no thread can be had.
void RunOnNewStack(void (*run)(void* context) noexcept, void* context);

// Calls `function()`, which must not throw, on a stack of which half is left:
// this one, or a new one.
template <typename Function>
void RunWithStack(Function function) {
  if (HasHalfOfItsStack()) return function();
  const auto run = [](void* opaque) noexcept {
    (*static_cast<Function*>(opaque))();
  };
  RunOnNewStack(run, &function);
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_IN_PLACE_H_
