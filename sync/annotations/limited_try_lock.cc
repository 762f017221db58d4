// A member is written although the limit may have passed.
#include "absl/base/thread_annotations.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/wait_limit.h"

struct Cache {
  heddle::RLock lock;
  int hits ABSL_GUARDED_BY(lock) = 0;
};

void Hit(Cache& cache, const heddle::WaitLimit& limit) {
  const bool locked = cache.lock.try_lock_for(limit);
#ifdef RIGHT
  if (!locked) return;
  ++cache.hits;
  cache.lock.unlock();
#else
  // EXPECT: requires holding mutex 'cache.lock' exclusively
  ++cache.hits;
  if (locked) cache.lock.unlock();
#endif
}
