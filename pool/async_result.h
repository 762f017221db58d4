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
  // behind it, now or to come. Handles are equal if they share one result, and
  // can be hashed.
  using Handle::Handle;

  // Waits within `limit` and returns the result, which lives as long as any
  // handle. If the call threw, rethrows the same object, each time. Throws
  // TimeoutError if the limit passed first, CancelledError if Terminate()
  // dropped the call, BrokenPool if the pool's initializer threw before, and,
  // in a call of the pool that would wait here without a limit for one that
  // waits for it, DeadlockError (heddle/pool/errors.h).
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
    if constexpr (std::is_object_v<R>) {
      return std::move(Handle::Await(kName, limit));
    } else {
      return Handle::Await(kName, limit);
    }
  }

  // Waits within `limit` until the call has ended; false if that passed first.
  bool Wait(const WaitLimit& limit = {}) const { return state().Wait(limit); }

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

}  // namespace heddle

#endif  // HEDDLE_POOL_ASYNC_RESULT_H_
