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
  static bool HasItemsOrEnd(const Queue& queue) {
    return queue.HasItemsOrEnd();
  }
  template <typename Queue, typename Take>
  static bool TakeOne(Queue& queue, const Take& take) {
    return queue.TakeNow(1, take, Queue::Look::kSure) != 0;
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
        turn_(SelectAccess::Getters(queue), is_ready_,
              SelectAccess::PutLock(queue)) {}
  explicit QueueCase(SimpleQueue<T>& queue)
      : QueueCase(SelectAccess::Inside(queue)) {}

  // Once Take() has failed after this was true.
  bool IsOver() const { return queue_.is_shutdown(); }
  template <typename Give>
  bool Take(const Give& give) {
    return SelectAccess::TakeOne(queue_, give);
  }
  WaitPlace& place() { return turn_; }

 private:
  struct IsReady {
    const QueueCase* self;
    bool operator()() const {
      return SelectAccess::HasItemsOrEnd(self->queue_);
    }
  };

  Source& queue_;
  const IsReady is_ready_{this};
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

// Where a call begins to look: another place each time.
size_t NextStart();

template <typename... Cases>
class Selection {
 public:
  using Result = std::optional<std::variant<typename Cases::Item...>>;

  template <typename... Sources>
  explicit Selection(Sources&... sources) : cases_(sources...) {}

  Result Get(const WaitLimit& limit) {
    if (TakeAny()) return std::move(result_);
    const WaitLimit started = limit.Started();
    for (;;) {
      // What is over now, and then found empty, remains so.
      const std::array<bool, kCount> over = AllOver(kIndices);
      if (TakeAny()) return std::move(result_);
      std::array<WaitPlace*, kCount> places;
      size_t count = 0;
      for (size_t i = 0; i < kCount; ++i) {
        if (!over[i]) places[count++] = places_[i];
      }
      if (count == 0) return std::nullopt;
      if (!AwaitAny({places.data(), count}, started, kPausesForItems)) {
        TakeAny();
        return std::move(result_);
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
  // From the first that has one of those that come at or after `start`, or
  // before it.
  template <size_t... i>
  bool TakeInTurn(size_t start, std::index_sequence<i...>) {
    return ((i >= start && TakeFrom<i>()) || ...) ||
           ((i < start && TakeFrom<i>()) || ...);
  }
  bool TakeAny() { return TakeInTurn(NextStart() % kCount, kIndices); }

  std::tuple<Cases...> cases_;
  const std::array<WaitPlace*, kCount> places_ = Places(kIndices);
  Result result_;
};

// Selects from the first sizeof...(i) of `all`.
template <typename All, size_t... i>
auto SelectFrom(const All& all, const WaitLimit& limit,
                std::index_sequence<i...>) {
  Selection<CaseFor<std::tuple_element_t<i, All>>...> selection(
      std::get<i>(all)...);
  return selection.Get(limit);
}

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_SELECT_CASES_H_
