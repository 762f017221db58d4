// Under --config=model: sleeping and waking are the explorer's.

#include <cstdint>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/futex.h"
#include "heddle/tools/explore/model.h"

namespace heddle {
namespace internal {

bool FutexWait(Atomic<uint32_t>& word, uint32_t expected, Deadline deadline) {
  if (deadline.IsPast()) return false;
  return explore::FutexSleep(&word, expected, !deadline.IsNever(),
                             deadline.nanos());
}

void FutexWakeOne(const void* address) {
  explore::FutexWake(address, /*all=*/false);
}
void FutexWakeAll(const void* address) {
  explore::FutexWake(address, /*all=*/true);
}

}  // namespace internal
}  // namespace heddle
