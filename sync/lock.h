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
// Fairness: a thread that comes at the right moment may overtake one that
// waits, again and again if it takes the lock anew at once: the lock is never
// handed over, because the receiver would hold it until it gets to run. Waiters
// are woken oldest first, one at a time, and one that was woken in vain waits
// on in the first place. A woken thread that does not get to run holds up the
// others for a millisecond at most while the lock is in use: an unlock() after
// that time wakes the next waiter. If nobody takes and releases the lock any
// more, the others wait until the woken thread has run.
//
// In a debug build (`-c dbg`) the order in which locks are taken is watched:
// see lock_order.h.
//
// Thread safety: all methods. May be destroyed while held, but not while a
// thread waits for it. A thread that acquired and released the lock may destroy
// it at once, even if the previous holder is still inside unlock().
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
  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out, const Lock& lock);

 private:
  friend class Condition;
  friend class RLock;
  friend struct sync_internal::LockPass;

  // | bits of word_ | meaning                                              |
  // |---------------|------------------------------------------------------|
  // | kHeld         | a thread holds the lock                              |
  // | kQueued       | threads may be queued: unlock() has to see to them   |
  // | kWaking       | the waiter that was woken last has not come yet      |
  // | the other 29  | with kWaking, the age of that wake-up; else zero     |
  //
  // | held, and       | unlock()                                           |
  // |-----------------|----------------------------------------------------|
  // | neither         | clears kHeld                                       |
  // | kWaking         | clears kHeld                                       |
  // | kQueued         | wakes the oldest waiter, sets kWaking              |
  // | kQueued,kWaking | clears kHeld and counts; if the wake-up is old,    |
  // |                 | wakes the next waiter, and kWaking is about that   |
  //
  //   (L1) while anybody is queued for this lock, kQueued is set. Legal to be
  //        set when nobody is queued; illegal to be clear when somebody is.
  //   (L2) kQueued is set and cleared, and threads are queued and woken, only
  //        with the parking spot of this lock held. kHeld is set in a free lock
  //        by the first to come, a woken waiter or a newcomer.
  //   (L3) kWaking is set by an unlock() that wakes a waiter, under the same
  //        hold of the spot. A woken waiter clears it when it takes the lock or
  //        queues again, whether it was set for this waiter or for one that was
  //        woken later. So while kWaking is set, the waiter that was woken last
  //        has not come. Legal to be clear while woken waiters are on their
  //        way; illegal to be set once the last of them has come.
  //   (L4) while threads are queued, the lock is held or kWaking is set:
  //        kWaking is cleared only together with a step that leaves the lock
  //        held, and an unlock() that finds kQueued without kWaking wakes one
  //        waiter, or finds that there is none.
  //   (L5) PassBy() comes before or after each unlock(): all that changes word_
  //        is a read-modify-write, so the later one reads what the other wrote,
  //        or what came of it.
  //   (L6) a wake-up is not waited for longer than BatonAge says: an unlock()
  //        that finds kQueued and an old kWaking wakes the next waiter. So no
  //        waiter depends on one that does not run, but for unlock()s to come.
  //   [UNLOCK] release of word_ in unlock() -> acquire in lock() and PassBy(): the
  //        critical sections in order. The release is the last touch of the
  //        object.
  //   [PASS] release of word_ in PassBy() -> acquire in unlock().
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kQueued = 2;
  static constexpr uint32_t kWaking = 4;
  static constexpr int kAgeShift = 3;
  static constexpr uint32_t kBaton = ~(kHeld | kQueued);  // kWaking and its age

  // True if unlock() has nobody to see to.
  static bool IsReleasedSilently(uint32_t seen) {
    return (seen & (kHeld | kQueued)) == kHeld;
  }

  // Releases the lock if the word is `seen`; else sets that to what it is.
  bool ReleaseIf(uint32_t& seen) {
    return word_.compare_exchange_strong(
        seen, seen & ~kHeld, std::memory_order_acq_rel,
        std::memory_order_relaxed);  // [UNLOCK], [PASS]
  }

  // Without annotations, for use in the functions that have them: one attempt,
  // and Take() until the lock is held. `drop`: kBaton for a waiter that was
  // woken (L3), else nothing. A look before the exchange costs nothing where
  // nobody contends, and saves one that fails where bits besides kHeld are set.
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
  // See sync/internal/lock_pass.h. A compiler that sees that nothing changes
  // may emit no read-modify-write: clang emits nothing at all for x86, unless
  // it is sequentially consistent (llvm-project#101551). So it must not see
  // that.
  void PassBy() {
    uint32_t nothing = 0;
    asm("" : "+r"(nothing));
    word_.fetch_or(nothing, std::memory_order_acq_rel);  // [UNLOCK], [PASS]
  }
  bool TakeLooking(uint32_t drop);
  bool Queue(const WaitLimit& started, uint32_t drop);
  void LockSlow();
  bool LockSlow(const WaitLimit& limit);
  bool MarkQueued(uint32_t drop);
  bool ReleaseSilently(uint32_t& seen);
  bool ReleaseWaking();
  void UnlockSlow();

  // For Condition. LockAgain(): lock(), by a thread that had it and said that
  // it is LockWantedBack(); with `woken`, unlock() woke it in this lock's
  // queue. AddClaimed(): has waiters wait for this lock instead of waking them
  // now; does nothing if it is free.
  void LockAgain(bool woken);
  void AddClaimed(internal::WakeList& claimed);

  internal::Atomic<uint32_t> word_{kFree};
};

static_assert(sizeof(Lock) == 4);

}  // namespace heddle

#endif  // HEDDLE_SYNC_LOCK_H_
