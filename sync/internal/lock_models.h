// What the models of the locks of sync/ share. Test-only.

#ifndef HEDDLE_SYNC_INTERNAL_LOCK_MODELS_H_
#define HEDDLE_SYNC_INTERNAL_LOCK_MODELS_H_

#include "heddle/sync/internal/testing.h"
#include "heddle/thread/internal/held_up.h"
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

// The oldest waiter does not get to run once it was woken; the next one has the
// lock all the same, if there is another unlock() when a millisecond has
// passed.
template <typename Lockable>
void AWokenThreadThatDoesNotRunHoldsUpNobody(explore::Execution& run)
    HEDDLE_UNCHECKED {
  Lockable lock;
  internal::HeldUp held_up;
  internal::Var<int> count = 0;
  const auto add = [&]() HEDDLE_UNCHECKED {
    lock.lock();
    ++count;
    lock.unlock();
  };
  lock.lock();
  const int slow = run.Start([&] { held_up.Run(add); });
  const int next = run.Start([&] {
    held_up.Await();
    add();
    held_up.Release();
  });
  held_up.Await();
  lock.unlock();
  internal::LetTimePass(1'000'000);
  add();
  run.Join(slow);
  run.Join(next);
  explore::Check(count == 3);
  explore::Check(!lock.locked());
}

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_LOCK_MODELS_H_
