#include "heddle/queue/internal/gate.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "heddle/sync/internal/baton_age.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace queue_internal {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;
using sync_internal::BatonAge;

namespace {

// What a waiter is told that was woken alone: it is to clear kWaking (G2).
constexpr uint32_t kYourTurn = 1;

}  // namespace

void Gate::LetOneQueued(std::optional<WakeList>& woken) {
  if ((word_ & kWaking) != 0) {
    const uint32_t age = word_ >> kAgeShift;
    if (!BatonAge::IsOld(age)) {  // (G4), (G6)
      word_ = (BatonAge::Withheld(age) << kAgeShift) | kWaking | kQueued;
      return;
    }
  }
  if (!woken.has_value()) woken.emplace().set_message(kYourTurn);
  ParkingSpot spot(this);
  const bool waking = spot.Wake(1, *woken) == 1;
  word_ = (waking ? (BatonAge::Begin() << kAgeShift) | kWaking : 0) |
          (spot.HasWaiters() ? kQueued : 0);  // (G1), (G2)
}

void Gate::LetAll(WakeList& woken) {
  if ((word_ & kQueued) == 0) return;
  ParkingSpot spot(this);
  spot.WakeAll(woken);
  word_ = word_ & kBaton;  // (G1). One woken before is on its way yet.
}

size_t Gate::CountWaiters() const {
  const ParkingSpot spot(this);
  return spot.CountWaiters();
}

bool GateTurn::Queue(Waiter& waiter) {
  const LockGuard guard(lock_);
  if (count_() != 0) return false;                              // (G3)
  uint32_t word = gate_.word_ | Gate::kQueued;                  // (G1)
  if (std::exchange(is_coming_, false)) word &= ~Gate::kBaton;  // (G2)
  gate_.word_ = word;
  owes_a_try_ = false;
  ParkingSpot spot(&gate_);
  if (std::exchange(is_first_, false)) {
    spot.AddFirst(waiter);  // somebody was faster, and it is still the oldest
  } else {
    spot.Add(waiter);
  }
  return true;
}

void GateTurn::Woken(uint32_t message) {
  is_coming_ = is_first_ = message == kYourTurn;
}

void GateTurn::Come(size_t wants, std::optional<WakeList>& woken) {
  is_coming_ = false;
  owes_a_try_ = true;
  gate_.word_ = gate_.word_ & ~Gate::kBaton;  // (G2)
  if (count_() > wants) gate_.LetOne(woken);  // (G4)
}

void GateTurn::Leave() {
  std::optional<WakeList> woken;
  const LockGuard guard(lock_);
  if (is_coming_) gate_.word_ = gate_.word_ & ~Gate::kBaton;  // (G2)
  if (count_() != 0) gate_.LetOne(woken);                     // (G4)
}

}  // namespace queue_internal
}  // namespace heddle
