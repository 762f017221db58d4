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
// It is fair: who must wait queues, readers and writers in one line, and is
// served in that order. So neither starves the other: a reader that comes while
// a writer waits waits behind it. Hence a thread that reads must not ask to read
// again (behind a writer that waits for it, it would wait for ever), nor to
// write.
//
// It has the standard's shape: std::lock_guard, std::unique_lock and
// std::scoped_lock to write, std::shared_lock to read. Differences from
// std::shared_mutex: order is promised, waits can be limited and cancelled,
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
class WakeList;
}  // namespace internal

class ABSL_LOCKABLE SharedLock {
 public:
  constexpr SharedLock() = default;
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

  // To write: alone. As in Lock.
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (ABSL_PREDICT_FALSE(!TakeToWrite())) Queue(kWriter);
  }
  void unlock() ABSL_UNLOCK_FUNCTION() {
    uint32_t expected = kWriter;
    if (ABSL_PREDICT_FALSE(!word_.compare_exchange_strong(
            expected, kFree, std::memory_order_release,
            std::memory_order_relaxed))) {  // [UNLOCK]
      UnlockSlow();
    }
  }
  [[nodiscard]] bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return TakeToWrite();
  }
  [[nodiscard]] bool try_lock_for(const WaitLimit& limit)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return ABSL_PREDICT_TRUE(TakeToWrite()) || Queue(kWriter, limit);
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

  // To read: with others who read. Throws std::overflow_error if 2^30 - 1 read
  // already.
  void lock_shared() ABSL_SHARED_LOCK_FUNCTION() {
    if (ABSL_PREDICT_FALSE(!TakeToRead())) Queue(kReader);
  }
  // Throws std::logic_error if nobody reads.
  void unlock_shared() ABSL_UNLOCK_FUNCTION() {
    // relaxed: the exchange checks it.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    // Not the last, or nobody waits.
    while (ABSL_PREDICT_TRUE(seen >= 2 * kReader || seen == kReader)) {
      if (word_.compare_exchange_weak(seen, seen - kReader,
                                      std::memory_order_release,
                                      std::memory_order_relaxed)) {  // [UNLOCK]
        return;
      }
    }
    UnlockSharedSlow();
  }
  [[nodiscard]] bool try_lock_shared() ABSL_SHARED_TRYLOCK_FUNCTION(true) {
    return TakeToRead();
  }
  [[nodiscard]] bool try_lock_shared_for(const WaitLimit& limit)
      ABSL_SHARED_TRYLOCK_FUNCTION(true) {
    return ABSL_PREDICT_TRUE(TakeToRead()) || Queue(kReader, limit);
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
  std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out, const SharedLock& lock);

 private:
  // kWriter: somebody writes. kQueued: threads may be queued. From bit 2 on: the
  // number of those who read. A waiter's tag is kWriter or kReader.
  //
  //   (H1) while anybody is queued, kQueued is set. Legal to be set when nobody
  //        is queued; illegal to be clear when somebody is.
  //   (H2) kQueued changes and threads are queued only with the parking spot of
  //        this lock held. While it is set, only who holds the spot gives the
  //        lock to anybody or takes the last hold away: newcomers queue.
  //   (H3) when the spot is released, the oldest in the queue cannot have the
  //        lock: it is a writer and the lock is held, or a reader and a writer
  //        has it. Who makes that untrue (the last to let go, or the oldest
  //        that leaves at its limit) hands the lock over, see Serve().
  //   [UNLOCK] release of word_ in unlock() and unlock_shared() -> acquire in
  //        lock() and lock_shared(). The last touch of the object. (Who is
  //        handed the lock is ordered by the parking layer's [WAKE] after who
  //        handed it over, and that one by the word after the other readers.)
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kWriter = 1;
  static constexpr uint32_t kQueued = 2;
  static constexpr uint32_t kReader = 4;
  static constexpr uint32_t kMostReaders = UINT32_MAX & ~(kReader - 1);

  bool TakeToWrite() {
    uint32_t expected = kFree;
    return word_.compare_exchange_strong(
        expected, kWriter, std::memory_order_acquire,
        std::memory_order_relaxed);  // [UNLOCK]
  }
  bool TakeToRead() {
    // relaxed: the exchange checks it.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & (kWriter | kQueued)) == 0 && seen < kMostReaders) {
      if (word_.compare_exchange_weak(seen, seen + kReader,
                                      std::memory_order_acquire,
                                      std::memory_order_relaxed)) {  // [UNLOCK]
        return true;
      }
    }
    return false;
  }
  void Queue(uint32_t tag);
  bool Queue(uint32_t tag, const WaitLimit& limit);
  bool TakeOrMark(uint32_t tag);
  void Leave();
  void UnlockSlow();
  void UnlockSharedSlow();
  static uint32_t Serve(uint32_t word, internal::ParkingSpot& spot,
                        internal::WakeList& woken);

  internal::Atomic<uint32_t> word_{kFree};
};

static_assert(sizeof(SharedLock) == 4);

// ReaderGuard: reads from here to the end of the scope. It is std::shared_lock,
// as far as a guard goes, with the annotations that clang's analysis needs.
class ABSL_SCOPED_LOCKABLE ReaderGuard {
 public:
  explicit ReaderGuard(SharedLock& lock) ABSL_SHARED_LOCK_FUNCTION(lock)
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
