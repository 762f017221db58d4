#include "heddle/thread/internal/futex.h"

#include <cstdint>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"

namespace heddle {
namespace internal {

bool FutexWait(Atomic<uint32_t>& word, uint32_t expected, Deadline deadline) {
  if (deadline.IsPast()) return false;
  if (!deadline.IsNever()) {
    if (Clock::Substitute* clock = Clock::substitute(); clock != nullptr) {
      return clock->Wait(word, expected, deadline);
    }
  }
  return SystemFutexWait(word, expected, deadline);
}

}  // namespace internal
}  // namespace heddle
