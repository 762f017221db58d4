// Durations and time points of std::chrono as nanoseconds, by the rules of
// WaitLimit.
//
// They are recognized by their members, without <chrono>, which would make
// wait_limit.h, and all that include it, a fifth dearer to include. A caller
// that has a duration has included <chrono> itself.

#ifndef HEDDLE_THREAD_INTERNAL_CHRONO_NANOS_H_
#define HEDDLE_THREAD_INTERNAL_CHRONO_NANOS_H_

#include <cstdint>
#include <type_traits>

#include "heddle/thread/internal/clock.h"

namespace heddle {
namespace internal {

// A std::chrono::duration, whatever its representation and unit.
template <typename T>
concept ChronoDuration = requires(const T& duration) {
  typename T::rep;
  T::period::num;
  T::period::den;
  duration.count();
};

// A std::chrono::time_point of any clock.
template <typename T>
concept ChronoTimePoint = requires(const T& time) {
  typename T::clock;
  T::clock::now();
  time.time_since_epoch();
}
&&ChronoDuration<typename T::duration>;

// `ticks` times `nanos_per_tick`, rounded up, because a wait may not end before
// its time. Saturates at both ends; NaN is the smallest value: it has passed.
int64_t SaturatingNanos(int64_t ticks, int64_t nanos_per_tick);
int64_t SaturatingNanos(uint64_t ticks, int64_t nanos_per_tick);
int64_t SaturatingNanos(double ticks, double nanos_per_tick);

// Nanoseconds in `num`/`den` seconds if that is a whole number of them, else 0.
constexpr int64_t WholeNanos(int64_t num, int64_t den) {
  constexpr int64_t kPerSecond = 1'000'000'000;
  if (num > INT64_MAX / kPerSecond || num * kPerSecond % den != 0) return 0;
  return num * kPerSecond / den;
}

// `duration` as nanoseconds: exact where both count and unit are whole numbers
// of them; else off by less than a nanosecond for up to a month.
template <ChronoDuration Duration>
int64_t ChronoNanos(const Duration& duration) {
  using Rep = typename Duration::rep;
  constexpr int64_t kNum{Duration::period::num};
  constexpr int64_t kDen{Duration::period::den};
  constexpr int64_t kNanosPerTick = WholeNanos(kNum, kDen);
  if constexpr (kNanosPerTick > 0 && std::is_integral_v<Rep> &&
                sizeof(Rep) <= sizeof(int64_t)) {
    using Ticks = std::conditional_t<std::is_signed_v<Rep>, int64_t, uint64_t>;
    return SaturatingNanos(static_cast<Ticks>(duration.count()), kNanosPerTick);
  } else {
    return SaturatingNanos(
        static_cast<double>(duration.count()),
        static_cast<double>(kNum) * 1e9 / static_cast<double>(kDen));
  }
}

// The deadline at `time` of another clock, in nanoseconds since its epoch.
// `now` is what that clock said, `before` what Clock::Now() said just before.
//
// If `now` lies between that and a Clock::Now() just after, the two count from
// the same epoch, as std::chrono::steady_clock does: then `time` is the
// deadline, exactly. Else it is as far away as it is by the other clock now, and
// what becomes of that clock later does not matter.
Deadline DeadlineAt(int64_t time, int64_t before, int64_t now);

template <ChronoTimePoint TimePoint>
Deadline DeadlineAt(const TimePoint& time) {
  const int64_t before = Clock::Now();
  const int64_t now = ChronoNanos(TimePoint::clock::now().time_since_epoch());
  return DeadlineAt(ChronoNanos(time.time_since_epoch()), before, now);
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_CHRONO_NANOS_H_
