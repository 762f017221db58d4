// Condition: waiting, with a lock released, until another thread notifies.
//
// A thread that holds the condition's lock and finds that it cannot go on calls
// Wait(), which releases the lock, sleeps until another thread calls Notify(),
// and takes the lock again. WaitFor() does so until a predicate holds, which is
// what nearly every use wants. For a flag that is set once use an Event, for
// handing over items a queue.
//
// Example:
//
//   Condition changed;  // with a lock of its own
//   std::deque<Order> orders ABSL_GUARDED_BY(changed);
//   ...
//   {
//     LockGuard guard(changed);  // the same as locking its lock
//     orders.push_back(std::move(order));
//     changed.Notify();
//   }
//   ...
//   LockGuard guard(changed);
//   if (changed.WaitFor([&] { return !orders.empty(); }, absl::Seconds(1))) {
//     Take(orders.front());
//   }
//
// The lock is an RLock of the condition's own, or a Lock or RLock of yours,
// which several conditions may share:
//
//   Lock lock;
//   Condition not_empty(lock), not_full(lock);
//
// What it promises beyond std::condition_variable: waiters are notified oldest
// first; Wait() returns true only if a Notify() was spent on it (there are no
// spurious wake-ups), and a Notify() is never spent on a wait that returns
// false; Notify(n) lets exactly n go, of those who wait now; calling without the
// lock is an error. A notified thread sleeps on until the lock is released, so
// notifying with the lock held costs nothing. (Python: threading.Condition.)
//
// Thread safety: all methods. May be destroyed when nobody waits; with a lock
// of yours also as soon as all who waited were notified. Memory ordering: that
// of the lock.

#ifndef HEDDLE_SYNC_CONDITION_H_
#define HEDDLE_SYNC_CONDITION_H_

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>

#include "absl/base/thread_annotations.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class ABSL_LOCKABLE Condition {
 public:
  // With an RLock of its own, or a lock that outlives it.
  Condition() : lock_(own_.lock_), rlock_(&own_) {}
  explicit Condition(Lock& lock) : lock_(lock), rlock_(nullptr) {}
  explicit Condition(RLock& lock) : lock_(lock.lock_), rlock_(&lock) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // The lock's: see Lock and RLock.
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION();
  void unlock() ABSL_UNLOCK_FUNCTION();
  [[nodiscard]] bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true);
  [[nodiscard]] bool try_lock_for(const WaitLimit& limit)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true);
  [[nodiscard]] bool locked() const;

  // Releases the lock, an RLock however often it was taken; waits, within
  // `limit`, to be notified; takes the lock again as it was, which may take as
  // long as it takes. Returns true if notified, false if the limit passed
  // first. Throws std::logic_error unless this thread holds the lock (or, where
  // it is a Lock, which knows no holder: unless somebody does).
  // Without a limit it is always true.
  [[nodiscard]] bool Wait(const WaitLimit& limit)
      ABSL_NO_THREAD_SAFETY_ANALYSIS;
  bool Wait() ABSL_NO_THREAD_SAFETY_ANALYSIS { return Wait(WaitLimit()); }

  // Waits until `predicate()` is true, within `limit`, and returns its last
  // value. It is called with the lock held: at first, after each Wait(), and
  // once more when the limit has passed. Throws as Wait(), unless the predicate
  // is true at first, and what `predicate` throws, with the lock held.
  template <typename Predicate>
  bool WaitFor(Predicate predicate) {
    while (!predicate()) Wait();
    return true;
  }
  template <typename Predicate>
  [[nodiscard]] bool WaitFor(Predicate predicate, const WaitLimit& limit) {
    if (predicate()) return true;
    const WaitLimit started = limit.Started();
    while (Wait(started)) {
      if (predicate()) return true;
    }
    return static_cast<bool>(predicate());
  }

  // Lets the `count` threads go that have waited longest, or all there are;
  // none if `count` is zero or negative. They return when they have the lock
  // again. Nothing is remembered if nobody waits. Throws as Wait().
  void Notify(int64_t count = 1);
  void NotifyAll() { Notify(std::numeric_limits<int64_t>::max()); }

  // For logs and debuggers: the lock's state and how many threads wait.
  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out,
                                  const Condition& condition);

 private:
  //   (C1) a thread is queued here before it releases the lock, so who changes
  //        under the lock what it waits for, and then notifies, finds it.
  //   (C2) while anybody is queued here, waiting_ is true; it changes only with
  //        the parking spot of this condition held.
  //   (C3) who is notified is claimed, and then queued for the lock (or woken,
  //        if the lock is free): it does not run only to wait for the lock.
  void CheckHeld(const char* call) const;
  // Where its waiters park. Not `this`: that is where those of own_ do.
  const void* key() const { return &waiting_; }

  RLock own_;
  Lock& lock_;          // an RLock's inner one
  RLock* const rlock_;  // null where the lock is a Lock
  internal::Atomic<bool> waiting_{false};
};

static_assert(sizeof(Condition) <= 64);

}  // namespace heddle

#endif  // HEDDLE_SYNC_CONDITION_H_
