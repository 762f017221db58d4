// ResultHandle<T>: one of the handles to a result that is to come. Future and
// AsyncResult are made of it.
//
// Thread safety: a value; the result is shared.

#ifndef HEDDLE_POOL_INTERNAL_RESULT_HANDLE_H_
#define HEDDLE_POOL_INTERNAL_RESULT_HANDLE_H_

#include <stdexcept>
#include <type_traits>
#include <utility>

#include "absl/base/optimization.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace pool_internal {

template <typename T>
class ResultHandle {
 public:
  using State = ResultOf<T>;

  // A handle without a result.
  ResultHandle() = default;

  // A handle to `state`, which it shares. For those who implement executors.
  explicit ResultHandle(State* state) noexcept : state_(state) {
    state_->Ref();
  }

  ResultHandle(const ResultHandle& other) noexcept : state_(other.state_) {
    if (state_ != nullptr) state_->Ref();
  }
  ResultHandle(ResultHandle&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)) {}
  ResultHandle& operator=(ResultHandle other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~ResultHandle() {
    if (state_ != nullptr) state_->Unref();
  }

  // True if there is a result behind this handle, now or to come.
  [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

  // Handles are equal if they share one result. They can be hashed.
  friend bool operator==(const ResultHandle& a, const ResultHandle& b) {
    return a.state_ == b.state_;
  }
  template <typename H>
  friend H AbslHashValue(H h, const ResultHandle& handle) {
    return H::combine(std::move(h), handle.state_);
  }

 protected:
  // Throws std::logic_error(`invalid`) if there is none.
  State& state(const char* invalid) const {
    if (ABSL_PREDICT_FALSE(state_ == nullptr))
      internal::Throw(std::logic_error(invalid));
    return *state_;
  }

  // Waits, and returns the result as whoever may change it.
  decltype(auto) Await(const char* invalid, const WaitLimit& limit) const {
    state(invalid).AwaitResult(limit);
    return state_->result();
  }

 private:
  State* state_ = nullptr;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_RESULT_HANDLE_H_
