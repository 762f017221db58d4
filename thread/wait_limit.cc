#include "heddle/thread/wait_limit.h"

#include <cstdint>
#include <stop_token>
#include <utility>

#include "absl/time/time.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/duration_nanos.h"

namespace heddle {

using internal::Deadline;

WaitLimit::WaitLimit(absl::Duration timeout)
    : WaitLimit(timeout, std::stop_token()) {}

WaitLimit::WaitLimit(absl::Duration timeout, std::stop_token stop)
    : nanos_(internal::DurationNanos(timeout)), stop_(std::move(stop)) {}

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
