#include "heddle/sync/shared_lock.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "heddle/sync/internal/patience.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::Deadline;
using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

namespace {

// As in Lock: the first look comes after so many pauses.
constexpr int kFirstLook = 8;

// The message of a release to those it gives the lock to. The others that are
// woken have yet to take it.
constexpr uint32_t kHandedOver = 1;

}  // namespace

// Rings when its waiter has waited for long, and then ever more rarely.
class SharedLock::Alarm final : public internal::WaiterAlarm {
 public:
  Alarm(SharedLock& lock, uint32_t tag)
      : WaiterAlarm(Deadline::After(sync_internal::patience_nanos)),
        lock_(lock),
        tag_(tag) {}

  void set_waiter(Waiter& waiter) { waiter_ = &waiter; }
  bool has_taken() const { return has_taken_; }
  bool IsOverdue() const { return is_overdue_ || due().HasPassed(); }

  void Ring() override {
    is_overdue_ = true;
    has_taken_ = lock_.TakeOvertaking(*waiter_, tag_);
    pause_ *= 2;
    set_due(has_taken_ ? Deadline::Never() : Deadline::After(pause_));
  }

 private:
  SharedLock& lock_;
  const uint32_t tag_;
  Waiter* waiter_ = nullptr;
  int64_t pause_ = sync_internal::patience_nanos;
  bool is_overdue_ = false;
  bool has_taken_ = false;
};

void SharedLock::Wait(uint32_t tag) { Wait(tag, WaitLimit()); }

bool SharedLock::Wait(uint32_t tag, const WaitLimit& limit) {
  const WaitLimit started = limit.Started();
  if (started.deadline().IsPast()) return false;
  // The holder may be about to let go: a short look costs less than a sleep.
  const auto take = [this, tag] { return Take(tag); };
  if (internal::LookMoreRarely(kFirstLook, take)) return true;
  Alarm alarm(*this, tag);
  bool woken = false;
  do {
    Waiter waiter(tag);
    alarm.set_waiter(waiter);
    if (TakeOrQueue(waiter, tag, woken, woken && alarm.IsOverdue()))
      return true;
    const bool called = waiter.Sleep(started, /*has_looked=*/false, &alarm);
    if (alarm.has_taken()) return true;
    if (!called) {
      Leave();
      return Take(tag);
    }
    if (waiter.message() == kHandedOver) return true;
    woken = true;
  } while (!TakeWoken(tag));
  return true;
}

// By a waiter that was woken: (SHARED4).
bool SharedLock::TakeWoken(uint32_t tag) {
  const auto take = [this, tag] {
    return Take(tag, tag == kWriter ? kWaking : 0);
  };
  if (!take() && !internal::LookMoreRarely(kFirstLook, take)) return false;
  if (tag == kReader) {
    WakeList woken;
    ParkingSpot spot(this);
    Settle(spot, woken);
  }
  return true;
}

// Takes the lock, or queues; a waiter that was `woken` does so at the front.
bool SharedLock::TakeOrQueue(Waiter& waiter, uint32_t tag, bool woken,
                             bool hand_over) {
  bool full = false;
  {
    WakeList next_woken;
    ParkingSpot spot(this);
    const bool passes = woken || MayPass(tag, spot);
    // relaxed: the exchange checks it, or (SHARED2).
    uint32_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      const bool mine = IsOpen(tag, passes ? seen & kHolders : seen);
      full = tag == kReader && !mine && !woken && (seen & kWriter) == 0 &&
             seen >= kMostReaders;
      if (full) break;
      uint32_t next = seen + tag;
      if (!mine) {
        next = seen | kQueued;
        if (woken) next &= ~kWaking;
        if (hand_over) next |= kHandOver;
      }
      if (!word_.compare_exchange_weak(
              seen, next, std::memory_order_acquire,
              std::memory_order_relaxed)) {  // [SHARED-UNLOCK]
        continue;
      }
      if (!mine) {
        woken ? spot.AddFirst(waiter) : spot.Add(waiter);  // (SHARED1)
        return false;
      }
      if (woken || !spot.HasWaiters()) Settle(spot, next_woken);
      return true;
    }
  }
  internal::Throw(std::overflow_error(
      "SharedLock::lock_shared: 2^28 - 1 readers have the lock"));
}

// A waiter that has waited for long takes the lock if it may, whoever was woken
// for it; else it has it handed over: (SHARED5).
bool SharedLock::TakeOvertaking(Waiter& waiter, uint32_t tag) {
  WakeList woken;
  ParkingSpot spot(this);
  if (!spot.Has(waiter)) return false;  // woken by now
  const bool passes = MayPass(tag, spot);
  // relaxed: the exchange checks it.
  uint32_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const bool mine = IsOpen(tag, passes ? seen & kHolders : seen);
    const uint32_t next = mine ? seen + tag : (seen | kHandOver) & ~kWaking;
    if (!word_.compare_exchange_weak(
            seen, next, std::memory_order_acquire,
            std::memory_order_relaxed)) {  // [SHARED-UNLOCK]
      continue;
    }
    if (mine) {
      spot.Withdraw(waiter);
      Settle(spot, woken);
    }
    return mine;
  }
}

