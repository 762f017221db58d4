// A function that needs the lock is called without it.
#include "absl/base/thread_annotations.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/lock_guard.h"

struct Journal {
  heddle::Lock lock;
  void Append() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock) {}
};

void Add(Journal& journal) {
#ifdef RIGHT
  heddle::LockGuard guard(journal.lock);
#endif
  // EXPECT: calling function 'Append' requires holding mutex 'journal.lock' exclusively
  journal.Append();
}
