// A member is written although try_lock() may have failed.
#include "absl/base/thread_annotations.h"
#include "heddle/sync/lock.h"

struct Cache {
  heddle::Lock lock;
  int hits ABSL_GUARDED_BY(lock) = 0;
};

void Hit(Cache& cache) {
#ifdef RIGHT
  if (cache.lock.try_lock()) {
    ++cache.hits;
    cache.lock.unlock();
  }
#else
  const bool locked = cache.lock.try_lock();
  // EXPECT: requires holding mutex 'cache.lock' exclusively
  ++cache.hits;
  if (locked) cache.lock.unlock();
#endif
}
