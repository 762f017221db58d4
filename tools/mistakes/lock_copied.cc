// A lock is one object for all that it guards.
//
// EXPECT: deleted

#include "heddle/sync/lock.h"

void Mistake() {
  heddle::Lock lock;
  heddle::Lock other = lock;
}
