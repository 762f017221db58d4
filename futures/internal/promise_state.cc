#include "heddle/futures/internal/promise_state.h"

#include <exception>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace futures_internal {
namespace {

using pool_internal::ResultState;

const char* Describe(ResultState::State state) {
  switch (state) {
    case ResultState::kRunning:
      return "is running already";
    case ResultState::kSetting:
      return "is just being given its result";
    case ResultState::kCancelled:
      return "was cancelled";
    case ResultState::kPending:
    case ResultState::kFinished:
      break;
  }
  return "has its result already";
}

}  // namespace

void ThrowMovedFrom() {
  internal::Throw(std::logic_error("Promise: it was moved from"));
}

void ThrowNullError() {
  internal::Throw(
      std::invalid_argument("Promise::SetException: the error is null"));
}

void ThrowInvalidState(ResultState::State state) {
  internal::Throw(
      InvalidStateError(absl::StrCat("Promise: the future ", Describe(state))));
}

std::exception_ptr MakeBrokenPromise() noexcept {
  std::exception_ptr broken;
  std::exception_ptr no_memory = internal::CatchAll([&] {
    broken = internal::MakeExceptionPtr(BrokenPromise(
        "Promise: it was dropped before the future had its result"));
  });
  return broken != nullptr ? broken : no_memory;
}

}  // namespace futures_internal
}  // namespace heddle
