// Promise<T>: the other end of a Future, for a result that comes from elsewhere
// than a submitted call: an event loop, a callback, an executor of one's own.
//
// Example:
//
//   Future<Reply> Ask(Server& server, const Question& question) {
//     Promise<Reply> promise;
//     Future<Reply> future = promise.GetFuture();
//     server.Send(question, [p = std::move(promise)](Reply reply) mutable {
//       p.SetResult(std::move(reply));
//     });
//     return future;
//   }
//
// Nothing is waited for in vain: a promise that is destroyed without a result
// leaves a future that fails with BrokenPromise (or with std::bad_alloc, where
// there is no memory even for that). The future can be cancelled
// until the promise says that work has begun. (Python: the methods of
// concurrent.futures.Future that are for executors and tests.)
//
// Thread safety: GetFuture(), SetRunningOrNotifyCancel(), SetResult() and
// SetException() may be called by several threads at once, and so may all methods
// of the future. A promise is moved and destroyed by one thread, with no other in
// a call of it; but once its result is seen, by whatever handle, that may be while
// the SetResult() or SetException() that gave it has not returned.
// Memory ordering: what came before SetResult() or SetException() is visible to
// who finds the future done.
// Errors: InvalidStateError (heddle/pool/errors.h) if the future is not in a
// state for the call, and std::logic_error if the promise was moved from.
// Nothing has changed then.

#ifndef HEDDLE_FUTURES_PROMISE_H_
#define HEDDLE_FUTURES_PROMISE_H_

#include <exception>
#include <utility>

#include "heddle/futures/future.h"
#include "heddle/futures/internal/promise_state.h"

namespace heddle {

template <typename T>
class Promise {
 public:
  // Throws std::bad_alloc.
  Promise() : state_(futures_internal::PromiseState<T>::Make()) {}
  Promise(Promise&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)) {}
  Promise& operator=(Promise&& other) noexcept {
    Promise taken(std::move(other));  // which may be this one
    std::swap(state_, taken.state_);
    return *this;
  }
  ~Promise() {
    if (state_ != nullptr) state_->Abandon();
  }

  // A future for the result; each call gives another handle to the same one.
  [[nodiscard]] Future<T> GetFuture() const { return Future<T>(&state()); }

  // Says that the work begins: from now on the future is running and cannot be
  // cancelled. False if it was cancelled: then there is nothing to do. Throws
  // InvalidStateError if this was called before, or the future has its result.
  bool SetRunningOrNotifyCancel() { return state().SetRunningOrNotifyCancel(); }

  // Gives the future its result: a T made of `arguments` (which are its members if
  // it has no such constructor), or for a T& what that
  // refers to, or nothing for void. What making it throws comes out, and nothing
  // has changed. Throws InvalidStateError if the future was cancelled or has its
  // result.
  template <typename... Arguments>
  void SetResult(Arguments&&... arguments) {
    state().SetResult(std::forward<Arguments>(arguments)...);
  }

  // Lets the future fail with `error`. Throws std::invalid_argument if that is
  // null, and InvalidStateError as SetResult() does.
  void SetException(const std::exception_ptr& error) {
    state().SetException(error);
  }

 private:
  futures_internal::PromiseState<T>& state() const {
    if (state_ == nullptr) futures_internal::ThrowMovedFrom();
    return *state_;
  }

  futures_internal::PromiseState<T>* state_;
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_PROMISE_H_
