// A member guarded by a Condition with a lock of its own is written without it.
#include "absl/base/thread_annotations.h"
#include "heddle/sync/condition.h"
#include "heddle/thread/lock_guard.h"

struct Inbox {
  heddle::Condition changed;
  int mails ABSL_GUARDED_BY(changed) = 0;
};

void Deliver(Inbox& inbox) {
#ifdef RIGHT
  heddle::LockGuard guard(inbox.changed);
#endif
  // EXPECT: requires holding mutex 'inbox.changed' exclusively
  ++inbox.mails;
}
