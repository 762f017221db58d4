// Lock: mutual exclusion, in four bytes.
//
// One thread holds it at a time. It is not recursive: taking it again in the
// same thread waits for ever, or until the limit. Any thread may release it, so
// it can be handed from thread to thread; releasing it when nobody holds it is
// an error.
//
// Example:
//
//   Lock lock;
//   std::map<int, Order> orders ABSL_GUARDED_BY(lock);
//   ...
//   {
//     LockGuard guard(lock);  // heddle/thread/lock_guard.h
//     orders.erase(id);
//   }
//   if (lock.try_lock_for({absl::Seconds(1), stop_token})) {
//     ...
//     lock.unlock();
//   }
//
// It has the standard's shape (*Lockable*, *TimedLockable*): std::lock_guard,
// std::unique_lock and std::scoped_lock work. Differences from std::mutex:
// unlock by another thread is allowed, unlock of a free lock throws, a wait can
// be limited and cancelled, and clang checks ABSL_GUARDED_BY members. (Python:
// threading.Lock, where locked() has the same name.)
//
// Fairness: none is promised; a thread that comes at the right moment may
// overtake one that waits. Waiters are woken oldest first. Thread safety: all
// methods. Destroy it when nobody waits for it; that it is held does not
// matter. Destroying it as soon as one has got hold of it and let go again is
// safe, also when the previous holder has not yet returned from unlock().
// Memory ordering: what a holder did before unlock() is visible to the next
// holder.

#ifndef HEDDLE_SYNC_LOCK_H_
#define HEDDLE_SYNC_LOCK_H_

#include <chrono>
#include <cstdint>

#include "absl/base/optimization.h"
#include "absl/base/thread_annotations.h"
#include "heddle/sync/internal/chrono_limit.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class ABSL_LOCKABLE Lock {
 public:
  constexpr Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Takes the lock, waiting as long as it is held.
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (ABSL_PREDICT_FALSE(!TakeFree())) LockSlow(WaitLimit());
  }

  // Releases the lock. Throws std::logic_error if nobody holds it.
  void unlock() ABSL_UNLOCK_FUNCTION() {
    uint32_t expected = kHeld;
    if (ABSL_PREDICT_FALSE(!word_.compare_exchange_strong(
            expected, kFree, std::memory_order_release,
            std::memory_order_relaxed))) {  // [UNLOCK]
      UnlockSlow();
    }
  }

  // Takes the lock if it is free; never waits, and never fails for no reason.
  [[nodiscard]] bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return Take();
  }

  // Takes the lock, waiting within `limit`. Returns false if that passed first;
  // then nothing has changed.
  [[nodiscard]] bool try_lock_for(const WaitLimit& limit)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return ABSL_PREDICT_TRUE(TakeFree()) || LockSlow(limit);
  }

  // The standard's timed forms. NaN counts as passed, and every other value
  // saturates. A time point of a clock that is set back and forth is looked at
  // again when the wait ends.
  template <typename Rep, typename Period>
  [[nodiscard]] bool try_lock_for(
      const std::chrono::duration<Rep, Period>& timeout)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return try_lock_for(sync_internal::LimitFor(timeout));
  }
  template <typename Clock, typename Duration>
  [[nodiscard]] bool try_lock_until(
      const std::chrono::time_point<Clock, Duration>& deadline)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return sync_internal::RetryUntil(deadline, [this](const WaitLimit& limit) {
      return try_lock_for(limit);
    });
  }

  // True if any thread holds the lock. Advisory: it may change at any time.
  [[nodiscard]] bool locked() const {
    // relaxed: no promise.
    return (word_.load(std::memory_order_relaxed) & kHeld) != 0;
  }

 private:
  // | word_           | meaning                                          |
  // |-----------------|--------------------------------------------------|
  // | kFree           | free; nobody is queued                           |
  // | kHeld           | held; nobody is queued                           |
  // | kHeld | kQueued | held; threads may be queued, unlock must look    |
  // | kQueued         | free; the one who was woken, or a newcomer, may  |
  // |                 | take it                                          |
  //
  //   (L1) while anybody is queued for this lock, kQueued is set. Legal to be
  //        set when nobody is queued; illegal to be clear when somebody is.
  //   (L2) kQueued is set and cleared, and threads are queued, only with the
  //        parking spot of this lock held; and so is kHeld cleared while
  //        kQueued is set.
  //   (L3) who unlocks while kQueued is set wakes the oldest waiter, if any; so
  //        while threads are queued, the lock is held or one of them is on its
  //        way to it.
  //   [UNLOCK] release of word_ in unlock() -> acquire in lock(): the critical
  //        sections in order. The release is the last touch of the object.
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kQueued = 2;

  // Without annotations, for use in the functions that have them: TakeFree() is
  // for the case that is fast, Take() also gets a lock that others are queued
  // for.
  bool TakeFree() {
    uint32_t expected = kFree;
    return word_.compare_exchange_strong(
        expected, kHeld, std::memory_order_acquire,
        std::memory_order_relaxed);  // [UNLOCK]
  }
  bool Take() {
    uint32_t seen = word_.load(
        std::memory_order_relaxed);  // relaxed: the exchange checks it
    while ((seen & kHeld) == 0) {
      if (word_.compare_exchange_weak(seen, seen | kHeld,
                                      std::memory_order_acquire,
                                      std::memory_order_relaxed)) {  // [UNLOCK]
        return true;
      }
    }
    return false;
  }
  bool LockSlow(const WaitLimit& limit);
  bool MarkQueued();
  void UnlockSlow();

  internal::Atomic<uint32_t> word_{kFree};
};

static_assert(sizeof(Lock) == 4);

}  // namespace heddle

#endif  // HEDDLE_SYNC_LOCK_H_
