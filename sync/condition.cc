#include "heddle/sync/condition.h"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "heddle/sync/internal/lock_watch.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

void Condition::lock() { rlock_ != nullptr ? rlock_->lock() : lock_.lock(); }

void Condition::unlock() {
  rlock_ != nullptr ? rlock_->unlock() : lock_.unlock();
}

bool Condition::try_lock() {
  return rlock_ != nullptr ? rlock_->try_lock() : lock_.try_lock();
}

bool Condition::try_lock_for(const WaitLimit& limit) {
  return rlock_ != nullptr ? rlock_->try_lock_for(limit)
                           : lock_.try_lock_for(limit);
}

bool Condition::locked() const {
  return rlock_ != nullptr ? rlock_->locked() : lock_.locked();
}

void Condition::CheckHeld(const char* call) const {
  if (rlock_ != nullptr ? rlock_->is_owned() : lock_.locked()) return;
  internal::Throw(std::logic_error(
      absl::StrCat(call, ": ",
                   rlock_ != nullptr ? "this thread does not hold the lock"
                                     : "nobody holds the lock")));
}

bool Condition::Wait(const WaitLimit& limit) {
  CheckHeld("Condition::Wait");
  const WaitLimit started = limit.Started();
  // Once notified, this object is not touched any more: it may be gone.
  Lock& lock = lock_;
  RLock* const rlock = rlock_;
  sync_internal::LockWantedBack(&lock);  // before anybody relies on this thread
  Waiter waiter;  // ends when a wake-up by the lock has been used
  {
    ParkingSpot spot(key());
    // relaxed: read with the lock held, which orders it (C1), (C2).
    waiting_.store(true, std::memory_order_relaxed);
    spot.Add(waiter);
  }
  if (rlock != nullptr) {
    const uint32_t count = rlock->UnlockAll();
    const bool notified = waiter.Sleep(started);
    rlock->LockAgain(count, notified && waiter.moved());
    return notified;
  }
  // If another thread has released it since, which any may: it is released.
  static_cast<void>(internal::CatchAll(
      [&lock]() ABSL_NO_THREAD_SAFETY_ANALYSIS { lock.unlock(); }));
  const bool notified = waiter.Sleep(started);
  lock.LockAgain(/*woken=*/notified && waiter.moved());
  return notified;
}

void Condition::Notify(int64_t count) {
  CheckHeld("Condition::Notify");
  // relaxed: (C1), (C2)
  if (count <= 0 || !waiting_.load(std::memory_order_relaxed)) return;
  WakeList woken;
  {
    ParkingSpot spot(key());
    spot.Wake(static_cast<size_t>(count), woken);
    // relaxed: (C2)
    if (!spot.HasWaiters()) waiting_.store(false, std::memory_order_relaxed);
  }
  lock_.AddClaimed(woken);  // (C3)
}

std::string Condition::DebugString() const {
  const size_t waiters = internal::CountWaitersAt(key());
  return absl::StrCat(
      "Condition(",
      rlock_ != nullptr ? rlock_->DebugString() : lock_.DebugString(),
      ", waiters=", waiters, ")");
}

std::ostream& operator<<(std::ostream& out, const Condition& condition) {
  return out << condition.DebugString();
}

}  // namespace heddle
