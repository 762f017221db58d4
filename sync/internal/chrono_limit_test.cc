#include "heddle/sync/internal/chrono_limit.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ratio>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace sync_internal {
namespace {

namespace c = std::chrono;
using FloatSeconds = c::duration<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Nanoseconds from now; LimitFor() knows no substitute for the clock of others.
int64_t NanosOf(const WaitLimit& limit) {
  const int64_t before = internal::Clock::Now();
  const int64_t deadline = limit.deadline().nanos();
  const int64_t after = internal::Clock::Now();
  return deadline - before - (after - before) / 2;
}

TEST(LimitForTest, WhatIsZeroOrLessIsPast) {
  EXPECT_TRUE(LimitFor(c::nanoseconds(0)).deadline().IsPast());
  EXPECT_TRUE(LimitFor(c::nanoseconds(-1)).deadline().IsPast());
  EXPECT_TRUE(LimitFor(c::nanoseconds::min()).deadline().IsPast());
  EXPECT_TRUE(LimitFor(c::hours::min()).deadline().IsPast());
  EXPECT_TRUE(LimitFor(FloatSeconds(-0.0)).deadline().IsPast());
  EXPECT_TRUE(LimitFor(FloatSeconds(-1e300)).deadline().IsPast());
  EXPECT_TRUE(LimitFor(FloatSeconds(-kInfinity)).deadline().IsPast());
  EXPECT_TRUE(LimitFor(c::duration<uint64_t>(0)).deadline().IsPast());
}

TEST(LimitForTest, NaNIsPast) {
  EXPECT_TRUE(LimitFor(FloatSeconds(kNaN)).deadline().IsPast());
  EXPECT_TRUE(LimitFor(FloatSeconds(-kNaN)).deadline().IsPast());
  EXPECT_TRUE(
      LimitFor(c::duration<float>(std::numeric_limits<float>::quiet_NaN()))
          .deadline()
          .IsPast());
}

TEST(LimitForTest, WhatNoClockCanHoldIsForEver) {
  EXPECT_TRUE(LimitFor(c::nanoseconds::max()).deadline().IsNever());
  EXPECT_TRUE(LimitFor(c::seconds::max()).deadline().IsNever());
  EXPECT_TRUE(LimitFor(c::hours::max()).deadline().IsNever());
  EXPECT_TRUE(LimitFor(c::years::max()).deadline().IsNever());
  EXPECT_TRUE(LimitFor(FloatSeconds(1e300)).deadline().IsNever());
  EXPECT_TRUE(LimitFor(FloatSeconds(kInfinity)).deadline().IsNever());
  EXPECT_TRUE(LimitFor(c::duration<uint64_t>(UINT64_MAX)).deadline().IsNever());
  EXPECT_TRUE(LimitFor(c::duration<uint64_t, std::ratio<3600>>(UINT64_MAX))
                  .deadline()
                  .IsNever());
  EXPECT_TRUE(LimitFor(c::duration<long double>(1e300L)).deadline().IsNever());
}

TEST(LimitForTest, OrdinaryDurationsKeepTheirLength) {
  // Within a millisecond, which covers what passes between the two looks.
  constexpr double kTolerance = 1e6;
  EXPECT_NEAR(static_cast<double>(NanosOf(LimitFor(c::hours(1)))), 3600e9,
              kTolerance);
  EXPECT_NEAR(static_cast<double>(NanosOf(LimitFor(c::minutes(2)))), 120e9,
              kTolerance);
  EXPECT_NEAR(static_cast<double>(NanosOf(LimitFor(FloatSeconds(1.5)))), 1.5e9,
              kTolerance);
  EXPECT_NEAR(static_cast<double>(NanosOf(LimitFor(c::duration<uint64_t>(7)))),
              7e9, kTolerance);
  EXPECT_NEAR(static_cast<double>(
                  NanosOf(LimitFor(c::duration<int, std::ratio<1, 3>>(3)))),
              1e9, kTolerance);
}

TEST(LimitForTest, TheShortestDurationIsNotNothing) {
  EXPECT_FALSE(LimitFor(c::nanoseconds(1)).deadline().IsPast());
}

// A clock whose readings are given one after the other; the last one stays.
struct ScriptedClock {
  using duration = c::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = c::time_point<ScriptedClock>;
  static constexpr bool is_steady = false;

  static inline std::vector<int64_t> readings;
  static inline size_t next = 0;

