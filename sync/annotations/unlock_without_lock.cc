// A Lock is released that is not held.
#include "heddle/sync/lock.h"

void Release(heddle::Lock& lock) {
#ifdef RIGHT
  lock.lock();
#endif
  // EXPECT: releasing mutex 'lock' that was not held
  lock.unlock();
}
