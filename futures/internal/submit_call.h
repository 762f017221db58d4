// SubmitCall(): what Executor::Submit() and Map() are made of.

#ifndef HEDDLE_FUTURES_INTERNAL_SUBMIT_CALL_H_
#define HEDDLE_FUTURES_INTERNAL_SUBMIT_CALL_H_

#include <stop_token>
#include <type_traits>
#include <utility>

#include "heddle/futures/future.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/bind_call.h"

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
  using T = internal::Kept<typename ResultOfCall<Call>::type>;
  using State = pool_internal::ResultTask<T, Call>;
  auto* const state = pool_internal::MakeInBlock<State>(std::move(call));
  Task task(state);
  Future<T> future(state);
  ScheduleOn(executor, std::move(task));
  return future;
}

// What a call returns that does not compile: whatever the caller wants, so that
// no errors follow from it.
struct NoFuture {
  template <typename T>
  operator T() const;  // NOLINT(google-explicit-constructor)
};

// Says why `Function` cannot be submitted with these arguments, all decayed.
template <typename Function, typename... Arguments>
constexpr auto ExplainBadCall() {
  constexpr bool kTakesReferences =
      std::is_invocable_v<Function, Arguments&...> ||
      std::is_invocable_v<Function, std::stop_token, Arguments&...>;
  static_assert(
      !kTakesReferences,
      "Submit: the function takes an argument by non-const reference, and "
      "would get a copy: pass std::ref(x) to share x, or take it by value or "
      "const&");
  static_assert(
      kTakesReferences,
      "Submit: the function cannot be called with these arguments: they are "
      "copied or moved in now, and passed on as rvalues of their own types");
  return NoFuture();
}

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_SUBMIT_CALL_H_
