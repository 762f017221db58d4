// WaitLimit: how long a call may wait. Every blocking call in Heddle takes one.
//
// It is one of these, each of which converts to it by itself:
//
//   queue.Get();                                // nothing: for ever
//   queue.Get(absl::Milliseconds(50));          // at most this long
//   queue.Get(50ms);                            // any duration of std::chrono
//   queue.Get(stop_token);                      // until a stop is requested
//   queue.Get({absl::Seconds(1), stop_token});  // whichever comes first
//   queue.Get({1s, stop_token});
//
// and a moment, of absl::Time or of any clock of std::chrono, is written
//
//   queue.Get(WaitLimit::Until(std::chrono::steady_clock::now() + 50ms));
//
// One rule holds for the whole library:
//   - What is ready on entry wins, over a limit of zero and over a stop that
//     was requested before.
//   - A zero or negative timeout means one look, without waiting. So does NaN,
//     and a moment that has passed. (absl::Seconds() makes an infinite duration
//     of NaN, so that one arrives here as for ever.)
//   - A wait that ends by its limit has had no effect. It looks once more
//     before it says so, and takes what came at the last moment.
//   - The timeout counts from the call, on a monotonic clock: changes of the
//     wall clock do not matter. No value overflows; absl::InfiniteDuration() is
//     for ever, as is what lies beyond the clock's 292 years.
// (Python gives negative timeouts five meanings and cancels nothing; see
// "Conventions" in its threading model.)
//
// Durations are those of "absl/time/time.h" and <chrono>; include it where you
// write one.
//
// Thread safety: a value; copies are independent.

#ifndef HEDDLE_THREAD_WAIT_LIMIT_H_
#define HEDDLE_THREAD_WAIT_LIMIT_H_

#include <cstdint>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "absl/base/config.h"
#include "heddle/thread/internal/chrono_nanos.h"
#include "heddle/thread/internal/clock.h"

// Declared only, because absl/time/time.h is more than a third of what it would
// cost to include this header, and all that include it. Should Abseil ever make
// something else of Duration or Time, wait_limit.cc does not compile.
namespace absl {
ABSL_NAMESPACE_BEGIN
class Duration;
class Time;
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
  template <internal::ChronoDuration Duration>
  WaitLimit(const Duration& timeout) : nanos_(internal::ChronoNanos(timeout)) {}
  WaitLimit(std::stop_token stop) : stop_(std::move(stop)) {}
  template <typename NumberWithoutUnit>
  requires(std::is_arithmetic_v<NumberWithoutUnit>)
      WaitLimit(NumberWithoutUnit timeout)
  = delete;
  // NOLINTEND(google-explicit-constructor)
  WaitLimit(absl::Duration timeout, std::stop_token stop);
  template <internal::ChronoDuration Duration>
  WaitLimit(const Duration& timeout, std::stop_token stop)
      : nanos_(internal::ChronoNanos(timeout)), stop_(std::move(stop)) {}

  // Until that moment, or until a stop is requested. A moment of
  // std::chrono::steady_clock is kept exactly. One of another clock, the wall
  // clock among them, is converted once, in this call, by how far away it is
  // now: if that clock is set afterwards, the wait neither shrinks nor grows.
  // (For a lock that follows the wall clock: try_lock_until().)
  [[nodiscard]] static WaitLimit Until(absl::Time time,
                                       std::stop_token stop = {});
  template <internal::ChronoTimePoint TimePoint>
  [[nodiscard]] static WaitLimit Until(const TimePoint& time,
                                       std::stop_token stop = {}) {
    return WaitLimit(internal::DeadlineAt(time), std::move(stop));
  }

  // Returns this limit with its clock running: however many waits it is passed
  // to, they share the one deadline. Use it to bound several waits together:
  //
  //   const WaitLimit limit = WaitLimit(absl::Seconds(5)).Started();
  //   for (Thread& thread : threads) {
  //     if (!thread.Join(limit)) LOG(WARNING) << thread.name() << " still runs";
  //   }
  //
  // Starting a limit that runs already changes nothing; one made by Until()
  // does.
  [[nodiscard]] WaitLimit Started() const;

  // Returns this limit, with its stop token, cut down to at most `timeout`. That
  // counts from now if this limit's clock runs, else from the wait as usual.
  // Use it for one step of a longer wait:
  //
  //   const WaitLimit limit = given.Started();
  //   while (!TryToConnect()) {
  //     SleepFor(limit.AtMost(absl::Milliseconds(20)));
  //     if (limit.Passed()) return false;
  //   }
  [[nodiscard]] WaitLimit AtMost(absl::Duration timeout) const;
  template <internal::ChronoDuration Duration>
  [[nodiscard]] WaitLimit AtMost(const Duration& timeout) const {
    return AtMostNanos(internal::ChronoNanos(timeout));
  }

  // What is left of the time: all of it unless the clock runs, never negative,
  // absl::InfiniteDuration() if it is for ever. Requests to stop have no say.
  [[nodiscard]] absl::Duration Remaining() const;

  // True if a wait by this limit would be over after one look: its time has
  // passed, or a stop was requested.
  [[nodiscard]] bool Passed() const;

  // The token whose stop request ends the wait; one that can never be stopped
  // if none was given.
  [[nodiscard]] const std::stop_token& stop_token() const { return stop_; }

  // For those who implement a wait: whether the clock runs (or need not), and
  // the moment at which the timeout ends the wait, from now unless it runs.
  [[nodiscard]] bool started() const { return started_ || nanos_ == kForEver; }
  [[nodiscard]] internal::Deadline deadline() const;

 private:
  static constexpr int64_t kForEver = internal::Deadline::Never().nanos();

  WaitLimit(internal::Deadline deadline, std::stop_token stop)
      : nanos_(deadline.nanos()), started_(true), stop_(std::move(stop)) {}

  WaitLimit AtMostNanos(int64_t nanos) const;

  // Nanoseconds from the call or, once `started_`, on the monotonic clock.
  int64_t nanos_ = kForEver;
  bool started_ = false;
  std::stop_token stop_;
};

}  // namespace heddle

#endif  // HEDDLE_THREAD_WAIT_LIMIT_H_