  static void Script(std::vector<int64_t> nanos) {
    readings = std::move(nanos);
    next = 0;
  }
  static time_point now() {
    const int64_t nanos = readings[next];
    if (next + 1 < readings.size()) ++next;
    return time_point(duration(nanos));
  }
};

static_assert(!ScriptedClock::is_steady);

using ScriptedPoint = ScriptedClock::time_point;

// How often, and with which limits, an attempt that always fails is made.
template <typename TimePoint>
std::vector<bool> FailedAttempts(TimePoint deadline, size_t at_most = 5) {
  std::vector<bool> with_time_left;
  RetryUntil(deadline, [&](const WaitLimit& limit) {
    with_time_left.push_back(!limit.deadline().IsPast());
    return with_time_left.size() == at_most;
  });
  return with_time_left;
}

TEST(RetryUntilTest, DeadlineThatHasPassedIsOneAttemptWithoutWaiting) {
  ScriptedClock::Script({1000});
  for (const int64_t nanos :
       {int64_t{1000}, int64_t{999}, int64_t{0}, int64_t{-1}, INT64_MIN}) {
    EXPECT_EQ(FailedAttempts(ScriptedPoint(c::nanoseconds(nanos))),
              std::vector<bool>{false})
        << nanos;
  }
}

TEST(RetryUntilTest, ReturnsWhatTheAttemptReturns) {
  ScriptedClock::Script({1000});
  EXPECT_TRUE(RetryUntil(ScriptedPoint(c::nanoseconds(0)),
                         [](const WaitLimit&) { return true; }));
  EXPECT_FALSE(RetryUntil(ScriptedPoint(c::nanoseconds(0)),
                          [](const WaitLimit&) { return false; }));
  EXPECT_TRUE(RetryUntil(ScriptedPoint(c::nanoseconds(2000)),
                         [](const WaitLimit&) { return true; }));
}

TEST(RetryUntilTest, LooksAgainWhenTheAttemptEndedAndTheClockWasSetBack) {
  ScriptedClock::Script({0, 0, -5, 1000});
  EXPECT_EQ(FailedAttempts(ScriptedPoint(c::nanoseconds(1000))),
            (std::vector<bool>{true, true, true, false}));
}

TEST(RetryUntilTest, LastAttemptIsMadeAfterTheDeadline) {
  ScriptedClock::Script({0, 1000});
  EXPECT_EQ(FailedAttempts(ScriptedPoint(c::nanoseconds(1000))),
            (std::vector<bool>{true, false}));
}

TEST(RetryUntilTest, FarTimePointsOfEveryUnitAreFar) {
  for (const int64_t now : {int64_t{0}, int64_t{1'700'000'000'000'000'000},
                            int64_t{-1'700'000'000'000'000'000}}) {
    ScriptedClock::Script({now});
    using Clock = ScriptedClock;
    const std::vector<bool> far = {true};
    EXPECT_EQ(FailedAttempts(ScriptedPoint::max(), 1), far);
    EXPECT_EQ(FailedAttempts(c::time_point<Clock, c::seconds>::max(), 1), far);
    EXPECT_EQ(FailedAttempts(c::time_point<Clock, c::hours>::max(), 1), far);
    EXPECT_EQ(
        FailedAttempts(c::time_point<Clock, c::duration<uint64_t>>::max(), 1),
        far);
    EXPECT_EQ(
        FailedAttempts(
            c::time_point<Clock, FloatSeconds>(FloatSeconds(kInfinity)), 1),
        far);
    EXPECT_EQ(FailedAttempts(
                  c::time_point<Clock, FloatSeconds>(FloatSeconds(1e300)), 1),
              far);
  }
}

TEST(RetryUntilTest, LongPastTimePointsOfEveryUnitArePast) {
  for (const int64_t now : {int64_t{0}, int64_t{1'700'000'000'000'000'000},
                            int64_t{-1'700'000'000'000'000'000}}) {
    ScriptedClock::Script({now});
    using Clock = ScriptedClock;
    const std::vector<bool> past = {false};
    EXPECT_EQ(FailedAttempts(ScriptedPoint::min()), past);
    EXPECT_EQ(FailedAttempts(c::time_point<Clock, c::seconds>::min()), past);
    EXPECT_EQ(FailedAttempts(c::time_point<Clock, c::hours>::min()), past);
    EXPECT_EQ(FailedAttempts(
                  c::time_point<Clock, FloatSeconds>(FloatSeconds(-kInfinity))),
              past);
    EXPECT_EQ(
        FailedAttempts(c::time_point<Clock, FloatSeconds>(FloatSeconds(kNaN))),
        past);
  }
}

TEST(RetryUntilTest, NearTimePointsOfOtherUnitsAreExact) {
  ScriptedClock::Script({1'700'000'000'000'000'000});
  using Clock = ScriptedClock;
  using Seconds = c::time_point<Clock, c::seconds>;
  EXPECT_EQ(FailedAttempts(Seconds(c::seconds(1'700'000'000))),
            std::vector<bool>{false});
  EXPECT_EQ(FailedAttempts(Seconds(c::seconds(1'700'000'001)), 1),
            std::vector<bool>{true});
  EXPECT_EQ(FailedAttempts(
                ScriptedPoint(c::nanoseconds(1'700'000'000'000'000'001)), 1),
            std::vector<bool>{true});
}

}  // namespace
}  // namespace sync_internal
}  // namespace heddle
