#include "heddle/queue/internal/select_cases.h"

#include <cstddef>
#include <cstdint>

#include "heddle/thread/internal/per_thread.h"

namespace heddle {
namespace queue_internal {

size_t NextStart() {
  // A multiplicative generator: cheap, and even in its upper bits.
  uint64_t& state = internal::ThisThread().select_start;
  state = state * uint64_t{6364136223846793005} + uint64_t{1442695040888963407};
  return static_cast<size_t>(state >> 33);
}

}  // namespace queue_internal
}  // namespace heddle
