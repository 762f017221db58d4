// Atomic<T>: the only name by which Heddle's code speaks of an atomic.
//
// In an ordinary build it is `std::atomic<T>` itself, at no cost. It has a name
// of its own so that one build setting can put a scheduler in its place that
// explores the very same sources interleaving by interleaving. For the same
// reason Heddle has no stand-alone fences: every ordering belongs to an access.

#ifndef HEDDLE_THREAD_INTERNAL_ATOMIC_H_
#define HEDDLE_THREAD_INTERNAL_ATOMIC_H_

#ifdef HEDDLE_MODEL
#include "heddle/tools/explore/atomic.h"
#else
#include <atomic>
#endif

namespace heddle {
namespace internal {

#ifdef HEDDLE_MODEL
using explore::Atomic;
#else
template <typename T>
using Atomic = std::atomic<T>;
#endif

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_ATOMIC_H_
