// LockPass: to come between two critical sections of a Lock without holding it.
//
// For who looks, without the lock, at what others change under it, and must not
// miss it. A queue is an example: who puts an item does so under the lock, lets
// go of it, and then looks whether anybody waits; who waits says so, passes by,
// and then looks whether there is an item. One of the two sees the other:
//
//   waiting_.store(true, std::memory_order_relaxed);
//   sync_internal::LockPass::By(lock_);
//   if (count_.load(std::memory_order_acquire) == 0) Sleep();
//
// The side that holds the lock pays nothing for that. With a pair of sequentially
// consistent operations instead, it would pay for a third exchange beside those
// that take and release the lock.

#ifndef HEDDLE_SYNC_INTERNAL_LOCK_PASS_H_
#define HEDDLE_SYNC_INTERNAL_LOCK_PASS_H_

#include "heddle/sync/lock.h"

namespace heddle {
namespace sync_internal {

struct LockPass {
  // Each unlock() of `lock` comes either before this call, which then sees all
  // that was done before that unlock(), or after it: then what follows that
  // unlock() sees all that was done before this call. Never waits; the lock may
  // be held, by this thread too.
  static void By(Lock& lock) { lock.PassBy(); }  // (L5)
};

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_LOCK_PASS_H_
