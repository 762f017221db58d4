// LowestError: of what several elements threw, the exception of the lowest.
//
// Thread safety: all methods.

#ifndef HEDDLE_POOL_INTERNAL_LOWEST_ERROR_H_
#define HEDDLE_POOL_INTERNAL_LOWEST_ERROR_H_

#include <cstdint>
#include <exception>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace pool_internal {

class LowestError {
 public:
  // Element number `at` threw `error`.
  void Add(int64_t at, std::exception_ptr error) {
    LockGuard guard(lock_);
    if (error_ != nullptr && lowest_ <= at) return;
    lowest_ = at;
    std::swap(error_, error);  // the other's end, a user's code, comes later
  }

  // Takes out what the lowest has thrown; null if none threw. REQUIRES: all
  // elements have ended.
  std::exception_ptr Take() {
    LockGuard guard(lock_);
    return std::exchange(error_, nullptr);
  }

 private:
  Lock lock_;
  int64_t lowest_ ABSL_GUARDED_BY(lock_) = 0;
  std::exception_ptr error_ ABSL_GUARDED_BY(lock_);
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_LOWEST_ERROR_H_
