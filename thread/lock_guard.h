// LockGuard: holds a lock from here to the end of the scope.
//
//   Lock lock;
//   int count ABSL_GUARDED_BY(lock) = 0;
//   ...
//   {
//     LockGuard guard(lock);
//     ++count;
//   }
//
// It is `std::lock_guard` with the annotations that clang's -Wthread-safety
// needs; libstdc++'s has none, so with that one clang cannot tell that `lock`
// is held. Works with every lock of Heddle's and any other annotated Lockable.
// For unlocking early, deferring, or several locks at once, use
// `std::unique_lock` and `std::scoped_lock`: they work too, without the
// analysis. (Python: `with lock:`.)

#ifndef HEDDLE_THREAD_LOCK_GUARD_H_
#define HEDDLE_THREAD_LOCK_GUARD_H_

#include "absl/base/thread_annotations.h"

namespace heddle {

template <typename Lockable>
class ABSL_SCOPED_LOCKABLE LockGuard {
 public:
  [[nodiscard]] explicit LockGuard(Lockable& lock)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(lock)
      : lock_(lock) {
    lock_.lock();
  }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;
  ~LockGuard() ABSL_UNLOCK_FUNCTION() { lock_.unlock(); }

 private:
  Lockable& lock_;
};

}  // namespace heddle

#endif  // HEDDLE_THREAD_LOCK_GUARD_H_
