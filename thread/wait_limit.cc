#include "heddle/thread/wait_limit.h"

#include <cstdint>
#include <stop_token>
#include <utility>

#include "absl/time/time.h"
#include "heddle/thread/internal/clock.h"

namespace heddle {

using internal::Deadline;

WaitLimit::WaitLimit(absl::Duration timeout)
    : WaitLimit(timeout, std::stop_token()) {}

// Rounded up, because a wait may not end before its time; saturates at both
// ends, where the largest value is kForEver.
WaitLimit::WaitLimit(absl::Duration timeout, std::stop_token stop)
    : nanos_(
          absl::ToInt64Nanoseconds(absl::Ceil(timeout, absl::Nanoseconds(1)))),
      stop_(std::move(stop)) {}

WaitLimit WaitLimit::Started() const {
  WaitLimit started = *this;
  started.nanos_ = deadline().nanos();
  started.started_ = true;
  return started;
}

Deadline WaitLimit::deadline() const {
  return started_ ? Deadline(nanos_) : Deadline::After(nanos_);
}

}  // namespace heddle
