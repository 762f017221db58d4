// A Lock is taken by a thread that holds it.
#include "heddle/sync/lock.h"
#include "heddle/thread/lock_guard.h"

void Twice(heddle::Lock& lock, heddle::Lock& other) {
  heddle::LockGuard guard(lock);
#ifdef RIGHT
  heddle::LockGuard again(other);
#else
  static_cast<void>(other);
  // EXPECT: acquiring mutex 'lock' that is already held
  heddle::LockGuard again(lock);
#endif
}
