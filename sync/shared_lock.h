// SharedLock: many readers or one writer, in 4 bytes.
//
// For data that is read much more often than it changes, and read for long: for
// a few instructions a Lock is cheaper, because readers too must write the
// lock's word.
//
// Example:
//
//   SharedLock lock;
//   Table table ABSL_GUARDED_BY(lock);
//   ...
//   {
//     ReaderGuard guard(lock);
//     if (table.Has(key)) return table.Get(key);
//   }
//   LockGuard guard(lock);
//   table.Add(key, value);
//
// Fairness: eventual. A free lock goes to the first thread that asks, so that
// it is not idle while a woken thread is on its way. While others read, a
// reader waits behind a writer that waits. Waiters queue, readers and writers
// in one line, and are woken oldest first, readers that stand together one
// after the other. Once a waiter has waited for a millisecond, the next release
// hands the lock over to the oldest: neither side starves the other. A thread
// that reads must not ask to read again (behind a writer that waits for it, it
// would wait for ever), nor to write.
//
// It has the standard's shape: std::lock_guard, std::unique_lock and
// std::scoped_lock to write, std::shared_lock to read. Differences from
// std::shared_mutex: nobody starves, waits can be limited and cancelled,
// releasing what is not held throws, any thread may release. (Python has none.)
//
// Thread safety: all methods. Destroying it as soon as one has got hold of it
// and let go again is safe, also when the previous holder has not yet returned.
// Memory ordering: what a writer did is visible to all later holders, and what
// readers did to the next writer.

#ifndef HEDDLE_SYNC_SHARED_LOCK_H_
#define HEDDLE_SYNC_SHARED_LOCK_H_

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/base/optimization.h"
#include "absl/base/thread_annotations.h"
#include "heddle/sync/internal/chrono_limit.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
class ParkingSpot;
class Waiter;
class WakeList;
}  // namespace internal

class ABSL_LOCKABLE SharedLock {
 public:
  constexpr SharedLock() = default;
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

