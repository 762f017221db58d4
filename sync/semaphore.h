// Semaphore: a number of units that threads take and give back; 8 bytes.
//
// Acquire() takes a unit, waiting while there is none; Release() gives some
// back. Any thread may release, also one that never acquired: a Semaphore(0)
// counts what one side has made ready for the other. A BoundedSemaphore is one
// that refuses to hold more than it began with, which finds the Release() that
// is one too many.
//
// Example: at most eight downloads at a time.
//
//   BoundedSemaphore slots(8);
//   ...
//   std::lock_guard slot(slots);  // a semaphore has lock() and unlock()
//   Download(url);
//
// A unit that is released while threads wait goes to the one that has waited
// longest, there and then: nobody overtakes it, and its limit can no longer end
// its wait. Release(n) serves n threads. (Python: threading.Semaphore and
// BoundedSemaphore. There a late arrival may overtake a woken thread.)
//
// Thread safety: all methods, but none from a signal handler (sem_post() is for
// those). Destroying the semaphore as soon as an Acquire() has returned true is
// safe, also when the Release() that it waited for has not yet returned. Memory
// ordering: what came before a Release() is visible after the Acquire() that
// takes a unit of it.

#ifndef HEDDLE_SYNC_SEMAPHORE_H_
#define HEDDLE_SYNC_SEMAPHORE_H_

#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class Semaphore {
 public:
  // With `value` units. Throws std::invalid_argument if it is negative.
  constexpr explicit Semaphore(int64_t value = 1)
      : word_(value >= 0 ? value : ThrowNegative()) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // Takes a unit, waiting for one within `limit`. Returns false if that passed
  // first; then nothing has changed. A unit that is there is taken at once,
  // whatever the limit.
  [[nodiscard]] bool Acquire(const WaitLimit& limit) {
    return TryAcquire() || Await(limit);
  }
  bool Acquire() {
    if (ABSL_PREDICT_FALSE(!TryAcquire())) Await();
    return true;
  }

  // Takes a unit if there is one; never waits, and never fails for no reason.
  [[nodiscard]] bool TryAcquire() {
    // relaxed: the exchange checks it.
    int64_t seen = word_.load(std::memory_order_relaxed);
    while (seen > 0) {
      if (word_.compare_exchange_weak(
              seen, seen - 1, std::memory_order_acquire,
              std::memory_order_relaxed)) {  // [RELEASE]
        return true;
      }
    }
    return false;
  }

  // Gives back `count` units. Throws, and changes nothing, std::invalid_argument
  // if `count` is less than one, std::overflow_error if the value would pass
  // 2^63 - 1.
  void Release(int64_t count = 1) { ReleaseUpTo({kMax, false}, count); }

  // How many units there are now. Advisory: it may change at any time.
  [[nodiscard]] int64_t value() const {
    // relaxed: no promise.
    const int64_t seen = word_.load(std::memory_order_relaxed);
    return seen > 0 ? seen : 0;
  }

  // The standard's shape, for std::lock_guard and its kin.
  void lock() { Acquire(); }
  [[nodiscard]] bool try_lock() { return TryAcquire(); }
  void unlock() { Release(); }

  // For logs and debuggers: the value and how many threads wait.
  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out,
                                  const Semaphore& semaphore);

 private:
  friend class BoundedSemaphore;

  // | word_   | meaning                                                      |
  // |---------|--------------------------------------------------------------|
  // | n > 0   | n units; nobody is queued                                    |
  // | 0       | no unit; nobody is queued                                    |
  // | kQueued | no unit; threads may be queued, who releases must look       |
  //
  //   (S1) while anybody is queued, the word is kQueued. Legal to be kQueued
  //        when nobody is queued; illegal not to be when somebody is.
  //   (S2) the word becomes kQueued, or something else again, and threads are
  //        queued, only with the parking spot of this semaphore held.
  //   (S3) a unit that is released while somebody is queued is never in the
  //        word: it is handed over by the wake-up.
  //   [RELEASE] release of word_ in Release() -> acquire in TryAcquire() and
  //        Await(). It is the last touch of the object. (What is handed over is
  //        ordered by the parking layer's [WAKE].)
  static constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  static constexpr int64_t kQueued = -1;
  static constexpr int64_t kServed = -1;  // no value

  [[noreturn]] static int64_t ThrowNegative();
  void Await();
  bool Await(const WaitLimit& limit);

  // What the value may not pass, and whether that is a BoundedSemaphore's.
  struct Bound {
    int64_t most;
    bool is_given;
  };

  // Releases `count`, unless the value would pass the bound.
  void ReleaseUpTo(const Bound& bound, int64_t count) {
    // relaxed: the exchange checks it.
    int64_t seen = word_.load(std::memory_order_relaxed);
    while (ABSL_PREDICT_TRUE(seen >= 0 && count > 0 &&
                             count <= bound.most - seen)) {
      if (word_.compare_exchange_weak(
              seen, seen + count, std::memory_order_release,
              std::memory_order_relaxed)) {  // [RELEASE]
        return;
      }
    }
    ReleaseSlow(bound, count);
  }
  void ReleaseSlow(const Bound& bound, int64_t count);
  int64_t Serve(const Bound& bound, int64_t count);
  [[noreturn]] static void ThrowRefused(const Bound& bound, int64_t value,
                                        int64_t count);

  internal::Atomic<int64_t> word_;
};

static_assert(sizeof(Semaphore) == 8);

class BoundedSemaphore {
 public:
  // With `value` units, and never more. Throws std::invalid_argument if it is
  // negative.
  constexpr explicit BoundedSemaphore(int64_t value = 1)
      : semaphore_(value), bound_(value) {}

  // All as in Semaphore.
  [[nodiscard]] bool Acquire(const WaitLimit& limit) {
    return semaphore_.Acquire(limit);
  }
  bool Acquire() { return semaphore_.Acquire(); }
  [[nodiscard]] bool TryAcquire() { return semaphore_.TryAcquire(); }
  [[nodiscard]] int64_t value() const { return semaphore_.value(); }
  void lock() { Acquire(); }
  [[nodiscard]] bool try_lock() { return TryAcquire(); }
  void unlock() { Release(); }

  // Gives back `count` units. Throws, and changes nothing, std::invalid_argument
  // if `count` is less than one or there would be more units than at first.
  void Release(int64_t count = 1) {
    semaphore_.ReleaseUpTo({bound_, true}, count);
  }

  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out,
                                  const BoundedSemaphore& semaphore);

 private:
  Semaphore semaphore_;
  const int64_t bound_;
};

static_assert(sizeof(BoundedSemaphore) == 16);

}  // namespace heddle

#endif  // HEDDLE_SYNC_SEMAPHORE_H_
