#include "heddle/queue/internal/gate.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"

namespace heddle {
namespace queue_internal {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

namespace {

// What a waiter is told that was woken as the only one: kWaking is its.
constexpr uint32_t kYourTurn = 1;

}  // namespace

void Gate::WakeOne() {
  WakeList woken;
  woken.set_message(kYourTurn);
  ParkingSpot spot(this);
  // relaxed: with the spot held and kWaking clear, nobody else changes it.
  if ((word_.load(std::memory_order_relaxed) & kWaking) != 0) return;
  const bool waking = spot.Wake(1, woken) == 1;
  const bool queued = spot.HasWaiters();
  // relaxed: (G4) rests on what the woken thread does to this word next, (G3) on
  // what the next to queue does to it.
  word_.store((waking ? kWaking : 0) | (queued ? kQueued : 0),
              std::memory_order_relaxed);  // (G1), (G2)
}

void Gate::WakeAll() {
  WakeList woken;
  ParkingSpot spot(this);
  spot.WakeAll(woken);
  // relaxed: as in WakeOne(). Who was woken before is still on its way.
  word_.fetch_and(kWaking, std::memory_order_relaxed);  // (G1)
}

size_t Gate::CountWaiters() const {
  const ParkingSpot spot(this);
  return spot.CountWaiters();
}

bool GateTurn::Queue(Waiter& waiter) {
  ParkingSpot spot(&gate_);
  const uint32_t drop = is_waking_ ? Gate::kWaking : 0;
  // relaxed: the exchange checks it.
  uint32_t seen = gate_.word_.load(std::memory_order_relaxed);
  while (!gate_.word_.compare_exchange_weak(
      seen, (seen | Gate::kQueued) & ~drop, std::memory_order_seq_cst,
      std::memory_order_relaxed)) {  // (G1), (G2)
  }
  const bool was_waking = std::exchange(is_waking_, false);
  owes_a_look_ = owes_a_look_ || was_waking;
  if (IsReadyAfterAll()) return false;  // (G3), (G4)
  owes_a_look_ = false;
  if (was_waking) {
    spot.AddFirst(waiter);  // somebody was faster, and it is still the oldest
  } else {
    spot.Add(waiter);
  }
  return true;
}

void GateTurn::Woken(uint32_t message) { is_waking_ = message == kYourTurn; }

GateTurn::~GateTurn() {
  if (is_waking_) {
    gate_.word_.fetch_and(~Gate::kWaking, std::memory_order_seq_cst);  // (G4)
  }
  if ((is_waking_ || owes_a_look_) && IsReadyAfterAll()) gate_.LetOne();
}

}  // namespace queue_internal
}  // namespace heddle
