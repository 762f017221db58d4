// What SelectGet() is made of: a case for each source, and the loop over them.

#ifndef HEDDLE_QUEUE_INTERNAL_SELECT_CASES_H_
#define HEDDLE_QUEUE_INTERNAL_SELECT_CASES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "absl/types/span.h"
#include "heddle/queue/blocking_queue.h"
#include "heddle/queue/internal/fifo.h"
#include "heddle/queue/internal/gate.h"
#include "heddle/queue/internal/wait_place.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {

struct EventIsSet {};

// How a case reaches into a queue.
struct SelectAccess {
  template <typename Queue>
  static Gate& Getters(Queue& queue) {
    return queue.getters_;
  }
  template <typename Queue>
  static Lock& PutLock(Queue& queue) {
    return queue.put_lock_;
  }
  template <typename Queue>
  static size_t CountForGetters(const Queue& queue) {
    return queue.CountForGetters();
  }
  template <typename Queue, typename Take>
  static bool TakeOne(Queue& queue, const Take& take, GateTurn& turn) {
    return queue.TakeInTurn(1, take, Queue::Look::kSure, turn) != 0;
  }
  template <typename T>
  static BlockingQueue<T, Fifo<T>>& Inside(SimpleQueue<T>& queue) {
    return queue.queue_;
  }
};

// A case has an Item, IsOver() (no item will ever come), Take() and place().

template <typename T, typename Store>
class QueueCase {
 public:
  using Item = T;
  using Source = BlockingQueue<T, Store>;

  explicit QueueCase(Source& queue)
      : queue_(queue),
        turn_(SelectAccess::Getters(queue), count_,
              SelectAccess::PutLock(queue)) {}
  explicit QueueCase(SimpleQueue<T>& queue)
      : QueueCase(SelectAccess::Inside(queue)) {}

  // Once Take() has failed after this was true.
  bool IsOver() const { return queue_.is_shutdown(); }
  template <typename Give>
  bool Take(const Give& give) {
    const bool taken = SelectAccess::TakeOne(queue_, give, turn_);
    turn_.Tried();
    return taken;
  }
  WaitPlace& place() { return turn_; }

 private:
  struct Count {
    const QueueCase* self;
    size_t operator()() const {
      return SelectAccess::CountForGetters(self->queue_);
    }
  };

  Source& queue_;
  const Count count_{this};
  GateTurn turn_;
};

class EventCase final : public WaitPlace {
 public:
  using Item = EventIsSet;

  explicit EventCase(Event& event) : event_(event) {}

  bool IsOver() const { return false; }
  template <typename Give>
  bool Take(const Give& give) {
    // Woken means that it was set, even if it has been cleared since.
    if (!woken_ && !event_.IsSet()) return false;
    give(EventIsSet());
    return true;
  }
  WaitPlace& place() { return *this; }

  bool IsReady() const override { return event_.IsSet(); }
  bool Queue(internal::Waiter& waiter) override { return event_.Queue(waiter); }
  void Woken(uint32_t /*message*/) override { woken_ = true; }

 private:
  Event& event_;
  bool woken_ = false;
};

template <typename T, typename Store>
QueueCase<T, Store> CaseOf(BlockingQueue<T, Store>& queue);
template <typename T>
QueueCase<T, Fifo<T>> CaseOf(SimpleQueue<T>& queue);
EventCase CaseOf(Event& event);

template <typename Source>
using CaseFor = decltype(CaseOf(std::declval<Source&>()));

// A number from 0 to `count` - 1, each as likely as the others; threads have
// sequences of their own. REQUIRES: 0 < count < 2^32.
size_t RandomBelow(size_t count);

template <typename... Cases>
class Selection {
 public:
  using Result = std::optional<std::variant<typename Cases::Item...>>;

  // Gives what it takes to `result`: an item is moved out of its queue, and
  // from then on no more, since that might throw.
  template <typename... Sources>
  explicit Selection(Result& result, Sources&... sources)
      : cases_(sources...), result_(result) {}

  void Get(const WaitLimit& limit) {
    if (TakeAny()) return;
    const WaitLimit started = limit.Started();
    for (;;) {
      // What is over now, and then found empty, remains so.
      const std::array<bool, kCount> over = AllOver(kIndices);
      if (TakeAny()) return;
      std::array<WaitPlace*, kCount> places;
      size_t count = 0;
      for (size_t i = 0; i < kCount; ++i) {
        if (!over[i]) places[count++] = places_[i];
      }
      if (count == 0) return;
      if (!AwaitAny({places.data(), count}, started, kPausesForItems)) {
        TakeAny();
        return;
      }
    }
  }

 private:
  static constexpr size_t kCount = sizeof...(Cases);
  static constexpr auto kIndices = std::index_sequence_for<Cases...>();
  static_assert(kCount >= 1 && kCount <= kMaxPlaces,
                "SelectGet takes from 1 to 16 sources");

  template <size_t... i>
  std::array<bool, kCount> AllOver(std::index_sequence<i...>) const {
    return {std::get<i>(cases_).IsOver()...};
  }
  template <size_t... i>
  std::array<WaitPlace*, kCount> Places(std::index_sequence<i...>) {
    return {&std::get<i>(cases_).place()...};
  }

  template <size_t i>
  bool TakeFrom() {
    return std::get<i>(cases_).Take([this](auto&& item) {
      result_.emplace(std::in_place_index<i>,
                      std::forward<decltype(item)>(item));
    });
  }
  template <size_t... i>
  static constexpr auto TakeFromEach(std::index_sequence<i...>) {
    return std::array<bool (Selection::*)(), kCount>{
        &Selection::TakeFrom<i>...};
  }
  // Tries the cases in an order of which all are equally likely. So the first
  // that has something is any of those that have, with equal chances.
  bool TakeAny() {
    static constexpr auto kTakeFrom = TakeFromEach(kIndices);
    std::array<size_t, kCount> untried;
    for (size_t i = 0; i < kCount; ++i) untried[i] = i;
    for (size_t left = kCount; left != 0; --left) {
      size_t& next = untried[left == 1 ? 0 : RandomBelow(left)];
      if ((this->*kTakeFrom[next])()) return true;
      next = untried[left - 1];
    }
    return false;
  }

  std::tuple<Cases...> cases_;
  const std::array<WaitPlace*, kCount> places_ = Places(kIndices);
  Result& result_;
};

template <typename All, size_t... i>
using SelectionFrom = Selection<CaseFor<std::tuple_element_t<i, All>>...>;

// Selects from the first sizeof...(i) of `all`. (Where the return type is to be
// deduced, clang moves `result` once more on its way out; that might throw.)
template <typename All, size_t... i>
typename SelectionFrom<All, i...>::Result SelectFrom(
    const All& all, const WaitLimit& limit, std::index_sequence<i...>) {
  typename SelectionFrom<All, i...>::Result result;
  SelectionFrom<All, i...>(result, std::get<i>(all)...).Get(limit);
  return result;
}

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_SELECT_CASES_H_
