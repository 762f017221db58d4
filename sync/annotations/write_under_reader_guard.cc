// A member guarded by a SharedLock is written by one who only reads.
#include "absl/base/thread_annotations.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/lock_guard.h"

struct Table {
  heddle::SharedLock lock;
  int rows ABSL_GUARDED_BY(lock) = 0;
};

void Add(Table& table) {
#ifdef RIGHT
  heddle::LockGuard guard(table.lock);
#else
  heddle::ReaderGuard guard(table.lock);
#endif
  // EXPECT: requires holding mutex 'table.lock' exclusively
  ++table.rows;
}
