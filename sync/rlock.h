// RLock: a lock that the thread that holds it may take again, in 12 bytes.
//
// The thread that holds it takes it again at once, as often as it likes, and
// releases it as often. Nobody else may release it. Prefer a Lock where one
// function does not call another under the same lock: it is smaller, and clang
// can check its use.
//
// Example:
//
//   class Tree {
//    public:
//     void Add(Node node) {
//       std::lock_guard guard(lock_);  // also when called by AddAll()
//       ...
//     }
//     void AddAll(std::vector<Node> nodes) {
//       std::lock_guard guard(lock_);
//       for (Node& node : nodes) Add(std::move(node));
//     }
//    private:
//     RLock lock_;
//   };
//
// It has the standard's shape: std::lock_guard, std::unique_lock and
// std::scoped_lock work. Differences from std::recursive_mutex: release by
// another thread, or when nobody holds it, throws and changes nothing; waits can
// be limited and cancelled. Clang's analysis knows no recursion: it warns where
// one function takes the lock twice, and finds nothing across functions.
// (Python: threading.RLock. locked(), is_owned() and recursion_count() are its
// locked(), _is_owned() and _recursion_count().)
//
// Fairness, destruction, debug builds: as Lock. Thread safety: all methods.
// Memory ordering: what a holder did before its last unlock() is visible to the
// next holder.

#ifndef HEDDLE_SYNC_RLOCK_H_
#define HEDDLE_SYNC_RLOCK_H_

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/base/optimization.h"
#include "absl/base/thread_annotations.h"
#include "heddle/sync/internal/chrono_limit.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class ABSL_LOCKABLE RLock {
 public:
  constexpr RLock() = default;
  RLock(const RLock&) = delete;
  RLock& operator=(const RLock&) = delete;

  // Takes the lock, waiting as long as another thread holds it. Throws
  // std::overflow_error if this thread has taken it 2^32 - 1 times already.
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    const uint32_t self = Self();
    if (TakeAgain(self)) return;
    lock_.lock();
    Begin(self);
  }

  // Undoes one lock() of this thread; the last one releases the lock. Throws
  // std::logic_error if this thread does not hold it.
  void unlock() ABSL_UNLOCK_FUNCTION() {
    if (ABSL_PREDICT_FALSE(!is_owned())) ThrowNotOwned("RLock::unlock");
    if (--count_ == 0) End();
  }

  // Takes the lock unless another thread holds it; never waits.
  [[nodiscard]] bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    const uint32_t self = Self();
    return TakeAgain(self) || (lock_.try_lock() && Begin(self));
  }

  // Takes the lock, waiting within `limit`. Returns false if that passed first;
  // then nothing has changed.
  [[nodiscard]] bool try_lock_for(const WaitLimit& limit)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    const uint32_t self = Self();
    return TakeAgain(self) || (lock_.try_lock_for(limit) && Begin(self));
  }

  // The standard's timed forms, as those of Lock.
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
  [[nodiscard]] bool locked() const { return lock_.locked(); }

  // True if the calling thread holds the lock, and how often it has taken it: 0
  // if it does not hold it.
  [[nodiscard]] bool is_owned() const {
    // relaxed: this thread's number is there only if this thread wrote it.
    return owner_.load(std::memory_order_relaxed) == Self();
  }
  [[nodiscard]] uint32_t recursion_count() const {
    return is_owned() ? uint32_t{count_} : 0;
  }

  // For logs and debuggers: whether it is held, by which thread (its
  // GetIdent()), and how many threads wait.
  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out, const RLock& lock);

 private:
  friend class Condition;

  //   (R1) owner_ is the number of the thread that holds lock_ by this RLock,
  //        or kNobody; that thread alone writes it, and another has the same
  //        number after 2^32 threads at the earliest (a kernel's id is used
  //        again at once), so a thread that reads its own there is that thread.
  //   (R2) count_ is touched by the owner alone: how often it took the lock.
  static constexpr uint32_t kNobody = 0;

  // The calling thread's number; NextIdent() sees to it that it is not kNobody.
  static uint32_t Self() {
    return static_cast<uint32_t>(internal::CurrentIdent());
  }

  bool TakeAgain(uint32_t self) {
    // relaxed: (R1)
    if (owner_.load(std::memory_order_relaxed) != self) return false;
    if (ABSL_PREDICT_FALSE(count_ == UINT32_MAX)) ThrowTooDeep();
    ++count_;
    return true;
  }
  bool Begin(uint32_t self) {
    owner_.store(self, std::memory_order_relaxed);  // relaxed: (R1)
    count_ = 1;
    return true;
  }
  void End() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    owner_.store(kNobody, std::memory_order_relaxed);  // relaxed: (R1)
    lock_.unlock();
  }
  [[noreturn]] static void ThrowNotOwned(const char* call);
  [[noreturn]] static void ThrowTooDeep();

  // For Condition: releases the lock whatever the count, which it returns, and
  // takes it back to that count. REQUIRES: is_owned(), not is_owned(). With
  // `woken` it was unlock() that woke this thread, in the queue of lock_.
  // (Clang's analysis sees lock_ in some of this and not what surrounds it.)
  uint32_t UnlockAll();
  void LockAgain(uint32_t count, bool woken) ABSL_NO_THREAD_SAFETY_ANALYSIS;

  Lock lock_;
  internal::Atomic<uint32_t> owner_{kNobody};
  internal::Var<uint32_t> count_ = 0;
};

static_assert(sizeof(RLock) <= 16);

}  // namespace heddle

#endif  // HEDDLE_SYNC_RLOCK_H_
