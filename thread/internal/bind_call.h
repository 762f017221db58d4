// BindCall(): a callable and its arguments, kept to be called once, later.

#ifndef HEDDLE_THREAD_INTERNAL_BIND_CALL_H_
#define HEDDLE_THREAD_INTERNAL_BIND_CALL_H_

#include <tuple>
#include <type_traits>
#include <utility>

namespace heddle {
namespace internal {

// What is kept of what a call returns: a value for an rvalue reference, whose
// object may go with the call's arguments.
template <typename T>
using Kept = std::conditional_t<std::is_rvalue_reference_v<T>,
                                std::remove_reference_t<T>, T>;

// What is kept of what `std::decay_t<Function>` returns for the decayed
// arguments, as rvalues.
template <typename Function, typename... Arguments>
using CallResult = Kept<
    std::invoke_result_t<std::decay_t<Function>, std::decay_t<Arguments>...>>;

// Copies or moves all in; the result moves them out to the call. What it is
// itself called with comes before them: nothing, or a stop token. (std::apply
// calls as std::invoke does, without the price of including <functional>.)
template <typename Function, typename... Arguments>
auto BindCall(Function&& function, Arguments&&... arguments) {
  return [function = static_cast<std::decay_t<Function>>(
              std::forward<Function>(function)),
          arguments = std::tuple<std::decay_t<Arguments>...>(
              std::forward<Arguments>(arguments)...)](auto&&... before) mutable
         -> std::invoke_result_t<std::decay_t<Function>, decltype(before)...,
                                 std::decay_t<Arguments>...> {
    return std::apply(
        [&](auto&... values) -> decltype(auto) {
          return std::apply(
              std::move(function),
              std::forward_as_tuple(std::forward<decltype(before)>(before)...,
                                    std::move(values)...));
        },
        arguments);
  };
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_BIND_CALL_H_
