#include "heddle/queue/internal/select_cases.h"

#include <cstddef>
#include <cstdint>

#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/thread_id.h"

namespace heddle {
namespace queue_internal {

size_t RandomBelow(size_t count) {
  // A multiplicative generator: cheap, and even in its upper bits.
  uint64_t& state = internal::ThisThread().select_start;
  if (state == internal::PerThread().select_start) {
    state = internal::ThreadId() * uint64_t{0x9E3779B97F4A7C15};
  }
  state = state * uint64_t{6364136223846793005} + uint64_t{1442695040888963407};
  return static_cast<size_t>(((state >> 32) * count) >> 32);
}

}  // namespace queue_internal
}  // namespace heddle
