// DoneCallback: a function to be called with a future that is done.

#ifndef HEDDLE_FUTURES_INTERNAL_DONE_CALLBACK_H_
#define HEDDLE_FUTURES_INTERNAL_DONE_CALLBACK_H_

#include <functional>
#include <utility>

#include "heddle/pool/internal/callable_cell.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/call_reporting.h"

namespace heddle {
namespace futures_internal {

// In a block of its own, which goes with the call.
template <typename Future, typename Function>
class DoneCallback final : public pool_internal::CallbackHook {
 public:
  template <typename Source>
  DoneCallback(const Future& future, Source&& function)
      : future_(future), function_(std::forward<Source>(function)) {}

 private:
  void Call() noexcept override {
    internal::CallReporting([this] {
      std::invoke(std::move(function_.get()), std::move(future_));
    });
    function_.Destroy();
    pool_internal::DestroyInBlock(this);
  }

  Future future_;  // so the result does not go before the call
  pool_internal::CallableCell<Function> function_;
};

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_DONE_CALLBACK_H_
