// Future<T>: a handle to a result that is to come.
//
// Executor::Submit() returns one. Copies of a handle share one result; any of
// them may be waited on, asked or cancelled. T may be void, an lvalue
// reference, or a type that cannot be copied or moved.
//
// Example:
//
//   Future<std::string> page = executor.Submit(Fetch, url);
//   ...
//   if (!page.Wait(absl::Seconds(2))) page.Cancel();
//   Use(page.Result());  // waits; rethrows what Fetch() threw
//
// The work behind a future goes on when its handles are gone. Work that will
// never run (its executor dropped it) leaves a cancelled future, never one that
// is waited for without end. A cancelled future is done at once, for every kind
// of wait. (Python: concurrent.futures.Future, whose names are used here.)
//
// Thread safety: all methods of handles to one result. A handle itself is a
// value: assign to it in one thread at a time.
// Memory ordering: what the work did is visible after a call that found it
// done.
// Errors: every method that asks about the result throws std::logic_error if
// the handle has none behind it (default-made, moved from).

#ifndef HEDDLE_FUTURES_FUTURE_H_
#define HEDDLE_FUTURES_FUTURE_H_

#include <exception>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "absl/base/optimization.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

template <typename T>
class Future {
  using State = pool_internal::ResultOf<T>;

 public:
  // A handle without a result.
  Future() = default;

  // A handle to `state`, which it shares. For those who implement executors.
  explicit Future(State* state) noexcept : state_(state) { state_->Ref(); }

  Future(const Future& other) noexcept : state_(other.state_) {
    if (state_ != nullptr) state_->Ref();
  }
  Future(Future&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)) {}
  Future& operator=(Future other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Future() {
    if (state_ != nullptr) state_->Unref();
  }

  // True if there is a result behind this handle, now or to come.
  [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

  // True when the work has ended, by a value, an exception or a cancellation.
  [[nodiscard]] bool Done() const { return state().Done(); }

  // True while the work runs. Advisory: it may end at any time.
  [[nodiscard]] bool Running() const { return state().Running(); }

  // True if the work was cancelled.
  [[nodiscard]] bool Cancelled() const { return state().Cancelled(); }

  // Cancels the work unless it has begun; then those who wait are woken and
  // the callable is destroyed, here and now. True if the future is cancelled,
  // by this call or an earlier one; false if the work is running or has ended.
  bool Cancel() const { return state().Cancel(); }

  // Waits within `limit` until the work has ended; false if that passed first.
  bool Wait(const WaitLimit& limit = {}) const { return state().Wait(limit); }

  // Waits within `limit` and returns the result, which lives as long as any
  // handle. If the work threw, rethrows the same object, each time. Throws
  // TimeoutError if the limit passed first, CancelledError if the work was
  // cancelled.
  decltype(auto) Result(const WaitLimit& limit = {}) const& {
    if constexpr (std::is_object_v<T>) {
      return std::as_const(MutableResult(limit));
    } else {
      return MutableResult(limit);  // a reference as it is, or void
    }
  }

  // As above, but moves the result out: std::move(future).Result(). Later
  // calls, through any handle, find what the move left behind.
  T Result(const WaitLimit& limit = {}) && {
    if constexpr (std::is_object_v<T>) {
      return std::move(MutableResult(limit));
    } else {
      return MutableResult(limit);
    }
  }

  // As Result(), but the one result that all handles share may be changed:
  // whoever does sees to it that nobody else looks meanwhile.
  decltype(auto) MutableResult(const WaitLimit& limit = {}) const {
    state().AwaitResult(limit);
    return state_->result();
  }

  // Waits within `limit` and returns what the work threw, or null. Throws
  // TimeoutError and CancelledError as Result() does.
  std::exception_ptr Exception(const WaitLimit& limit = {}) const {
    return state().AwaitError(limit);
  }

  // Handles are equal if they share one result. They can be hashed.
  friend bool operator==(const Future& a, const Future& b) {
    return a.state_ == b.state_;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Future& future) {
    return H::combine(std::move(h), future.state_);
  }

 private:
  State& state() const {
    if (ABSL_PREDICT_FALSE(state_ == nullptr)) {
      internal::Throw(
          std::logic_error("Future: this handle has no result behind it"));
    }
    return *state_;
  }

  State* state_ = nullptr;
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_FUTURE_H_
