// BoundFrom(): the bound that a queue's `maxsize` asks for.

#ifndef HEDDLE_QUEUE_INTERNAL_BOUND_H_
#define HEDDLE_QUEUE_INTERNAL_BOUND_H_

#include <cstddef>
#include <cstdint>

namespace heddle {
namespace queue_internal {

// `maxsize`, or the largest size_t if that is zero or negative: no bound. Throws
// std::length_error, which names `queue`, if it is more than `largest`.
size_t BoundFrom(const char* queue, int64_t maxsize, size_t largest);

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_BOUND_H_
