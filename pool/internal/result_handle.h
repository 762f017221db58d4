// ResultHandle<T>: one of the handles to a result that is to come. Future and
// AsyncResult are made of it.
//
// Thread safety: a value; the result is shared.

#ifndef HEDDLE_POOL_INTERNAL_RESULT_HANDLE_H_
#define HEDDLE_POOL_INTERNAL_RESULT_HANDLE_H_

#include <compare>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "absl/base/optimization.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace pool_internal {

[[noreturn]] void ThrowInvalid(const char* handle);

// The way to the states behind handles, for what waits for several.
struct ResultAccess;

template <typename T>
class ResultHandle {
 public:
  using State = ResultOf<T>;

  // A handle without a result.
  ResultHandle() = default;

  // A handle to the result of `state`. For those who implement executors.
  // REQUIRES: it is the first, or another one exists.
  explicit ResultHandle(State* state) noexcept : state_(state) {
    state_->AddHandle();
  }

  ResultHandle(const ResultHandle& other) noexcept : state_(other.state_) {
    if (state_ != nullptr) state_->AddHandle();
  }
  ResultHandle(ResultHandle&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)) {}
  ResultHandle& operator=(ResultHandle other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~ResultHandle() {
    if (state_ != nullptr) state_->RemoveHandle();
  }

  // True if there is a result behind this handle, now or to come.
  [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

  // Handles are equal if they share one result. They can be hashed, and their
  // order is some order.
  friend bool operator==(const ResultHandle& a, const ResultHandle& b) {
    return a.state_ == b.state_;
  }
  friend std::strong_ordering operator<=>(const ResultHandle& a,
                                          const ResultHandle& b) {
    return std::compare_three_way()(a.state_, b.state_);
  }
  template <typename H>
  friend H AbslHashValue(H h, const ResultHandle& handle) {
    return H::combine(std::move(h), handle.state_);
  }

 protected:
  // Throws std::logic_error, in the name of `handle`, if there is none.
  State& state(const char* handle) const {
    if (ABSL_PREDICT_FALSE(state_ == nullptr)) ThrowInvalid(handle);
    return *state_;
  }

  // Waits, and returns the result as whoever may change it.
  decltype(auto) Await(const char* handle, const WaitLimit& limit) const {
    state(handle).AwaitResult(handle, limit);
    return state_->result();
  }

 private:
  friend struct ResultAccess;

  State* state_ = nullptr;
};

struct ResultAccess {
  // Null if there is none.
  template <typename T>
  static ResultOf<T>* StateOf(const ResultHandle<T>& handle) {
    return handle.state_;
  }
};

template <typename Handle>
struct ResultHandleHash {
  size_t operator()(const Handle& handle) const noexcept {
    return std::hash<const void*>()(ResultAccess::StateOf(handle));
  }
};

// Whether a result of type T can be moved out of its state.
template <typename T>
constexpr bool CanMoveOut() {
  return !std::is_object_v<T> ||
         std::is_move_constructible_v<std::remove_const_t<T>>;
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_RESULT_HANDLE_H_
