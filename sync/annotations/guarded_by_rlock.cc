// A member guarded by an RLock is read without it.
#include "absl/base/thread_annotations.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/lock_guard.h"

struct Tree {
  heddle::RLock lock;
  int size ABSL_GUARDED_BY(lock) = 0;
};

int Size(Tree& tree) {
#ifdef RIGHT
  heddle::LockGuard guard(tree.lock);
#endif
  // EXPECT: requires holding mutex 'tree.lock'
  return tree.size;
}
