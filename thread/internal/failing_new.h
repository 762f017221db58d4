// A global operator new that counts, and fails when a test says so. Test-only:
// whoever depends on this target gets it in place of the library's.

#ifndef HEDDLE_THREAD_INTERNAL_FAILING_NEW_H_
#define HEDDLE_THREAD_INTERNAL_FAILING_NEW_H_

#include <cstdint>
#include <new>

#include "absl/base/config.h"

namespace heddle {
namespace internal {

// How many allocations the calling thread has asked for.
int64_t AllocationsOfThisThread();

// How many bytes it has allocated more than it has freed.
int64_t LiveBytesOfThisThread();

// Lets the calling thread's allocation after the next `count` fail, once; no
// more fail if `count` is negative. FailureIsAhead() tells if it is still due.
void FailAllocationAfter(int64_t count);
bool FailureIsAhead();

// Stands for an allocation in what else may fail: the move, the comparison or the
// iterator of a test. Throws std::bad_alloc if it is the one that is to fail.
void FailHereIfDue();

#ifdef ABSL_HAVE_EXCEPTIONS
// For what else may throw in a test's types, such as a copy or a move: counts as
// an allocation, and fails as one.
void MayFail();

// Calls `body()` with the allocation after the first `count` failing. False if
// that came to the caller as std::bad_alloc; `failed` says if it came to be.
template <typename Body>
bool WithoutMemoryAfter(int64_t count, bool& failed, Body body) {
  bool succeeded = true;
  FailAllocationAfter(count);
  try {
    body();
  } catch (const std::bad_alloc&) {
    succeeded = false;
  }
  failed = !FailureIsAhead();
  FailAllocationAfter(-1);
  return succeeded;
}
#endif

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_FAILING_NEW_H_
