#include "heddle/sync/latch.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

uint32_t Latch::ThrowTooMany(uint32_t count) {
  internal::Throw(std::invalid_argument(
      absl::StrCat("Latch: the count ", count, " is over ", kMax)));
}

void Latch::CountDown(uint32_t n) {
  WakeList woken;
  std::optional<ParkingSpot> spot;
  // relaxed: the exchange checks it.
  uint32_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const uint32_t count = seen >> 1;
    if (n > count) {
      spot.reset();  // before memory is allocated
      internal::Throw(std::logic_error(absl::StrCat(
          "Latch::CountDown: ", n, " is more than the count, ", count)));
    }
    const bool last = n == count && n > 0;
    if (last && (seen & kQueued) != 0 && !spot.has_value()) {
      spot.emplace(this);  // (A2)
      seen = word_.load(std::memory_order_relaxed);
      continue;
    }
    const uint32_t next = last ? 0 : seen - (n << 1);
    // acq_rel: who is woken gets what came before all counts from the last of
    // them alone, and does not read the word again.
    if (word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {  // [DOWN]
      if (last && spot.has_value()) spot->WakeAll(woken);
      return;
    }
  }
}

bool Latch::WaitSlow(const WaitLimit& limit) {
  const WaitLimit started = limit.Started();
  Waiter waiter;
  {
    ParkingSpot spot(this);
    uint32_t seen = word_.load(std::memory_order_acquire);  // [DOWN]
    do {
      if (seen >> 1 == 0) return true;
    } while ((seen & kQueued) == 0 &&
             !word_.compare_exchange_weak(
                 seen, seen | kQueued, std::memory_order_acquire));  // [DOWN]
    spot.Add(waiter);                                                // (A1)
  }
  return waiter.Sleep(started) || TryWait();
}

std::string Latch::DebugString() const {
  const size_t waiters = internal::CountWaitersAt(this);
  // relaxed: a snapshot.
  return absl::StrCat(
      "Latch(count=", word_.load(std::memory_order_relaxed) >> 1,
      ", waiters=", waiters, ")");
}

std::ostream& operator<<(std::ostream& out, const Latch& latch) {
  return out << latch.DebugString();
}

}  // namespace heddle
