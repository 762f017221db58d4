// SelectGet(): takes an item from the first of several queues that has one.
//
// Example: a worker that serves two queues, and ends when it is told to.
//
//   while (auto got = SelectGet(urgent, ordinary, stop_event)) {
//     if (got->index() == 0) Serve(std::get<0>(*got));
//     if (got->index() == 1) Serve(std::get<1>(*got));
//     if (got->index() == 2) break;  // stop_event is set
//   }
//
// It waits until one of its sources is ready: a queue of any of Heddle's kinds
// that has an item, or an Event that is set. Of several that are ready it takes
// one at random, each as likely as the others, so that none starves. It takes
// from one only: all others are as they were, and a wake-up that one of them
// has spent on this call goes to the next who waits there. (Go: select over
// channels. Python has no such thing.)
//
// Thread safety: any number of threads may select, get and put at the same time.
// Memory ordering: as Get()'s, or Event::Wait()'s. Errors: what T's move throws;
// the item is then still in its queue.

#ifndef HEDDLE_QUEUE_SELECT_H_
#define HEDDLE_QUEUE_SELECT_H_

#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "heddle/queue/blocking_queue.h"
#include "heddle/queue/internal/select_cases.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/sync/event.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

// What SelectGet() returns in place of an item for an Event that is set.
using queue_internal::EventIsSet;

// SelectGet(source..., limit): the limit may be left out. Returns a variant with
// one alternative for each source, in their order: the item type of a queue,
// EventIsSet of an Event; its index() tells which it was. Returns nullopt if
// `limit` passed first, or if all sources are queues that are shut down and have
// no items left. (One that is so, among others, is passed over.) At least one
// source, and at most 16.
template <typename... Arguments>
[[nodiscard]] auto SelectGet(Arguments&&... arguments) {
  static_assert(sizeof...(Arguments) > 0,
                "SelectGet: there must be a source, a queue or an Event");
  if constexpr (sizeof...(Arguments) > 0) {  // else that is the only error
    constexpr size_t kLast = sizeof...(Arguments) - 1;
    using Last = std::tuple_element_t<kLast, std::tuple<Arguments...>>;
    const auto all =
        std::forward_as_tuple(std::forward<Arguments>(arguments)...);
    if constexpr (std::is_convertible_v<Last, WaitLimit>) {
      return queue_internal::SelectFrom(all, std::get<kLast>(all),
                                        std::make_index_sequence<kLast>());
    } else {
      return queue_internal::SelectFrom(all, WaitLimit(),
                                        std::make_index_sequence<kLast + 1>());
    }
  }
}

}  // namespace heddle

#endif  // HEDDLE_QUEUE_SELECT_H_
