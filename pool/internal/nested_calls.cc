#include "heddle/pool/internal/nested_calls.h"

#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/per_thread.h"

namespace heddle {
namespace pool_internal {

void NestedCalls::Do(CallbackHook& hook) noexcept { hook.Call(); }
void NestedCalls::Do(ResultState& state) noexcept { state.DestroyRest(); }

template <typename T>
void NestedCalls::Append(T& item, List<T>& list) {
  item.set_next_call(nullptr);
  if (list.first == nullptr) {
    list.first = &item;
  } else {
    list.last->set_next_call(&item);
  }
  list.last = &item;
}

template <typename T>
T* NestedCalls::Pop(List<T>& list) {
  T* const item = list.first;
  if (item != nullptr) list.first = item->next_call();
  return item;
}

template <typename T>
void NestedCalls::CallOrList(T& item, List<T> NestedCalls::*list) noexcept {
  internal::PerThread& thread = internal::ThisThread();
  NestedCalls* const outer = thread.nested_calls;
  if (outer != nullptr && outer->depth_ == kMost) {
    Append(item, outer->*list);
    return;
  }
  NestedCalls here(thread);
  Do(item);
  for (;;) {  // (N1)
    if (CallbackHook* const hook = Pop(here.hooks_)) {
      Do(*hook);
    } else if (ResultState* const state = Pop(here.states_)) {
      Do(*state);
    } else {
      return;
    }
  }
}

void NestedCalls::Call(CallbackHook& hook) noexcept {
  CallOrList(hook, &NestedCalls::hooks_);
}

void NestedCalls::DestroyRest(ResultState& state) noexcept {
  CallOrList(state, &NestedCalls::states_);
}

}  // namespace pool_internal
}  // namespace heddle
