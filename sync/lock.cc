#include "heddle/sync/lock.h"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "heddle/sync/internal/lock_watch.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

namespace {

// How long to wait before the first look. A look takes the word's cache line,
// and often the lock, away from a thread that would take it again at once: where
// two do that in turns, each exchange waits for the line. After 8 pauses instead
// of 1 the other has taken it some ten times, at half the cost for each (with 2
// threads, 10 ns instead of 17 to 21, and 25 instead of 44 with some work
// outside); 12 gain nothing more, and 8 take a third of a microsecond.
constexpr int kFirstLook = 8;

}  // namespace

// The holder may be about to let go: a short look costs less than a sleep.
bool Lock::TakeLooking(uint32_t drop) {
  const auto take = [this, drop] { return Take(drop); };
  return take() || internal::LookMoreRarely(kFirstLook, take);
}

void Lock::LockSlow() {
  if (!TakeLooking(0)) Queue(WaitLimit(), 0);
}

bool Lock::LockSlow(const WaitLimit& limit) {
  if (Take()) return true;  // never fails for no reason
  const WaitLimit started = limit.Started();
  if (started.deadline().IsPast()) return false;
  return TakeLooking(0) || Queue(started, 0);
}

void Lock::LockWoken() {
  sync_internal::LockWanted(this);
  if (!TakeLooking(kWaking)) Queue(WaitLimit(), kWaking);
  sync_internal::LockTaken(this);
}

// Waits for its turn. `drop` is kWaking if this thread is the one on its way.
bool Lock::Queue(const WaitLimit& started, uint32_t drop) {
  do {
    Waiter waiter;
    {
      ParkingSpot spot(this);
      if (!MarkQueued(drop)) continue;  // free by now
      if (drop == 0) {
        spot.Add(waiter);  // (L1), (L2)
      } else {
        spot.AddFirst(waiter);  // a newcomer was faster
      }
    }
    // Only a wait that nobody woke ends here, so that no wake-up is dropped and
    // kWaking is nobody's who has left (L3).
    if (!waiter.Sleep(started)) return Take();
    drop = kWaking;
  } while (!TakeLooking(drop));
  return true;
}

// Sets kQueued in place of `drop`, with the spot held; returns false if the lock
// is free instead.
bool Lock::MarkQueued(uint32_t drop) {
  // relaxed: the bits are read by who unlocks, on this same word.
  uint32_t seen = word_.load(std::memory_order_relaxed);
  while ((seen & kHeld) != 0) {
    const uint32_t marked = (seen | kQueued) & ~drop;
    if (seen == marked ||
        word_.compare_exchange_weak(seen, marked, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

// Releases the lock if that takes no wake-up. The word may change at any moment:
// it is not ours alone, if another thread releases what we hold.
bool Lock::ReleaseSilently() {
  // relaxed: the exchange checks it.
  uint32_t seen = word_.load(std::memory_order_relaxed);
  do {
    if ((seen & kHeld) == 0) {
      internal::Throw(std::logic_error("Lock::unlock: the lock is not held"));
    }
    if (!IsReleasedSilently(seen)) return false;
  } while (!ReleaseIf(seen));
  return true;
}

void Lock::UnlockSlow() {
  if (ReleaseSilently()) return;
  WakeList woken;
  ParkingSpot spot(this);
  if (ReleaseSilently()) return;  // changed before we had the spot
  // Held and queued, with nobody on the way: nobody changes that without the
  // spot (L2), (L3).
  const bool waking = spot.Wake(1, woken) == 1;                 // (L4)
  const uint32_t queued = spot.HasWaiters() ? kQueued : kFree;  // (L1)
  word_.exchange(queued | (waking ? kWaking : kFree),
                 std::memory_order_acq_rel);  // [UNLOCK], [PASS]
}

void Lock::AddClaimed(WakeList& claimed) {
  ParkingSpot spot(this);
  if (MarkQueued(0)) spot.AddClaimed(claimed);  // (L1), (L2)
}

std::string Lock::DebugString() const {
  const ParkingSpot spot(this);
  return absl::StrCat("Lock(", locked() ? "locked" : "unlocked",
                      ", waiters=", spot.CountWaiters(), ")");
}

std::ostream& operator<<(std::ostream& out, const Lock& lock) {
  return out << lock.DebugString();
}

}  // namespace heddle
