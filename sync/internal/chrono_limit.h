// From std::chrono to WaitLimit, for the standard's timed member functions.

#ifndef HEDDLE_SYNC_INTERNAL_CHRONO_LIMIT_H_
#define HEDDLE_SYNC_INTERNAL_CHRONO_LIMIT_H_

#include <chrono>

#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace sync_internal {

// `timeout` as a limit.
template <typename Rep, typename Period>
WaitLimit LimitFor(const std::chrono::duration<Rep, Period>& timeout) {
  return timeout;
}

// Calls `attempt(limit)` with the time left until `deadline`, and again when
// that ran out although the clock, set back meanwhile, has not reached the
// deadline.
template <typename Clock, typename Duration, typename Attempt>
bool RetryUntil(const std::chrono::time_point<Clock, Duration>& deadline,
                Attempt attempt) {
  using Seconds = std::chrono::duration<double>;
  using std::chrono::duration_cast;
  // Comparing or subtracting two time points converts both to the finer unit,
  // where one that is centuries away overflows: hours::max() is not a number of
  // nanoseconds. So that is done only with those that are known to be near.
  constexpr Seconds kNear{1e9};
  for (;;) {
    const auto now = Clock::now();
    const Seconds left = duration_cast<Seconds>(deadline.time_since_epoch()) -
                         duration_cast<Seconds>(now.time_since_epoch());
    if (!(left >= -kNear)) return attempt(Seconds(0));  // also NaN
    if (left <= kNear) {
      if (!(deadline > now)) return attempt(Seconds(0));
      if (attempt(LimitFor(deadline - now))) return true;
    } else if (attempt(LimitFor(left))) {
      return true;
    }
  }
}

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_CHRONO_LIMIT_H_
