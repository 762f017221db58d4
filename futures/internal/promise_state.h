// PromiseState: the state of a result that a Promise gives.

#ifndef HEDDLE_FUTURES_INTERNAL_PROMISE_STATE_H_
#define HEDDLE_FUTURES_INTERNAL_PROMISE_STATE_H_

#include <exception>
#include <type_traits>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "heddle/pool/internal/result_state.h"

namespace heddle {
namespace futures_internal {

// The errors of Promise. `state`: how the future stood.
[[noreturn]] void ThrowMovedFrom();
[[noreturn]] void ThrowNullError();
[[noreturn]] void ThrowInvalidState(pool_internal::ResultState::State state);
// BrokenPromise, or std::bad_alloc if there is no memory for that; null in a
// build without exceptions.
std::exception_ptr MakeBrokenPromise() noexcept;

// As the methods of Promise.
template <typename T>
class PromiseState final : public pool_internal::ResultOf<T> {
  using State = pool_internal::ResultState::State;

 public:
  // The promise counts as a handle: it may give others when there are none. Not
  // in a block of the tasks' cache: who knows how long a promise lives.
  static PromiseState* Make() {
    auto* const state = new PromiseState;
    state->AddHandle();
    return state;
  }

  bool SetRunningOrNotifyCancel() {
    const State before = this->Change(State::kPending, State::kRunning);
    if (before == State::kCancelled) return false;
    if (before != State::kPending) ThrowInvalidState(before);
    return true;
  }

  template <typename... Arguments>
  void SetResult(Arguments&&... arguments) {
    const State before = BeginSetting();
    if (before >= State::kSetting) ThrowInvalidState(before);
    // Where making it throws, or ends the thread.
    absl::Cleanup undo = [this, before] {
      this->Change(State::kSetting, before);
    };
    this->result_.SetFrom([&]() -> T {
      if constexpr (std::is_void_v<T>) {
        static_assert(sizeof...(arguments) == 0, "void has no arguments");
      } else if constexpr (std::is_reference_v<T>) {
        static_assert(sizeof...(arguments) == 1, "a reference to one thing");
        return static_cast<T>((arguments, ...));
      } else if constexpr (std::is_constructible_v<T, Arguments...>) {
        // NOLINTNEXTLINE(google-readability-casting): no cast, a new T
        return T(std::forward<Arguments>(arguments)...);
      } else {
        return T{std::forward<Arguments>(arguments)...};  // its members
      }
    });
    std::move(undo).Cancel();
    FinishBorrowed();
  }

  void SetException(const std::exception_ptr& error) {
    if (error == nullptr) ThrowNullError();
    const State before = BeginSetting();
    if (before >= State::kSetting) ThrowInvalidState(before);
    this->error_ = error;
    FinishBorrowed();
  }

  // The promise is gone.
  void Abandon() noexcept {
    if (BeginSetting() < State::kSetting) {
      this->error_ = MakeBrokenPromise();
      if (this->error_ != nullptr) {
        this->Finish();
      } else {
        this->FinishCancelled();
      }
    }
    this->RemoveHandle();
    this->Unref();
  }

 private:
  // Whoever gets here from kPending or kRunning sets the result, alone; returns
  // how it stood.
  State BeginSetting() noexcept {
    const State before = this->Change(State::kPending, State::kSetting);
    if (before != State::kRunning) return before;
    return this->Change(State::kRunning, State::kSetting);
  }

  // The reference of the caller's is the promise's, and a waiter that sees the
  // result may destroy that, and every future, before this has told the others.
  void FinishBorrowed() noexcept {
    this->Ref();
    this->Finish();
    this->Unref();
  }

  // It is in no queue, and has no callable.
  bool Run() noexcept override { return true; }
  bool RunHere() noexcept override { return false; }
  void DestroyCallable() noexcept override {}
  void Destroy() noexcept override { delete this; }
};

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_PROMISE_STATE_H_
