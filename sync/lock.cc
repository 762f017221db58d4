#include "heddle/sync/lock.h"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "heddle/sync/internal/baton_age.h"
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
using sync_internal::BatonAge;

static_assert(BatonAge::kBits == 29, "what word_ has left beside its flags");

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

void Lock::LockAgain(bool woken) {
  const uint32_t drop = woken ? kBaton : 0;
  if (!TakeLooking(drop)) Queue(WaitLimit(), drop);
  sync_internal::LockTaken(this);
}

// Waits for its turn. `drop` is kBaton if this thread was woken and is on its
// way.
bool Lock::Queue(const WaitLimit& started, uint32_t drop) {
  for (;;) {
    Waiter waiter;  // ends when the wake-up has been used
    bool queued = false;
    {
      ParkingSpot spot(this);
      queued = MarkQueued(drop);
      if (queued && drop == 0) {
        spot.Add(waiter);  // (L1), (L2)
      } else if (queued) {
        spot.AddFirst(waiter);  // a newcomer was faster
      }
    }
    if (queued) {
      // Only an unwoken wait returns here: hence no wake-up is lost, and nobody
      // leaves while kWaking may be set on its account (L3).
      if (!waiter.Sleep(started)) return Take();
      drop = kBaton;
    }
    if (TakeLooking(drop)) return true;
  }
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

// Releases the lock if that takes no wake-up. If not, it is not held, or its
// release does take one: `seen`, what the word was, says which. (The word may
// change at any moment: any thread may release what we hold.)
bool Lock::ReleaseSilently(uint32_t& seen) {
  // relaxed: the exchange checks it.
  seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    if ((seen & kHeld) == 0) return false;
    uint32_t next = seen & ~kHeld;
    if ((seen & kQueued) != 0) {
      const uint32_t age = seen >> kAgeShift;
      if ((seen & kWaking) == 0 || BatonAge::IsOld(age)) return false;  // (L6)
      next = (BatonAge::Withheld(age) << kAgeShift) | kWaking | kQueued;
    }
    if (word_.compare_exchange_weak(
            seen, next, std::memory_order_acq_rel,
            std::memory_order_relaxed)) {  // [UNLOCK], [PASS]
      return true;
    }
  }
}

// Releases the lock and wakes the oldest waiter; returns false, with no spot
// held any more, if the lock is not held.
bool Lock::ReleaseWaking() {
  uint32_t seen = kFree;
  WakeList woken;
  ParkingSpot spot(this);
  if (ReleaseSilently(seen)) return true;  // changed before we had the spot
  if ((seen & kHeld) == 0) return false;
  const bool waking = spot.Wake(1, woken) == 1;                 // (L4), (L6)
  const uint32_t queued = spot.HasWaiters() ? kQueued : kFree;  // (L1)
  const uint32_t baton =
      waking ? (BatonAge::Begin() << kAgeShift) | kWaking : kFree;  // (L3)
  // With the spot held and kHeld set, nothing changes here unless another
  // thread has released the lock as well. Then we are too late: the waiter
  // comes once for nothing.
  while (!word_.compare_exchange_weak(
      seen, queued | (waking ? baton : seen & kBaton),
      std::memory_order_acq_rel,
      std::memory_order_relaxed)) {  // [UNLOCK], [PASS]
    if ((seen & kHeld) == 0) return false;
  }
  return true;
}

void Lock::UnlockSlow() {
  uint32_t seen = kFree;
  if (ReleaseSilently(seen)) return;
  if ((seen & kHeld) != 0 && ReleaseWaking()) return;
  internal::Throw(std::logic_error("Lock::unlock: the lock is not held"));
}

void Lock::AddClaimed(WakeList& claimed) {
  ParkingSpot spot(this);
  if (MarkQueued(0)) spot.AddClaimed(claimed);  // (L1), (L2)
}

std::string Lock::DebugString() const {
  const size_t waiters = internal::CountWaitersAt(this);
  return absl::StrCat("Lock(", locked() ? "locked" : "unlocked",
                      ", waiters=", waiters, ")");
}

std::ostream& operator<<(std::ostream& out, const Lock& lock) {
  return out << lock.DebugString();
}

}  // namespace heddle
