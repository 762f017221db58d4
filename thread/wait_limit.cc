#include "heddle/thread/wait_limit.h"

#include <algorithm>
#include <cstdint>
#include <stop_token>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/duration_nanos.h"

namespace heddle {

using internal::Clock;
using internal::Deadline;

WaitLimit::WaitLimit(absl::Duration timeout)
    : WaitLimit(timeout, std::stop_token()) {}

WaitLimit::WaitLimit(absl::Duration timeout, std::stop_token stop)
    : nanos_(internal::DurationNanos(timeout)), stop_(std::move(stop)) {}

WaitLimit WaitLimit::Until(absl::Time time, std::stop_token stop) {
  return WaitLimit(time - absl::Now(), std::move(stop)).Started();
}

WaitLimit WaitLimit::Started() const {
  WaitLimit started = *this;
  started.nanos_ = deadline().nanos();
  started.started_ = true;
  return started;
}

WaitLimit WaitLimit::AtMost(absl::Duration timeout) const {
  return AtMostNanos(internal::DurationNanos(timeout));
}

WaitLimit WaitLimit::AtMostNanos(int64_t nanos) const {
  WaitLimit cut = *this;
  cut.nanos_ =
      std::min(nanos_, started_ ? Deadline::After(nanos).nanos() : nanos);
  return cut;
}

absl::Duration WaitLimit::Remaining() const {
  if (nanos_ == kForEver) return absl::InfiniteDuration();
  // No overflow: the clock is not negative, and a deadline that is has passed.
  if (started_ && nanos_ < 0) return absl::ZeroDuration();
  const int64_t left = started_ ? nanos_ - Clock::Now() : nanos_;
  return absl::Nanoseconds(std::max<int64_t>(left, 0));
}

bool WaitLimit::Passed() const {
  return stop_.stop_requested() ||
         (started_ ? Deadline(nanos_).HasPassed() : nanos_ <= 0);
}

Deadline WaitLimit::deadline() const {
  return started_ ? Deadline(nanos_) : Deadline::After(nanos_);
}

}  // namespace heddle
