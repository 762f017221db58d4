#include "heddle/queue/internal/bound.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace queue_internal {

size_t BoundFrom(const char* queue, int64_t maxsize, size_t largest) {
  if (maxsize <= 0) return std::numeric_limits<size_t>::max();
  if (static_cast<uint64_t>(maxsize) > largest) {
    internal::Throw(std::length_error(
        absl::StrCat(queue, ": no memory holds a maxsize of ", maxsize,
                     " items; ", largest, " is the most")));
  }
  return static_cast<size_t>(maxsize);
}

}  // namespace queue_internal
}  // namespace heddle
