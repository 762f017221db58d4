// The protocol and its argument, (R1)-(R4), are in README.md beside this file.

#include "heddle/pool/internal/roster.h"

#include <cstdint>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"

namespace heddle {
namespace pool_internal {

using internal::ParkingSpot;
using internal::WakeList;

Roster::Call Roster::CallOneSlow() {
  uint64_t seen = word_.load(std::memory_order_seq_cst);
  for (;;) {
    const Counts counts = Unpack(seen);
    if (!CanCall(counts)) return Call::kNobody;
    if (counts.sleeping > 0) {
      WakeList woken;
      ParkingSpot spot(this);
      seen = word_.load(std::memory_order_seq_cst);
      if (!CanCall(Unpack(seen))) return Call::kNobody;
      // Nobody there: who is counted yet has left and looks around (R2).
      if (spot.Wake(1, woken) == 0) return Call::kNobody;
      Add(kActive + kSearching - kSleeping);
      return Call::kWoken;
    }
    if (word_.compare_exchange_weak(
            seen, seen + static_cast<uint64_t>(kActive + kSearching + kThread),
            std::memory_order_seq_cst)) {
      return Call::kStart;
    }
  }
}

void Roster::CallAll() {
  WakeList woken;
  ParkingSpot spot(this);
  const auto called = static_cast<int64_t>(spot.WakeAll(woken));
  Add(called * (kActive + kSearching - kSleeping));
}

bool Roster::AddThread(uint32_t at_most) {
  uint64_t seen = word_.load(std::memory_order_seq_cst);
  do {
    const uint32_t threads = Unpack(seen).threads;
    if (threads >= max_threads_ || threads >= at_most) return false;
  } while (!word_.compare_exchange_weak(
      seen, seen + static_cast<uint64_t>(kActive + kSearching + kThread),
      std::memory_order_seq_cst));
  return true;
}

bool Roster::TrySearch() {
  uint64_t seen = word_.load(std::memory_order_seq_cst);
  do {
    if (Unpack(seen).searching != 0) return false;
  } while (!word_.compare_exchange_weak(
      seen, seen + static_cast<uint64_t>(kSearching),
      std::memory_order_seq_cst));
  return true;
}

bool Roster::StopSearching() { return Unpack(Add(-kSearching)).searching == 0; }

bool Roster::TryRetire(bool searching, bool& needed) {
  const auto gone =
      static_cast<uint64_t>(kActive + kThread + (searching ? kSearching : 0));
  uint64_t seen = word_.load(std::memory_order_seq_cst);
  do {
    if (Unpack(seen).threads <= max_active_) return false;
  } while (!word_.compare_exchange_weak(seen, seen - gone,
                                        std::memory_order_seq_cst));
  needed = LacksOne(Unpack(seen - gone));  // (R4)
  return true;
}

}  // namespace pool_internal
}  // namespace heddle
