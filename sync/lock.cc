#include "heddle/sync/lock.h"

#include <cstdint>
#include <stdexcept>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

bool Lock::LockSlow(const WaitLimit& limit) {
  if (Take()) return true;  // free, with others queued
  const WaitLimit started = limit.Started();
  if (started.deadline().IsPast()) return false;

  // The holder may be about to let go: a short look costs less than a sleep.
  // Not when others sleep already, because then the lock is held for long.
  for (int i = 0; i < internal::kSpinRounds; ++i) {
    if ((word_.load(std::memory_order_relaxed) & kQueued) != 0)
      break;  // relaxed: a hint
    internal::SpinPause();
    if (Take()) return true;
  }

  while (!Take()) {
    Waiter waiter;
    {
      ParkingSpot spot(this);
      if (!MarkQueued()) continue;  // free by now
      spot.Add(waiter);             // (L1), (L2)
    }
    // Woken, and yet a newcomer may be faster: queue again. Only a wait that
    // nobody woke ends here, so no wake-up is dropped (L3).
    if (!waiter.Sleep(started)) return Take();
  }
  return true;
}

// Sets kQueued, with the spot held; returns false if the lock is free instead.
bool Lock::MarkQueued() {
  // relaxed: the bit is read by who unlocks, on this same word.
  uint32_t seen = word_.load(std::memory_order_relaxed);
  while ((seen & kHeld) != 0) {
    if ((seen & kQueued) != 0 ||
        word_.compare_exchange_weak(seen, seen | kQueued,
                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

void Lock::UnlockSlow() {
  WakeList woken;
  ParkingSpot spot(this);
  // relaxed: the exchange checks it, or it cannot change any more (below).
  uint32_t seen = word_.load(std::memory_order_relaxed);
  while (seen == kHeld) {
    // It was free when the caller looked, and somebody has taken it since, who
    // may release it at any moment: one of the two does, and the other throws.
    if (word_.compare_exchange_weak(seen, kFree, std::memory_order_release,
                                    std::memory_order_relaxed)) {  // [UNLOCK]
      return;
    }
  }
  if ((seen & kHeld) == 0) {
    internal::Throw(std::logic_error("Lock::unlock: the lock is not held"));
  }
  // Held with kQueued set: nobody changes that without the spot (L2).
  spot.Wake(1, woken);                                        // (L3)
  const uint32_t next = spot.HasWaiters() ? kQueued : kFree;  // (L1)
  word_.store(next, std::memory_order_release);               // [UNLOCK]
}

}  // namespace heddle
