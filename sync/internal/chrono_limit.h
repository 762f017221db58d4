// From std::chrono to WaitLimit, for the standard's timed member functions. The
// only templates over chrono in Heddle end here.

#ifndef HEDDLE_SYNC_INTERNAL_CHRONO_LIMIT_H_
#define HEDDLE_SYNC_INTERNAL_CHRONO_LIMIT_H_

#include <chrono>
#include <cmath>

#include "absl/time/time.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace sync_internal {

// `timeout` as a limit. Goes through seconds in floating point because that
// never overflows, whatever the representation and the unit; its error is below
// a nanosecond for waits of up to a month. NaN counts as passed.
template <typename Rep, typename Period>
WaitLimit LimitFor(const std::chrono::duration<Rep, Period>& timeout) {
  const double seconds = std::chrono::duration<double>(timeout).count();
  return std::isnan(seconds) ? absl::ZeroDuration() : absl::Seconds(seconds);
}

// Calls `attempt(limit)` with the time left until `deadline`, and again when
// that ran out although the clock, set back meanwhile, has not reached the
// deadline.
template <typename Clock, typename Duration, typename Attempt>
bool RetryUntil(const std::chrono::time_point<Clock, Duration>& deadline,
                Attempt attempt) {
  for (;;) {
    const auto now = Clock::now();
    if (!(deadline > now))
      return attempt(absl::ZeroDuration());  // also for NaN
    if (attempt(LimitFor(deadline - now))) return true;
  }
}

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_CHRONO_LIMIT_H_
