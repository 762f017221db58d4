#include "heddle/thread/internal/chrono_nanos.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "heddle/thread/internal/clock.h"

namespace heddle {
namespace internal {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

}  // namespace

int64_t SaturatingNanos(int64_t ticks, int64_t nanos_per_tick) {
  int64_t nanos = 0;
  if (!__builtin_mul_overflow(ticks, nanos_per_tick, &nanos)) return nanos;
  return ticks < 0 ? kLeast : kMost;
}

int64_t SaturatingNanos(uint64_t ticks, int64_t nanos_per_tick) {
  int64_t nanos = 0;
  return __builtin_mul_overflow(ticks, nanos_per_tick, &nanos) ? kMost : nanos;
}

int64_t SaturatingNanos(double ticks, double nanos_per_tick) {
  constexpr double kRange = 0x1p63;  // one more than kMost
  const double nanos = std::ceil(ticks * nanos_per_tick);
  if (!(nanos >= -kRange)) return kLeast;  // also NaN
  return nanos >= kRange ? kMost : static_cast<int64_t>(nanos);
}

Deadline DeadlineAt(int64_t time, int64_t before, int64_t now) {
  if (time == kMost) return Deadline::Never();
  if (time <= now) return Deadline::Past();
  const int64_t after = Clock::Now();
  if (before <= now && now <= after) return Deadline(time);
  int64_t left = 0;
  int64_t deadline = 0;
  return __builtin_sub_overflow(time, now, &left) ||
                 __builtin_add_overflow(after, left, &deadline)
             ? Deadline::Never()
             : Deadline(deadline);
}

}  // namespace internal
}  // namespace heddle
