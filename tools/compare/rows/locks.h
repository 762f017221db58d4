// Peers' locks in the standard's shape, for the rows that compare locks. Those
// that are not here have it themselves.

#ifndef HEDDLE_TOOLS_COMPARE_ROWS_LOCKS_H_
#define HEDDLE_TOOLS_COMPARE_ROWS_LOCKS_H_

#include <nsync_cpp.h>
#include <nsync_mu.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace heddle {
namespace compare {

class NsyncMutex {
 public:
  NsyncMutex() { nsync::nsync_mu_init(&mu_); }
  NsyncMutex(const NsyncMutex&) = delete;
  NsyncMutex& operator=(const NsyncMutex&) = delete;

  void lock() { nsync::nsync_mu_lock(&mu_); }
  void unlock() { nsync::nsync_mu_unlock(&mu_); }

  nsync::nsync_mu* native() { return &mu_; }

 private:
  nsync::nsync_mu mu_;
};

class ABSL_LOCKABLE AbslMutex {
 public:
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.Lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  void lock_shared() ABSL_SHARED_LOCK_FUNCTION() { mutex_.ReaderLock(); }
  void unlock_shared() ABSL_UNLOCK_FUNCTION() { mutex_.ReaderUnlock(); }

  absl::Mutex* native() { return &mutex_; }

 private:
  absl::Mutex mutex_;
};

}  // namespace compare
}  // namespace heddle

#endif  // HEDDLE_TOOLS_COMPARE_ROWS_LOCKS_H_
