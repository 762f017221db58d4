// What the models of the locks of sync/ share. Test-only.

#ifndef HEDDLE_SYNC_INTERNAL_LOCK_MODELS_H_
#define HEDDLE_SYNC_INTERNAL_LOCK_MODELS_H_

#include "heddle/sync/internal/testing.h"
#include "heddle/thread/internal/var.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace sync_internal {

// Two threads have a reference each to what a lock guards, and the lock in it;
// the last to let go destroys both, although the other may not have returned
// from unlock().
template <typename Lockable>
void LastUserDestroysIt(explore::Execution& run) {
  struct Counted {
    Lockable lock;
    internal::Var<int> references = 2;
  };
  auto* const counted = new Counted;
  const auto drop = [counted]() HEDDLE_UNCHECKED {
    counted->lock.lock();
    const bool last = --counted->references == 0;
    counted->lock.unlock();
    if (last) delete counted;
  };
  run.Run(drop, drop);
}

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_LOCK_MODELS_H_