  // To write: alone. As in Lock.
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (ABSL_PREDICT_FALSE(!Take(kWriter))) Wait(kWriter);
  }
  void unlock() ABSL_UNLOCK_FUNCTION() {
    // relaxed: the exchange checks it.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    if (ABSL_PREDICT_FALSE(
            (seen & kWriter) == 0 || WakesNext(seen) ||
            !word_.compare_exchange_strong(
                seen, seen - kWriter, std::memory_order_release,
                std::memory_order_relaxed))) {  // [SHARED-UNLOCK]
      UnlockSlow(kWriter);
    }
  }
  [[nodiscard]] bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return Take(kWriter);
  }
  [[nodiscard]] bool try_lock_for(const WaitLimit& limit)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return ABSL_PREDICT_TRUE(Take(kWriter)) || Wait(kWriter, limit);
  }
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

  // To read: with others who read. Throws std::overflow_error if 2^28 - 1 read
  // already.
  void lock_shared() ABSL_SHARED_LOCK_FUNCTION() {
    if (ABSL_PREDICT_FALSE(!Take(kReader))) Wait(kReader);
  }
  // Throws std::logic_error if nobody reads.
  void unlock_shared() ABSL_UNLOCK_FUNCTION() {
    // relaxed: the exchange checks it.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    // Not the last, or nobody is to be woken.
    while (ABSL_PREDICT_TRUE(seen >= 2 * kReader ||
                             (seen >= kReader && !WakesNext(seen)))) {
      if (word_.compare_exchange_weak(
              seen, seen - kReader, std::memory_order_release,
              std::memory_order_relaxed)) {  // [SHARED-UNLOCK]
        return;
      }
    }
    UnlockSlow(kReader);
  }
  [[nodiscard]] bool try_lock_shared() ABSL_SHARED_TRYLOCK_FUNCTION(true) {
    return Take(kReader);
  }
  [[nodiscard]] bool try_lock_shared_for(const WaitLimit& limit)
      ABSL_SHARED_TRYLOCK_FUNCTION(true) {
    return ABSL_PREDICT_TRUE(Take(kReader)) || Wait(kReader, limit);
  }
  template <typename Rep, typename Period>
  [[nodiscard]] bool try_lock_shared_for(
      const std::chrono::duration<Rep, Period>& timeout)
      ABSL_SHARED_TRYLOCK_FUNCTION(true) {
    return try_lock_shared_for(sync_internal::LimitFor(timeout));
  }
  template <typename Clock, typename Duration>
  [[nodiscard]] bool try_lock_shared_until(
      const std::chrono::time_point<Clock, Duration>& deadline)
      ABSL_SHARED_TRYLOCK_FUNCTION(true) {
    return sync_internal::RetryUntil(deadline, [this](const WaitLimit& limit) {
      return try_lock_shared_for(limit);
    });
  }

  // For logs and debuggers: who holds it and how many threads wait.
  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out, const SharedLock& lock);

 private:
  // kWriter: a writer holds the lock. kQueued: threads may be queued. kWaking:
  // a waiter was woken, and is on its way. kHandOver: a waiter has waited for
  // long. From bit 4 on: the number of readers. A waiter's tag is kWriter or
  // kReader.
  //
  //   lock        queue               the last release
  //   ----        -----               ----------------
  //   free, held  -                   nothing else
  //   held        kQueued             wakes the oldest, sets kWaking
  //   free, held  kQueued, kWaking    nothing else: one is on its way
  //   held        kQueued, kHandOver  gives it to the oldest, and the readers
  //                                   behind that if it reads
  //
  //   (SHARED1) While anybody is queued, kQueued is set. Legal to be set when
  //        nobody is queued; illegal to be clear when somebody is.
  //   (SHARED2) Threads are queued, and kQueued, kWaking and kHandOver are set,
  //        only with the parking spot of this lock held; and with it alone is
  //        kQueued or kHandOver cleared. In a lock that is held with kQueued
  //        and without kWaking, only the holder of the spot takes the last hold
  //        away.
  //   (SHARED3) While the oldest in the queue could have the lock, kWaking is
  //        set: a free lock, or one that is read if the oldest reads.
  //   (SHARED4) A woken waiter clears kWaking when it takes the lock to write
  //        or queues again, in its old place; when it takes the lock to read,
  //        it wakes the next reader or clears kWaking, with the spot held. So
  //        one wake-up at a time is under way: it costs more than many holds.
  //   (SHARED5) A waiter that has been queued for a millisecond takes the lock
  //        if it can have it, whoever was woken for that; else it sets
  //        kHandOver and clears kWaking, as does one that was woken in vain
  //        after that time. Whoever was on its way comes as one more newcomer
  //        at the front: that a woken thread does not get to run keeps nobody
  //        out.
  //   [SHARED-UNLOCK] release of word_ in unlock() and unlock_shared() ->
  //        acquire where the lock is taken. The last touch of the object. (Who
  //        is handed the lock is ordered by the parking layer's [WAKE] after
  //        who handed it over, and that one by the word after the other
  //        readers.)
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kWriter = 1;
  static constexpr uint32_t kQueued = 2;
  static constexpr uint32_t kWaking = 4;
  static constexpr uint32_t kHandOver = 8;
  static constexpr uint32_t kReader = 16;
  static constexpr uint32_t kHolders = kWriter | ~(kReader - 1);
  static constexpr uint32_t kMostReaders = UINT32_MAX & ~(kReader - 1);

  // True if the last release has to see to the queue.
  static bool WakesNext(uint32_t seen) {
    return (seen & (kQueued | kWaking)) == kQueued;
  }
  // True if whoever comes may have the lock.
  static bool IsOpen(uint32_t tag, uint32_t seen) {
    return (seen & ~(kQueued | kWaking)) == 0 ||
           (tag == kReader && (seen & (kWriter | kQueued)) == 0 &&
            seen < kMostReaders);
  }
  // `drop`: kWaking for a writer that was woken, else nothing.
  bool Take(uint32_t tag, uint32_t drop = 0) {
    // relaxed: the exchange checks it.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    while (IsOpen(tag, seen)) {
      if (word_.compare_exchange_weak(
              seen, (seen + tag) & ~drop, std::memory_order_acquire,
              std::memory_order_relaxed)) {  // [SHARED-UNLOCK]
        return true;
      }
    }
    return false;
  }
  class Alarm;
  friend struct SharedLockPeer;  // of the models

  void Wait(uint32_t tag);
  bool Wait(uint32_t tag, const WaitLimit& limit);
  bool TakeWoken(uint32_t tag);
  bool TakeOrQueue(internal::Waiter& waiter, uint32_t tag, bool woken,
                   bool hand_over);
  bool TakeOvertaking(internal::Waiter& waiter, uint32_t tag);
  void Leave();
  static bool MayPass(uint32_t tag, const internal::ParkingSpot& spot);
  static uint32_t WakeNext(uint32_t holders, internal::ParkingSpot& spot,
                           internal::WakeList& woken);
  static uint32_t HandOver(internal::ParkingSpot& spot,
                           internal::WakeList& woken);
  void Settle(internal::ParkingSpot& spot, internal::WakeList& woken);
  bool Release(uint32_t tag, internal::ParkingSpot& spot,
               internal::WakeList& woken);
  void UnlockSlow(uint32_t tag);

  internal::Atomic<uint32_t> word_{kFree};
};

static_assert(sizeof(SharedLock) == 4);

// ReaderGuard: reads from here to the end of the scope. It is std::shared_lock,
// as far as a guard goes, with the annotations that clang's analysis needs.
class ABSL_SCOPED_LOCKABLE ReaderGuard {
 public:
  [[nodiscard]] explicit ReaderGuard(SharedLock& lock)
      ABSL_SHARED_LOCK_FUNCTION(lock)
      : lock_(lock) {
    lock_.lock_shared();
  }
  ReaderGuard(const ReaderGuard&) = delete;
  ReaderGuard& operator=(const ReaderGuard&) = delete;
  ~ReaderGuard() ABSL_UNLOCK_FUNCTION() { lock_.unlock_shared(); }

 private:
  SharedLock& lock_;
};

}  // namespace heddle

#endif  // HEDDLE_SYNC_SHARED_LOCK_H_
