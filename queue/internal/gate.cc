#include "heddle/queue/internal/gate.h"

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/wait_limit.h"

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

bool GateTurn::IsReadySoon() const {
  const internal::SpinTurn turn;
  if (!turn) return ready_();
  // Looked at ever more rarely: each look takes the cache line from who works.
  for (int pauses = first_look_; pauses <= internal::kSpinRounds; pauses *= 2) {
    for (int i = 0; i < pauses; ++i) internal::SpinPause();
    if (ready_()) return true;
  }
  return false;
}

bool GateTurn::Await(const WaitLimit& started) {
  if (started.deadline().HasPassed() || started.stop_token().stop_requested()) {
    return false;
  }
  if (IsReadySoon()) return true;
  Waiter waiter;
  {
    ParkingSpot spot(&gate_);
    const uint32_t drop = is_waking_ ? Gate::kWaking : 0;
    // relaxed: the exchange checks it.
    uint32_t seen = gate_.word_.load(std::memory_order_relaxed);
    while (!gate_.word_.compare_exchange_weak(
        seen, (seen | Gate::kQueued) & ~drop, std::memory_order_seq_cst,
        std::memory_order_relaxed)) {  // (G1), (G2)
    }
    owes_a_look_ = is_waking_ || owes_a_look_;
    const bool was_waking = is_waking_;
    is_waking_ = false;
    if (ready_()) return true;  // (G3), (G4)
    owes_a_look_ = false;
    if (was_waking) {
      spot.AddFirst(waiter);  // somebody was faster, and it is still the oldest
    } else {
      spot.Add(waiter);
    }
  }
  if (!waiter.Sleep(started)) return false;
  is_waking_ = waiter.message() == kYourTurn;
  return true;
}

GateTurn::~GateTurn() {
  if (is_waking_) {
    gate_.word_.fetch_and(~Gate::kWaking, std::memory_order_seq_cst);  // (G4)
  }
  if ((is_waking_ || owes_a_look_) && ready_()) gate_.LetOne();
}

}  // namespace queue_internal
}  // namespace heddle
