// Wait(): waits for several futures at once, of whatever executors.
//
// Example:
//
//   auto [done, not_done] = Wait(futures, ReturnWhen::kFirstException,
//                                absl::Seconds(10));
//   for (const Future<Page>& late : not_done) late.Cancel();
//
// A cancelled future is done at once. (Python: concurrent.futures.wait, where a
// future that an executor's shutdown cancels is waited for without end.)
//
// Thread safety: may be called by any number of threads for the same futures.
// Errors: a limit that passes is no error: what is not done by then is in
// `not_done`. Throws std::logic_error for a future without a result behind it,
// std::bad_alloc, and what Future::Wait() does where it is certain which future
// has to be done next: all are waited for, or one is left.
//
// In a task, without a limit, what the task's own pool has queued of the futures
// is run here, one at a time, while none is done that would end the wait.

#ifndef HEDDLE_FUTURES_WAIT_H_
#define HEDDLE_FUTURES_WAIT_H_

#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

#include "heddle/futures/future.h"
#include "heddle/futures/internal/completions.h"
#include "heddle/futures/internal/future_set.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

enum class ReturnWhen {
  kAllCompleted,
  kFirstCompleted,  // or cancelled
  kFirstException,  // or all, if none throws; a cancelled one does not count
};

// The futures that were waited for, each once, in the order of the input.
template <typename FutureType>
struct WaitResult {
  std::vector<FutureType> done;
  std::vector<FutureType> not_done;
};

namespace futures_internal {

void WaitFor(const States& states, ReturnWhen return_when,
             const WaitLimit& limit);

template <typename Futures>
auto Wait(Futures& futures, ReturnWhen return_when, const WaitLimit& limit) {
  if constexpr (CheckFutures<Futures>()) {
    auto set = MakeFutureSet("Wait", futures);
    WaitFor(set.states, return_when, limit);
    WaitResult<typename decltype(set.futures)::value_type> result;
    for (size_t i = 0; i < set.states.size(); ++i) {
      auto& part = set.states[i]->Done() ? result.done : result.not_done;
      part.push_back(std::move(set.futures[i]));
    }
    return result;
  }
}

}  // namespace futures_internal

// Waits within `limit` until `return_when` is so of `futures`, a range of
// Future<T> or of AsyncResult<T>; returns at once if it is so already, or if
// there are none.
template <typename Futures>
auto Wait(Futures&& futures, ReturnWhen return_when = ReturnWhen::kAllCompleted,
          const WaitLimit& limit = {}) {
  return futures_internal::Wait(futures, return_when, limit);
}
// For all of them: Wait(futures, absl::Seconds(10)).
template <typename Futures>
[[nodiscard]] auto Wait(Futures&& futures, const WaitLimit& limit) {
  return futures_internal::Wait(futures, ReturnWhen::kAllCompleted, limit);
}
// Of a list: Wait({a, b}).
template <typename T>
auto Wait(std::initializer_list<Future<T>> futures,
          ReturnWhen return_when = ReturnWhen::kAllCompleted,
          const WaitLimit& limit = {}) {
  return futures_internal::Wait(futures, return_when, limit);
}
template <typename T>
[[nodiscard]] auto Wait(std::initializer_list<Future<T>> futures,
                        const WaitLimit& limit) {
  return futures_internal::Wait(futures, ReturnWhen::kAllCompleted, limit);
}

}  // namespace heddle

#endif  // HEDDLE_FUTURES_WAIT_H_
