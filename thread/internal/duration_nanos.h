// DurationNanos(): a duration as nanoseconds, by the rules of WaitLimit.

#ifndef HEDDLE_THREAD_INTERNAL_DURATION_NANOS_H_
#define HEDDLE_THREAD_INTERNAL_DURATION_NANOS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace heddle {
namespace internal {

// Rounded up, because a wait may not end before its time. Saturates at both
// ends; the largest value is for ever, and comes back as such.
inline int64_t DurationNanos(absl::Duration duration) {
  return absl::ToInt64Nanoseconds(absl::Ceil(duration, absl::Nanoseconds(1)));
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_DURATION_NANOS_H_
