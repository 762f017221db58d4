// Future<T>: a handle to a result that is to come.
//
// Executor::Submit() returns one, and Promise (promise.h) for results that come
// from elsewhere. Copies of a handle share one result; any of them may be waited
// on, asked or cancelled. T may be void, an lvalue reference, or a type that
// cannot be copied or moved.
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
// Waits without a limit, in a task: what is still queued in the task's own pool
// runs here and now, in place of the wait. It runs inside what the waiter
// holds: it enters an RLock of the waiter's, waits for ever for a Lock of the
// waiter's, and sees the waiter's thread_local and Local<T> values. When half
// of the stack is used, another thread runs it for the waiter, with a stack of
// its own: that has other thread_local and Local<T> values, and waits for ever
// for an RLock of the waiter's too; if none can be had, the wait throws
// std::system_error. So hold no lock over such a wait that the work takes, and
// rely on no value of the waiter's thread. A wait that could never end, because
// what it waits for waits for this very task, be it by way of others, of maps,
// forks or loops, throws DeadlockError. Limited waits do none of this.
//
// An exception that nobody asks for is dropped with the last handle.
//
// Thread safety: all methods of handles to one result. A handle itself is a
// value: assign to it in one thread at a time.
// Memory ordering: what the work did is visible after a call that found it
// done.
// Errors: every method that asks about the result throws std::logic_error if
// the handle has none behind it (default-made, moved from). The errors named
// below are those of heddle/pool/errors.h.

#ifndef HEDDLE_FUTURES_FUTURE_H_
#define HEDDLE_FUTURES_FUTURE_H_

#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

#include "heddle/futures/internal/done_callback.h"
#include "heddle/pool/internal/result_handle.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/task.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

template <typename T>
class Future : public pool_internal::ResultHandle<T> {
  using Handle = pool_internal::ResultHandle<T>;

 public:
  // Future(): a handle without a result. valid(): whether there is one behind
  // it, now or to come. Handles are equal if they share one result; they can be
  // hashed, and have an order, for use in sets.
  using Handle::Handle;

  // True when the work has ended, by a value, an exception or a cancellation.
  [[nodiscard]] bool Done() const { return state().Done(); }

  // True while the work runs. Advisory: it may end at any time.
  [[nodiscard]] bool Running() const { return state().Running(); }

  // True if the work was cancelled.
  [[nodiscard]] bool Cancelled() const { return state().Cancelled(); }

  // Cancels the work unless it has begun; then those who wait are woken,
  // callbacks are called and the callable is destroyed, here and now (but see
  // AddDoneCallback()). True if the future is cancelled,
  // by this call or an earlier one; false if the work is running or has ended.
  bool Cancel() const { return state().Cancel(); }

  // Asks the work to stop, by the std::stop_token that it was given if its
  // callable takes one; that ends the waits of Heddle's that have the token for
  // their limit, too. True if it can hear that: it takes a token and has not
  // ended. (Work that has not begun can be cancelled instead.)
  bool RequestStop() const { return state().RequestStop(); }

  // Waits until the work has ended. In a task: see above, also for the errors.
  bool Wait() const { return state().Wait(WaitLimit()); }
  // The same within `limit`; false if that passed first.
  [[nodiscard]] bool Wait(const WaitLimit& limit) const {
    return state().Wait(limit);
  }

  // Waits within `limit` and returns the result, which lives as long as any
  // handle. If the work threw, rethrows the same object, each time. Throws
  // TimeoutError if the limit passed first, CancelledError if the work was
  // cancelled, and what Wait() does.
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
    if constexpr (!pool_internal::CanMoveOut<T>()) {
      static_assert(
          pool_internal::CanMoveOut<T>(),
          "Result() of an rvalue future moves the result out, and this type "
          "cannot be moved: keep the future in a variable, and ask that: "
          "`const auto& result = future.Result();`");
    } else if constexpr (std::is_object_v<T>) {
      // What is kept is no constant.
      return std::move(
          const_cast<std::remove_const_t<T>&>(MutableResult(limit)));
    } else {
      return MutableResult(limit);
    }
  }

  // As Result(), but the one result that all handles share may be changed:
  // whoever does sees to it that nobody else looks meanwhile.
  decltype(auto) MutableResult(const WaitLimit& limit = {}) const {
    return Handle::Await(kName, limit);
  }

  // Waits within `limit` and returns what the work threw, or null. Throws
  // TimeoutError and CancelledError as Result() does.
  [[nodiscard]] std::exception_ptr Exception(
      const WaitLimit& limit = {}) const {
    return state().AwaitError(kName, limit);
  }

  // Has `function(future)` called once, when the work has ended or was cancelled:
  // by the thread that does that; here and now if it is done. Several are called
  // in the order in which they were added, while who waits for the result may go
  // on already. What they throw goes to the except hook. The function is
  // destroyed after its call; that the future's last handle goes while it is
  // called does no harm.
  //
  // A callback may complete or cancel another future: that one's callbacks are
  // then called inside it. Where 8 are inside one another, what would come
  // deeper is called when the innermost has returned, in its order, and so before
  // the outermost returns. So chains may have any length. Callables and results
  // that are destroyed count, and wait, as callbacks do.
  template <typename Function>
  requires std::is_invocable_v<std::decay_t<Function>, Future>
  void AddDoneCallback(Function&& function) const {
    using Callback =
        futures_internal::DoneCallback<Future, std::decay_t<Function>>;
    using Place = pool_internal::ResultState::Place;
    pool_internal::ResultOf<T>& result = state();
    auto& callback = *pool_internal::MakeInBlock<Callback>(
        *this, std::forward<Function>(function));
    if (!result.AddHook(callback, Place::kLast)) callback.Completed();
  }

 private:
  static constexpr const char* kName = "Future";

  pool_internal::ResultOf<T>& state() const { return Handle::state(kName); }
};

}  // namespace heddle

template <typename T>
struct std::hash<heddle::Future<T>>
    : heddle::pool_internal::ResultHandleHash<heddle::Future<T>> {};

#endif  // HEDDLE_FUTURES_FUTURE_H_
