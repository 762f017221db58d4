// SubmitCall(): what Executor::Submit() and Map() are made of.

#ifndef HEDDLE_FUTURES_INTERNAL_SUBMIT_CALL_H_
#define HEDDLE_FUTURES_INTERNAL_SUBMIT_CALL_H_

#include <type_traits>
#include <utility>

#include "heddle/futures/future.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/task.h"

namespace heddle {

class Executor;

namespace futures_internal {

// executor.Schedule(task). Lets templates submit without knowing the class.
void ScheduleOn(Executor& executor, Task task);

// Schedules `call()` on `executor` and returns a future for its result: one
// allocation, for the task, the call and the result together.
template <typename Call>
Future<std::invoke_result_t<Call&>> SubmitCall(Executor& executor, Call call) {
  using T = std::invoke_result_t<Call&>;
  using State = pool_internal::ResultTask<T, Call>;
  auto* const state = pool_internal::MakeInBlock<State>(std::move(call));
  Task task(state);
  Future<T> future(state);
  ScheduleOn(executor, std::move(task));
  return future;
}

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_SUBMIT_CALL_H_
