// NestedCalls: calls that come of a result's arrival or end, and may bring about
// others of their kind before they return: a done callback may give the next
// result, and what a result holds may be the last handle to another.
//
// Such a call is made at once as long as fewer than kMost are on this thread's
// stack. One that would be deeper waits in a list until the deepest has returned,
// which makes it then. So a chain of any length takes little stack, and nothing
// outlives the outermost call.
//
//   (N1) An item is called, or in the list of the deepest level, which empties it
//        before it returns.
//   (N2) A listed state has a reference and is final: its runner_, which nobody
//        reads any more, links it. It is cancelled, and its callable is this
//        thread's; or finished, and its last handle is gone. It is not listed for
//        both.
//
// Thread safety: all of it belongs to the calling thread.

#ifndef HEDDLE_POOL_INTERNAL_NESTED_CALLS_H_
#define HEDDLE_POOL_INTERNAL_NESTED_CALLS_H_

#include <utility>

#include "heddle/thread/internal/per_thread.h"

namespace heddle {
namespace pool_internal {

class CallbackHook;
class ResultState;

class NestedCalls {
 public:
  static constexpr int kMost = 8;

  // hook.Call(), and state.DestroyRest(), now or when there is stack for it.
  static void Call(CallbackHook& hook) noexcept;
  static void DestroyRest(ResultState& state) noexcept;

  // While it lives, calls are counted afresh: for who looks after the stack by
  // other means.
  class Afresh {
   public:
    Afresh()
        : thread_(internal::ThisThread()),
          before_(std::exchange(thread_.nested_calls, nullptr)) {}
    Afresh(const Afresh&) = delete;
    Afresh& operator=(const Afresh&) = delete;
    ~Afresh() { thread_.nested_calls = before_; }

   private:
    internal::PerThread& thread_;
    NestedCalls* const before_;
  };

 private:
  // A FIFO of T, linked by `Link`.
  template <typename T>
  struct List {
    T* first = nullptr;
    T* last = nullptr;
  };

  explicit NestedCalls(internal::PerThread& thread)
      : thread_(thread),
        outer_(std::exchange(thread.nested_calls, this)),
        depth_(outer_ != nullptr ? outer_->depth_ + 1 : 1) {}
  ~NestedCalls() { thread_.nested_calls = outer_; }

  template <typename T>
  static void CallOrList(T& item, List<T> NestedCalls::*list) noexcept;
  static void Do(CallbackHook& hook) noexcept;
  static void Do(ResultState& state) noexcept;
  template <typename T>
  static void Append(T& item, List<T>& list);
  template <typename T>
  static T* Pop(List<T>& list);

  internal::PerThread& thread_;
  NestedCalls* const outer_;
  const int depth_;
  List<CallbackHook> hooks_;
  List<ResultState> states_;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_NESTED_CALLS_H_
