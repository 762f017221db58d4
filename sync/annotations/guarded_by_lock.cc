// A member guarded by a Lock is written without it.
#include "absl/base/thread_annotations.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/lock_guard.h"

struct Account {
  heddle::Lock lock;
  int balance ABSL_GUARDED_BY(lock) = 0;
};

void Deposit(Account& account) {
#ifdef RIGHT
  heddle::LockGuard guard(account.lock);
#endif
  // EXPECT: requires holding mutex 'account.lock' exclusively
  account.balance += 1;
}
