// NextNumber(): 0, 1, 2, ... for what must be told apart.

#ifndef HEDDLE_POOL_INTERNAL_NEXT_NUMBER_H_
#define HEDDLE_POOL_INTERNAL_NEXT_NUMBER_H_

#include <cstdint>

#include "heddle/thread/internal/atomic.h"

namespace heddle {
namespace pool_internal {

// Counts in `next`, a static that begins with the first number.
inline uint64_t NextNumber(internal::Atomic<uint64_t>& next) {
  // relaxed: all that counts is that no two are alike.
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_NEXT_NUMBER_H_
