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
// overtake one that waits. Waiters are woken oldest first, and one that was
// woken in vain stays the oldest. In a debug build (`-c dbg`) the order in which
// locks are taken is watched: see lock_order.h. Thread safety: all methods. Destroy it when nobody waits for it; that it is held does not
// matter. Destroying it as soon as one has got hold of it and let go again is
// safe, also when the previous holder has not yet returned from unlock().
// Memory ordering: what a holder did before unlock() is visible to the next
// holder.

#ifndef HEDDLE_SYNC_LOCK_H_
#define HEDDLE_SYNC_LOCK_H_

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/base/optimization.h"
#include "absl/base/thread_annotations.h"
#include "heddle/sync/internal/chrono_limit.h"
#include "heddle/sync/internal/lock_watch.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
class WakeList;
}
namespace sync_internal {
struct LockPass;
}

class ABSL_LOCKABLE Lock {
 public:
  constexpr Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
#ifdef HEDDLE_LOCK_ORDER
  ~Lock() { sync_internal::LockGone(this); }
#endif

  // Takes the lock, waiting as long as it is held.
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    sync_internal::LockWanted(this);
    if (ABSL_PREDICT_FALSE(!TakeFree())) LockSlow();
    sync_internal::LockTaken(this);
  }

  // Releases the lock. Throws std::logic_error if nobody holds it.
  void unlock() ABSL_UNLOCK_FUNCTION() {
    sync_internal::LockReleased(this);
    // relaxed: the exchange checks it.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    if (ABSL_PREDICT_FALSE(!IsReleasedSilently(seen) || !ReleaseIf(seen))) {
      UnlockSlow();
    }
  }

  // Takes the lock if it is free; never waits, and never fails for no reason.
  [[nodiscard]] bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return sync_internal::LockTakenIf(Take(), this);
  }

  // Takes the lock, waiting within `limit`. Returns false if that passed first;
  // then nothing has changed.
  [[nodiscard]] bool try_lock_for(const WaitLimit& limit)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return sync_internal::LockTakenIf(
        ABSL_PREDICT_TRUE(TakeFree()) || LockSlow(limit), this);
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

  // For logs and debuggers: whether it is held, and how many threads wait. It
  // does not know who holds it, because any thread may release it.
  std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out, const Lock& lock);

 private:
  friend class Condition;
  friend class RLock;
  friend struct sync_internal::LockPass;

  // Three bits. kHeld: somebody holds the lock. kQueued: threads may be queued,
  // who unlocks must see to them. kWaking: a waiter was woken and is on its way.
  //
  //   (L1) while anybody is queued for this lock, kQueued is set. Legal to be
  //        set when nobody is queued; illegal to be clear when somebody is.
  //   (L2) kQueued is set and cleared, and threads are queued, only with the
  //        parking spot of this lock held. kHeld is set in a free lock by
  //        whoever is first, the woken or a newcomer.
  //   (L3) kWaking is set by an unlock() that wakes the oldest waiter, and
  //        cleared by that waiter alone, when it takes the lock or queues
  //        again: a wake-up costs more than many critical sections, so there
  //        is one at a time.
  //   (L4) while threads are queued, the lock is held or kWaking is set: who
  //        unlocks with kQueued and without kWaking wakes one, or finds nobody.
  //   (L5) who passes by comes before or after each unlock(): all that changes
  //        word_ is an exchange, so whichever comes later reads what the other
  //        wrote, or what came of it.
  //   [UNLOCK] release of word_ in unlock() -> acquire in lock() and PassBy(): the
  //        critical sections in order. The release is the last touch of the
  //        object.
  //   [PASS] release of word_ in PassBy() -> acquire in unlock().
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kQueued = 2;
  static constexpr uint32_t kWaking = 4;

  // True if unlock() need not wake anybody: nobody is queued, or one is on its
  // way (L3).
  static bool IsReleasedSilently(uint32_t seen) {
    return (seen & kHeld) != 0 && (seen & (kQueued | kWaking)) != kQueued;
  }

  // Releases the lock if the word is `seen`; else sets that to what it is.
  bool ReleaseIf(uint32_t& seen) {
    return word_.compare_exchange_strong(
        seen, seen & ~kHeld, std::memory_order_acq_rel,
        std::memory_order_relaxed);  // [UNLOCK], [PASS]
  }

  // Without annotations, for use in the functions that have them: one attempt,
  // and Take() until the lock is held. `drop`: kWaking for the waiter that was
  // woken, else nothing. A look before the exchange costs nothing where nobody
  // contends, and saves one that fails where bits besides kHeld are set.
  bool TakeFree() {
    // relaxed: the exchange checks it.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    return (seen & kHeld) == 0 &&
           word_.compare_exchange_strong(
               seen, seen | kHeld, std::memory_order_acquire,
               std::memory_order_relaxed);  // [UNLOCK]
  }
  bool Take(uint32_t drop = 0) {
    // relaxed: the exchange checks it.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & kHeld) == 0) {
      if (word_.compare_exchange_weak(seen, (seen | kHeld) & ~drop,
                                      std::memory_order_acquire,
                                      std::memory_order_relaxed)) {  // [UNLOCK]
        return true;
      }
    }
    return false;
  }
  // See sync/internal/lock_pass.h.
  void PassBy() {
    word_.fetch_or(0, std::memory_order_acq_rel);  // [UNLOCK], [PASS]
  }
  bool TakeLooking(uint32_t drop);
  bool Queue(const WaitLimit& started, uint32_t drop);
  void LockSlow();
  bool LockSlow(const WaitLimit& limit);
  bool MarkQueued(uint32_t drop);
  bool ReleaseSilently();
  void UnlockSlow();

  // For Condition. LockWoken(): lock(), by a waiter that unlock() woke in this
  // lock's queue. AddClaimed(): has waiters wait for this lock instead of
  // waking them now; does nothing if it is free.
  void LockWoken();
  void AddClaimed(internal::WakeList& claimed);

  internal::Atomic<uint32_t> word_{kFree};
};

static_assert(sizeof(Lock) == 4);

}  // namespace heddle

#endif  // HEDDLE_SYNC_LOCK_H_
