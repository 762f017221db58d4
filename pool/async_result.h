// AsyncResult<R>: a handle to what a call in a ThreadPool will return.
//
// ThreadPool::ApplyAsync() and its kind return one. Copies share one result; R
// may be void, an lvalue reference, or a type that cannot be copied or moved.
//
// Example:
//
//   AsyncResult<std::string> page = pool.ApplyAsync(Fetch, url);
//   ...
//   if (!page.Wait(absl::Seconds(2))) return Error("slow");
//   Use(page.Get());  // waits; rethrows what Fetch() threw
//
// Callbacks that were given to the call have run when the result is ready.
// (Python: multiprocessing.pool.AsyncResult.)
//
// Thread safety: all methods of handles to one result. A handle itself is a
// value: assign to it in one thread at a time.
// Memory ordering: what the call did is visible after a method that found it
// ready.
// Errors: every method but valid() throws std::logic_error if the handle has no
// result behind it (default-made, moved from).

#ifndef HEDDLE_POOL_ASYNC_RESULT_H_
#define HEDDLE_POOL_ASYNC_RESULT_H_

#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "heddle/pool/internal/result_handle.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

template <typename R>
class AsyncResult : public pool_internal::ResultHandle<R> {
  using Handle = pool_internal::ResultHandle<R>;

 public:
  // AsyncResult(): a handle without a result. valid(): whether there is one
  // behind it, now or to come. Handles are equal if they share one result; they
  // can be hashed, and have an order, for use in sets.
  using Handle::Handle;

  // Waits within `limit` and returns the result, which lives as long as any
  // handle. If the call threw, rethrows the same object, each time. Throws
  // TimeoutError if the limit passed first, CancelledError if Terminate()
  // dropped the call, BrokenPool if the pool's initializer threw before, and
  // DeadlockError in a call, or its callback, that would wait here without a
  // limit for what waits for it, be it by way of others, of maps, forks or loops
  // (heddle/pool/errors.h).
  decltype(auto) Get(const WaitLimit& limit = {}) const& {
    if constexpr (std::is_object_v<R>) {
      return std::as_const(Handle::Await(kName, limit));
    } else {
      return Handle::Await(kName, limit);  // a reference as it is, or void
    }
  }

  // As above, but moves the result out: std::move(result).Get(). Later calls,
  // through any handle, find what the move left behind.
  R Get(const WaitLimit& limit = {}) && {
    if constexpr (!pool_internal::CanMoveOut<R>()) {
      static_assert(
          pool_internal::CanMoveOut<R>(),
          "Get() of an rvalue result moves it out, and this type cannot be "
          "moved: keep the AsyncResult in a variable, and ask that: "
          "`const auto& value = result.Get();`");
    } else if constexpr (std::is_object_v<R>) {
      // What is kept is no constant.
      return std::move(
          const_cast<std::remove_const_t<R>&>(Handle::Await(kName, limit)));
    } else {
      return Handle::Await(kName, limit);
    }
  }

  // Waits until the call has ended. Throws DeadlockError as Get() does.
  bool Wait() const { return state().Wait(WaitLimit()); }
  // The same within `limit`; false if that passed first.
  [[nodiscard]] bool Wait(const WaitLimit& limit) const {
    return state().Wait(limit);
  }

  // True when the call has ended: it returned, threw, or was dropped.
  [[nodiscard]] bool Ready() const { return state().Done(); }

  // True if the call returned. Throws std::logic_error if it is not ready.
  // (Python: ValueError.)
  [[nodiscard]] bool Successful() const {
    if (!Ready()) {
      internal::Throw(
          std::logic_error("AsyncResult::Successful: it is not ready"));
    }
    return !state().Cancelled() && state().error() == nullptr;
  }

 private:
  static constexpr const char* kName = "AsyncResult";

  pool_internal::ResultOf<R>& state() const { return Handle::state(kName); }
};

namespace pool_internal {

// As result.Get() of a call that uses what is on the caller's stack: it does not
// throw before that has ended.
template <typename R>
R GetAtEnd(AsyncResult<R> result) {
  ResultAccess::StateOf(result)->WaitToEnd();
  return std::move(result).Get();
}

}  // namespace pool_internal
}  // namespace heddle

template <typename R>
struct std::hash<heddle::AsyncResult<R>>
    : heddle::pool_internal::ResultHandleHash<heddle::AsyncResult<R>> {};

#endif  // HEDDLE_POOL_ASYNC_RESULT_H_