// While others read, a reader waits behind a writer, but not behind readers.
bool SharedLock::MayPass(uint32_t tag, const ParkingSpot& spot) {
  return tag == kReader && spot.OldestTag().value_or(kReader) == kReader;
}

// A waiter whose limit has passed may have been the oldest: a writer, for
// example, behind whom readers waited to read with those who do.
void SharedLock::Leave() {
  WakeList woken;
  ParkingSpot spot(this);
  // relaxed: the bits of the queue are this spot's (SHARED2).
  uint32_t seen = word_.load(std::memory_order_relaxed);
  if (WakesNext(seen)) return Settle(spot, woken);  // held until we leave
  while ((seen & kQueued) != 0 && !spot.HasWaiters() &&
         !word_.compare_exchange_weak(seen, seen & ~kQueued,
                                      std::memory_order_relaxed)) {
  }
}

// Wakes the oldest if it can have the lock when that is held by `holders`.
// Returns what the word says of the queue then.
uint32_t SharedLock::WakeNext(uint32_t holders, ParkingSpot& spot,
                              WakeList& woken) {
  uint32_t waking = 0;
  while (const std::optional<uint32_t> tag = spot.OldestTag()) {
    if (waking != 0 || !IsOpen(*tag, holders)) return waking | kQueued;
    if (spot.WakeOldest(woken)) waking = kWaking;  // else it has just given up
  }
  return waking;
}

// Gives a lock that nobody holds to the oldest, and to the readers behind it if
// it reads. Returns the word.
uint32_t SharedLock::HandOver(ParkingSpot& spot, WakeList& woken) {
  woken.set_message(kHandedOver);
  uint32_t holders = kFree;
  while (const std::optional<uint32_t> tag = spot.OldestTag()) {
    if (!IsOpen(*tag, holders)) return holders | kQueued;
    if (spot.WakeOldest(woken)) holders += *tag;
  }
  return holders;
}

// Restores (SHARED3) in a lock that stays held, to write or to read, while this
// thread has the spot.
void SharedLock::Settle(ParkingSpot& spot, WakeList& woken) {
  // relaxed throughout: nothing is taken or released here. An exchange keeps
  // what others released.
  uint32_t seen = word_.load(std::memory_order_relaxed);
  const uint32_t queue = WakeNext(seen & kHolders, spot, woken);
  uint32_t next = 0;
  do {
    next = (seen & kHolders) | queue;
    if (queue == kQueued) next |= seen & kHandOver;
  } while (!word_.compare_exchange_weak(seen, next, std::memory_order_relaxed));
}

// With the spot: takes a hold away. False, changing nothing, if there is none.
bool SharedLock::Release(uint32_t tag, ParkingSpot& spot, WakeList& woken) {
  // acquire: what the other readers did, for the writer who is next.
  uint32_t seen = word_.load(std::memory_order_acquire);  // [SHARED-UNLOCK]
  for (;;) {
    if (tag == kWriter ? (seen & kWriter) == 0 : seen < kReader) return false;
    if (seen < 2 * kReader && WakesNext(seen)) break;
    if (word_.compare_exchange_weak(
            seen, seen - tag, std::memory_order_release,
            std::memory_order_acquire)) {  // [SHARED-UNLOCK]
      return true;
    }
  }
  // Nobody else changes the word before the store: (SHARED2).
  const bool hand_over = (seen & kHandOver) != 0;
  word_.store(hand_over ? HandOver(spot, woken) : WakeNext(kFree, spot, woken),
              std::memory_order_release);  // [SHARED-UNLOCK]
  return true;
}

void SharedLock::UnlockSlow(uint32_t tag) {
  {
    WakeList woken;
    ParkingSpot spot(this);
    if (Release(tag, spot, woken)) return;
  }
  internal::Throw(std::logic_error(
      tag == kWriter ? "SharedLock::unlock: nobody writes"
                     : "SharedLock::unlock_shared: nobody reads"));
}

std::string SharedLock::DebugString() const {
  uint32_t word = 0;
  size_t waiters = 0;
  {
    const ParkingSpot spot(this);
    // relaxed: a snapshot.
    word = word_.load(std::memory_order_relaxed);
    waiters = spot.CountWaiters();
  }
  return absl::StrCat("SharedLock(",
                      (word & kWriter) != 0 ? "one writer"
                      : word >= kReader
                          ? absl::StrCat("readers=", word / kReader)
                          : "unlocked",
                      ", waiters=", waiters, ")");
}

std::ostream& operator<<(std::ostream& out, const SharedLock& lock) {
  return out << lock.DebugString();
}

}  // namespace heddle
