// A member guarded by a SharedLock is read without it.
#include "absl/base/thread_annotations.h"
#include "heddle/sync/shared_lock.h"

struct Table {
  heddle::SharedLock lock;
  int rows ABSL_GUARDED_BY(lock) = 0;
};

int Rows(Table& table) {
#ifdef RIGHT
  heddle::ReaderGuard guard(table.lock);
#endif
  // EXPECT: requires holding mutex 'table.lock'
  return table.rows;
}
