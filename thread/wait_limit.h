// WaitLimit: how long a call may wait. Every blocking call in Heddle takes one.
//
// It is one of four things, each of which converts to it by itself:
//
//   queue.Get();                                // nothing: for ever
//   queue.Get(absl::Milliseconds(50));          // at most this long
//   queue.Get(stop_token);                      // until a stop is requested
//   queue.Get({absl::Seconds(1), stop_token});  // whichever comes first
//
// One rule holds for the whole library:
//   - What is ready on entry wins, over a limit of zero and over a stop that
//     was requested before.
//   - A zero or negative timeout means one look, without waiting.
//   - A wait that ends by its limit has had no effect. It looks once more
//     before it says so, and takes what came at the last moment.
//   - The timeout counts from the call, on a monotonic clock: changes of the
//     wall clock do not matter. No value overflows; absl::InfiniteDuration() is
//     for ever.
// (Python gives negative timeouts five meanings and cancels nothing; see
// "Conventions" in its threading model. A duration of std::chrono is passed as
// absl::FromChrono(d).)
//
// Durations are those of "absl/time/time.h"; include it where you write one.
//
// Thread safety: a value; copies are independent.

#ifndef HEDDLE_THREAD_WAIT_LIMIT_H_
#define HEDDLE_THREAD_WAIT_LIMIT_H_

#include <cstdint>
#include <stop_token>
#include <utility>

#include "absl/base/config.h"
#include "heddle/thread/internal/clock.h"

// Declared only, because absl/time/time.h is more than a third of what it would cost
// to include this header, and all that include it. Should Abseil ever make something else of
// Duration, wait_limit.cc does not compile.
namespace absl {
ABSL_NAMESPACE_BEGIN
class Duration;
ABSL_NAMESPACE_END
}  // namespace absl

namespace heddle {

class WaitLimit {
 public:
  // No limit: waits for ever.
  WaitLimit() = default;

  // These conversions are implicit on purpose: a limit is written at the call.
  // NOLINTBEGIN(google-explicit-constructor)
  WaitLimit(absl::Duration timeout);
  WaitLimit(std::stop_token stop) : stop_(std::move(stop)) {}
  // NOLINTEND(google-explicit-constructor)
  WaitLimit(absl::Duration timeout, std::stop_token stop);

  // Returns this limit with its clock running: however many waits it is passed
  // to, they share the one deadline. Use it to bound several waits together:
  //
  //   const WaitLimit limit = WaitLimit(absl::Seconds(5)).Started();
  //   for (Future<int>& future : futures) future.Wait(limit);
  //
  // Starting a limit that runs already changes nothing.
  [[nodiscard]] WaitLimit Started() const;

  // The token whose stop request ends the wait; one that can never be stopped
  // if none was given.
  const std::stop_token& stop_token() const { return stop_; }

  // For those who implement a wait: whether the clock runs (or need not), and
  // the moment at which the timeout ends the wait, from now unless it runs.
  bool started() const { return started_ || nanos_ == kForEver; }
  internal::Deadline deadline() const;

 private:
  static constexpr int64_t kForEver = internal::Deadline::Never().nanos();

  // Nanoseconds from the call or, once `started_`, on the monotonic clock.
  int64_t nanos_ = kForEver;
  bool started_ = false;
  std::stop_token stop_;
};

}  // namespace heddle

#endif  // HEDDLE_THREAD_WAIT_LIMIT_H_
