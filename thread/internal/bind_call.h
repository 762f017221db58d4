// BindCall(): a callable and its arguments, kept to be called once, later.

#ifndef HEDDLE_THREAD_INTERNAL_BIND_CALL_H_
#define HEDDLE_THREAD_INTERNAL_BIND_CALL_H_

#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace heddle {
namespace internal {

// What `std::decay_t<Function>` returns for the decayed arguments, as rvalues.
template <typename Function, typename... Arguments>
using CallResult =
    std::invoke_result_t<std::decay_t<Function>, std::decay_t<Arguments>...>;

// Copies or moves all in; the result, called without arguments, moves them out
// to the call.
template <typename Function, typename... Arguments>
auto BindCall(Function&& function, Arguments&&... arguments) {
  using R = CallResult<Function, Arguments...>;
  return [function = static_cast<std::decay_t<Function>>(
              std::forward<Function>(function)),
          arguments = std::tuple<std::decay_t<Arguments>...>(
              std::forward<Arguments>(arguments)...)]() mutable -> R {
    return std::apply(
        [&function](auto&... values) -> R {
          return std::invoke(std::move(function), std::move(values)...);
        },
        arguments);
  };
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_BIND_CALL_H_
