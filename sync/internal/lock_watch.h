// What a Lock tells of itself in a debug build: see sync/lock_order.h.
//
// In any other build these are nothing at all.

#ifndef HEDDLE_SYNC_INTERNAL_LOCK_WATCH_H_
#define HEDDLE_SYNC_INTERNAL_LOCK_WATCH_H_

namespace heddle {
namespace sync_internal {

#ifdef HEDDLE_LOCK_ORDER

// The calling thread is about to wait for `lock` without a limit; is about to
// release it, and to wait for it again without a limit; has it; has released
// it; it is destroyed. None throws. The first two may run the hook, and thus
// code of a user's, so they are called before the thread waits and never
// between a wake-up and its use.
void LockWanted(const void* lock);
void LockWantedBack(const void* lock);
void LockTaken(const void* lock);
void LockReleased(const void* lock);
void LockGone(const void* lock);

#else

inline void LockWanted(const void*) {}
inline void LockWantedBack(const void*) {}
inline void LockTaken(const void*) {}
inline void LockReleased(const void*) {}

#endif

// Passes on whether `lock` was taken.
inline bool LockTakenIf(bool taken, const void* lock) {
  if (taken) LockTaken(lock);
  return taken;
}

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_LOCK_WATCH_H_
