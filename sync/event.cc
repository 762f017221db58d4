#include "heddle/sync/event.h"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

void Event::Set() {
  uint32_t seen =
      word_.load(std::memory_order_relaxed);  // relaxed: the exchange checks it
  while ((seen & kQueued) == 0) {
    if (word_.compare_exchange_weak(seen, kSet, std::memory_order_release,
                                    std::memory_order_relaxed)) {  // [SET]
      return;
    }
  }
  WakeList woken;
  ParkingSpot spot(this);
  // Before the wake-ups: who sees the flag may destroy the event, and then the
  // waiters are reached through the spot alone.
  word_.store(kSet, std::memory_order_release);  // [SET], (E2)
  spot.WakeAll(woken);
}

void Event::Clear() {
  word_.fetch_and(~kSet, std::memory_order_acquire);  // [SET]
}

bool Event::Queue(Waiter& waiter) {
  ParkingSpot spot(this);
  uint32_t seen = word_.load(std::memory_order_acquire);  // [SET]
  do {
    if ((seen & kSet) != 0) return false;
  } while (
      (seen & kQueued) == 0 &&
      !word_.compare_exchange_weak(seen, seen | kQueued,
                                   std::memory_order_acquire));  // (E1), [SET]
  spot.Add(waiter);                                              // (E2)
  return true;
}

bool Event::WaitSlow(const WaitLimit& limit) {
  const WaitLimit started = limit.Started();
  Waiter waiter;
  if (!Queue(waiter)) return true;
  // Woken means that the event was set, even if it has been cleared since.
  return waiter.Sleep(started) || IsSet();
}

std::string Event::DebugString() const {
  const size_t waiters = internal::CountWaitersAt(this);
  return absl::StrCat("Event(", IsSet() ? "set" : "unset",
                      ", waiters=", waiters, ")");
}

std::ostream& operator<<(std::ostream& out, const Event& event) {
  return out << event.DebugString();
}

}  // namespace heddle
