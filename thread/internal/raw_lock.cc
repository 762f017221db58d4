#include "heddle/thread/internal/raw_lock.h"

#include <cstdint>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/futex.h"
#include "heddle/thread/internal/spin.h"

namespace heddle {
namespace internal {

void RawLock::LockSlow() {
  // The holder is a few instructions from the end, unless it lost its
  // processor.
  for (int i = 0; i < kSpinRounds; ++i) {
    SpinPause();
    // relaxed: only a hint.
    if (word_.load(std::memory_order_relaxed) != kFree) continue;
    uint32_t expected = kFree;
    if (word_.compare_exchange_weak(expected, kHeld, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {  // [UNLOCK]
      return;
    }
  }
  // [UNLOCK], (L2)
  while (word_.exchange(kContended, std::memory_order_acquire) != kFree) {
    FutexWait(word_, kContended, Deadline::Never());  // (L1)
  }
}

void RawLock::WakeOne() { FutexWakeOne(&word_); }

}  // namespace internal
}  // namespace heddle
