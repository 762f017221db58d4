// SubmitCall(): what Executor::Submit() and Map() are made of.

#ifndef HEDDLE_FUTURES_INTERNAL_SUBMIT_CALL_H_
#define HEDDLE_FUTURES_INTERNAL_SUBMIT_CALL_H_

#include <stop_token>
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

// What `Call` returns, called with nothing, or with a stop token if it must be.
template <typename Call, bool = pool_internal::kTakesStopToken<Call>>
struct ResultOfCall : std::invoke_result<Call&, std::stop_token> {};
template <typename Call>
struct ResultOfCall<Call, false> : std::invoke_result<Call&> {};

// Schedules `call` on `executor` and returns a future for its result: one
// allocation, for the task, the call and the result together.
template <typename Call>
auto SubmitCall(Executor& executor, Call call) {
  using T = typename ResultOfCall<Call>::type;
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
