// Ticks(): a time for each task, where a look at the clock would cost as much
// as half of the task's way through the pool.
//
// A tick is of the order of a nanosecond, not more: a third or a quarter of one
// where the processor counts them itself. Only for decisions that are good
// enough if they are wrong by a factor of a few; it need not go on evenly, nor
// agree between processors.

#ifndef HEDDLE_POOL_INTERNAL_TICKS_H_
#define HEDDLE_POOL_INTERNAL_TICKS_H_

#include <cstdint>

#include "heddle/thread/internal/clock.h"

namespace heddle {
namespace pool_internal {

inline int64_t Ticks() {
#if (defined(__x86_64__) || defined(__i386__)) && !defined(HEDDLE_MODEL)
  return static_cast<int64_t>(__builtin_ia32_rdtsc());
#else
  return internal::Clock::Now();
#endif
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_TICKS_H_
