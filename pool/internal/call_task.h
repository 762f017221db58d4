// What a call in a ThreadPool has besides its function: callbacks to be told.

#ifndef HEDDLE_POOL_INTERNAL_CALL_TASK_H_
#define HEDDLE_POOL_INTERNAL_CALL_TASK_H_

#include <type_traits>

#include "heddle/thread/internal/call_reporting.h"

namespace heddle {
namespace pool_internal {

// A callback that is not there.
struct Ignore {
  template <typename... Arguments>
  void operator()(Arguments&&... /*arguments*/) const {}
};

// Tells the callbacks what a ResultTask or a MapJob came to.
template <typename OnResult, typename OnError>
struct TellCallbacks {
  template <typename State>
  void operator()(State& state) noexcept {
    internal::CallReporting([&] {
      if (state.error() != nullptr) {
        on_error(state.error());
      } else if constexpr (std::is_void_v<typename State::ResultType>) {
        on_result();
      } else {
        // A reference stays what it is.
        on_result(
            static_cast<const typename State::ResultType&>(state.result()));
      }
    });
  }

  OnResult on_result;
  OnError on_error;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_CALL_TASK_H_
