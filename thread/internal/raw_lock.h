// RawLock: the mutual exclusion underneath the parking layer.
//
// For the few places that the parking layer itself stands on (its buckets, the
// except hook, the table of threads). Everything else uses heddle::Lock, which
// parks its waiters and can therefore be cancelled, explained and explored.
// Critical sections are a few instructions long and run no code of a user's:
// each is a window (window.h).

#ifndef HEDDLE_THREAD_INTERNAL_RAW_LOCK_H_
#define HEDDLE_THREAD_INTERNAL_RAW_LOCK_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/window.h"

namespace heddle {
namespace internal {

class ABSL_LOCKABLE RawLock {
 public:
  constexpr RawLock() = default;
  RawLock(const RawLock&) = delete;
  RawLock& operator=(const RawLock&) = delete;

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    EnterWindow();
    uint32_t expected = kFree;
    if (word_.compare_exchange_strong(expected, kHeld,
                                      std::memory_order_acquire,
                                      std::memory_order_relaxed)) {  // [UNLOCK]
      return;
    }
    LockSlow();
  }

  void unlock() ABSL_UNLOCK_FUNCTION() {
    // [UNLOCK]; the exchange is the last touch of this object.
    if (word_.exchange(kFree, std::memory_order_release) == kContended)
      WakeOne();
    LeaveWindow();
  }

  // Makes it free, whoever held it. For the child of a fork(): see at_fork.h.
  void ResetInChild() {
    // relaxed, both: there is one thread. What is free is not written, which
    // would cost the child a page.
    if (word_.load(std::memory_order_relaxed) != kFree)
      word_.store(kFree, std::memory_order_relaxed);
  }

 private:
  // | word_      | meaning                                              |
  // |------------|------------------------------------------------------|
  // | kFree      | nobody holds it                                      |
  // | kHeld      | held; nobody sleeps on the word                      |
  // | kContended | held; threads may sleep, unlock() must wake one      |
  //
  //   (L1) a thread sleeps only on the value kContended, which it or a
  //        neighbour stored; unlock() replaces the value and wakes one sleeper.
  //   (L2) who has slept takes the lock as kContended, because it cannot know
  //        whether others still sleep. So while anybody sleeps, the word is
  //        kContended or a thread that woke is on its way to make it so, and a
  //        newcomer that never slept may take the lock as kHeld.
  //   [UNLOCK] release exchange in unlock() -> acquire exchange (or
  //        compare-exchange) in lock(): the critical sections in order.
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kContended = 2;

  void LockSlow();
  void WakeOne();

  Atomic<uint32_t> word_{kFree};
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_RAW_LOCK_H_
