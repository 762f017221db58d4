// A Lock is taken and never released.
#include "heddle/sync/lock.h"

void Take(heddle::Lock& lock) {
  lock.lock();
#ifdef RIGHT
  lock.unlock();
#endif
  // EXPECT: mutex 'lock' is still held at the end of function
}
