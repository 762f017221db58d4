#include "heddle/thread/wait_limit.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <stop_token>
#include <type_traits>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/manual_clock.h"

namespace heddle {
namespace {

namespace c = std::chrono;

using internal::Clock;
using internal::Deadline;
using internal::ManualClock;

// As a blocking call takes it.
WaitLimit Passed(WaitLimit limit = {}) { return limit; }

TEST(WaitLimitTest, NothingMeansForEver) {
  const WaitLimit limit = Passed();
  EXPECT_TRUE(limit.deadline().IsNever());
  EXPECT_FALSE(limit.stop_token().stop_possible());
}

TEST(WaitLimitTest, IsMadeFromATimeoutAStopOrBothByItself) {
  EXPECT_TRUE((std::is_convertible_v<absl::Duration, WaitLimit>));
  EXPECT_TRUE((std::is_convertible_v<std::stop_token, WaitLimit>));
  ManualClock clock;
  std::stop_source stop;
  const WaitLimit timeout = Passed(absl::Seconds(1));
  EXPECT_EQ(timeout.deadline().nanos(), Clock::Now() + 1'000'000'000);
  EXPECT_FALSE(timeout.stop_token().stop_possible());
  const WaitLimit stoppable = Passed(stop.get_token());
  EXPECT_TRUE(stoppable.deadline().IsNever());
  EXPECT_TRUE(stoppable.stop_token() == stop.get_token());
  const WaitLimit both = Passed({absl::Seconds(2), stop.get_token()});
  EXPECT_EQ(both.deadline().nanos(), Clock::Now() + 2'000'000'000);
  EXPECT_TRUE(both.stop_token() == stop.get_token());
}

TEST(WaitLimitTest, ZeroAndNegativeTimeoutsArePast) {
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Nanoseconds(1) / 4, -absl::Nanoseconds(1),
        -absl::Hours(1), absl::Nanoseconds(INT64_MIN), absl::Hours(-1e300),
        -absl::InfiniteDuration()}) {
    EXPECT_TRUE(WaitLimit(timeout).deadline().IsPast()) << timeout;
    EXPECT_TRUE(WaitLimit(timeout).Started().deadline().IsPast()) << timeout;
    EXPECT_TRUE(WaitLimit(timeout).deadline().HasPassed()) << timeout;
  }
}

TEST(WaitLimitTest, TimeoutsBeyondTheClockAreForEver) {
  for (const absl::Duration timeout :
       {absl::InfiniteDuration(), absl::Hours(1e300),
        absl::Seconds(std::numeric_limits<int64_t>::max()),
        absl::Nanoseconds(INT64_MAX), absl::Nanoseconds(INT64_MAX - 1)}) {
    EXPECT_TRUE(WaitLimit(timeout).deadline().IsNever()) << timeout;
    EXPECT_TRUE(WaitLimit(timeout).Started().deadline().IsNever()) << timeout;
    EXPECT_FALSE(WaitLimit(timeout).deadline().HasPassed()) << timeout;
  }
}

TEST(WaitLimitTest, FractionsOfANanosecondAreRoundedUp) {
  ManualClock clock;
  EXPECT_EQ(WaitLimit(absl::Nanoseconds(1) / 4).deadline().nanos(),
            Clock::Now() + 1);
  EXPECT_EQ(WaitLimit(absl::Nanoseconds(5) / 4).deadline().nanos(),
            Clock::Now() + 2);
}

TEST(WaitLimitTest, CountsFromTheCallUnlessItIsStarted) {
  ManualClock clock;
  const WaitLimit limit = absl::Seconds(1);
  EXPECT_FALSE(limit.started());
  const Deadline first = limit.deadline();
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(limit.deadline().nanos(), first.nanos() + 5'000'000'000);
}

TEST(WaitLimitTest, StartedLimitHasOneDeadlineHoweverOftenItIsAsked) {
  ManualClock clock;
  const WaitLimit limit = WaitLimit(absl::Seconds(1)).Started();
  EXPECT_TRUE(limit.started());
  const Deadline deadline = limit.deadline();
  EXPECT_FALSE(deadline.HasPassed());
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(limit.deadline(), deadline);
  EXPECT_TRUE(deadline.HasPassed());
}

TEST(WaitLimitTest, StartingWhatRunsChangesNothing) {
  ManualClock clock;
  const WaitLimit limit = WaitLimit(absl::Seconds(1)).Started();
  clock.Advance(absl::Milliseconds(1));
  EXPECT_EQ(limit.Started().deadline(), limit.deadline());
  const WaitLimit past = WaitLimit(absl::ZeroDuration()).Started();
  EXPECT_TRUE(past.started());
  EXPECT_TRUE(past.Started().deadline().IsPast());
  const WaitLimit never = WaitLimit().Started();
  EXPECT_TRUE(never.Started().deadline().IsNever());
}

TEST(WaitLimitTest, StartingKeepsTheStopToken) {
  std::stop_source stop;
  const WaitLimit limit =
      WaitLimit(absl::Seconds(1), stop.get_token()).Started();
  EXPECT_TRUE(limit.stop_token() == stop.get_token());
  EXPECT_TRUE(WaitLimit(stop.get_token()).Started().stop_token() ==
              stop.get_token());
}

TEST(WaitLimitTest, LimitWithoutATimeoutNeedsNoStart) {
  std::stop_source stop;
  EXPECT_TRUE(WaitLimit().started());
  EXPECT_TRUE(WaitLimit(stop.get_token()).started());
  EXPECT_TRUE(WaitLimit(absl::InfiniteDuration()).started());
  EXPECT_FALSE(WaitLimit(absl::ZeroDuration()).started());
}

TEST(WaitLimitTest, CopiesAreIndependent) {
  ManualClock clock;
  const WaitLimit original = absl::Seconds(1);
  const WaitLimit copy = original;
  const WaitLimit started = copy.Started();
  clock.Advance(absl::Seconds(1));
  EXPECT_TRUE(started.deadline().HasPassed());
  EXPECT_FALSE(copy.started());
  EXPECT_FALSE(original.deadline().HasPassed());
  WaitLimit assigned;
  assigned = started;
  EXPECT_EQ(assigned.deadline(), started.deadline());
}

// ---------------------------------------------------------------------------
// Durations of std::chrono

TEST(WaitLimitTest, IsMadeFromAnyChronoDurationByItself) {
  using std::chrono_literals::operator""ms;
  using std::chrono_literals::operator""s;
  EXPECT_TRUE((std::is_convertible_v<c::nanoseconds, WaitLimit>));
  EXPECT_TRUE((std::is_convertible_v<c::duration<float>, WaitLimit>));
  EXPECT_FALSE((std::is_convertible_v<int, WaitLimit>));  // of what unit?
  EXPECT_FALSE((std::is_convertible_v<c::steady_clock::time_point, WaitLimit>));
  ManualClock clock;
  std::stop_source stop;
  EXPECT_EQ(Passed(50ms).deadline().nanos(), Clock::Now() + 50'000'000);
  const WaitLimit both = Passed({2s, stop.get_token()});
  EXPECT_EQ(both.deadline().nanos(), Clock::Now() + 2'000'000'000);
  EXPECT_TRUE(both.stop_token() == stop.get_token());
}

TEST(WaitLimitTest, ChronoDurationsOfWholeNanosecondsAreExact) {
  ManualClock clock;
  const auto nanos = [](auto duration) {
    return WaitLimit(duration).deadline().nanos() - Clock::Now();
  };
  EXPECT_EQ(nanos(c::nanoseconds(1)), 1);
  // Where a double has no such number.
  constexpr int64_t kOdd = (int64_t{1} << 60) + 1;
  EXPECT_EQ(nanos(c::nanoseconds(kOdd)), kOdd);
  EXPECT_EQ(nanos(c::duration<uint64_t, std::nano>(kOdd)), kOdd);
  EXPECT_EQ(nanos(c::duration<int16_t>(3)), 3'000'000'000);
  EXPECT_EQ(nanos(c::hours(24)), int64_t{86'400'000'000'000});
}

TEST(WaitLimitTest, ChronoDurationsOfOtherUnitsAreRoundedUp) {
  ManualClock clock;
  const auto nanos = [](auto duration) {
    return WaitLimit(duration).deadline().nanos() - Clock::Now();
  };
  EXPECT_EQ(nanos(c::duration<int, std::pico>(1)), 1);
  EXPECT_EQ(nanos(c::duration<int, std::pico>(1001)), 2);
  EXPECT_EQ(nanos(c::duration<int, std::ratio<1, 3>>(1)), 333'333'334);
  EXPECT_EQ(nanos(c::duration<double>(0.05)), 50'000'000);
  EXPECT_EQ(nanos(c::duration<long double, std::nano>(0.25L)), 1);
}

TEST(WaitLimitTest, ChronoDurationsThatHavePassedAreOneLook) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  using Seconds = c::duration<double>;
  for (const WaitLimit& limit :
       {WaitLimit(c::seconds(0)), WaitLimit(c::nanoseconds(-1)),
        WaitLimit(c::nanoseconds::min()), WaitLimit(c::hours::min()),
        WaitLimit(Seconds(-kInfinity)), WaitLimit(Seconds(-1e300)),
        WaitLimit(Seconds(-0.0)), WaitLimit(Seconds(kNaN)),
        WaitLimit(Seconds(-kNaN)), WaitLimit(c::duration<uint64_t>(0)),
        WaitLimit(c::duration<float>(-1e-30F))}) {
    EXPECT_TRUE(limit.deadline().IsPast());
    EXPECT_TRUE(limit.Started().deadline().IsPast());
  }
}

TEST(WaitLimitTest, ChronoDurationsBeyondTheClockAreForEver) {
  using Seconds = c::duration<double>;
  using Huge = std::ratio<std::numeric_limits<int64_t>::max()>;
  for (const WaitLimit& limit :
       {WaitLimit(c::nanoseconds::max()), WaitLimit(c::seconds::max()),
        WaitLimit(c::hours::max()), WaitLimit(Seconds(1e300)),
        WaitLimit(Seconds(std::numeric_limits<double>::infinity())),
        WaitLimit(Seconds(0x1p34)),  // 544 years
        WaitLimit(c::duration<uint64_t, std::nano>(UINT64_MAX)),
        WaitLimit(c::duration<uint64_t>(UINT64_MAX)),
        WaitLimit(c::duration<int, Huge>(1))}) {
    EXPECT_TRUE(limit.deadline().IsNever());
    EXPECT_TRUE(limit.Started().deadline().IsNever());
  }
}

// ---------------------------------------------------------------------------
// Until(): moments

TEST(WaitLimitTest, MomentOfTheSteadyClockIsTheDeadlineExactly) {
  const c::steady_clock::time_point moment =
      c::steady_clock::now() + c::hours(1) + c::nanoseconds(7);
  const WaitLimit limit = WaitLimit::Until(moment);
  EXPECT_TRUE(limit.started());
  EXPECT_EQ(limit.deadline().nanos(),
            c::nanoseconds(moment.time_since_epoch()).count());
  EXPECT_EQ(limit.Started().deadline(), limit.deadline());
}

// A clock that only a test moves.
struct WallClock {
  using rep = int64_t;
  using period = std::milli;
  using duration = c::duration<rep, period>;
  using time_point = c::time_point<WallClock>;
  [[maybe_unused]] static constexpr bool is_steady = false;
  static time_point now() { return time_point(duration(millis)); }
  static inline int64_t millis = 1'000'000;
};

TEST(WaitLimitTest, MomentOfAnotherClockIsAsFarAwayAsItIsByThatNow) {
  ManualClock clock;
  const WaitLimit limit =
      WaitLimit::Until(WallClock::now() + c::milliseconds(1500));
  EXPECT_EQ(limit.deadline().nanos(), Clock::Now() + 1'500'000'000);
}

TEST(WaitLimitTest, ClockThatIsSetAfterwardsMovesNoDeadline) {
  ManualClock clock;
  const WaitLimit limit =
      WaitLimit::Until(WallClock::now() + c::milliseconds(1500));
  WallClock::millis += 3'600'000;
  EXPECT_EQ(limit.deadline().nanos(), Clock::Now() + 1'500'000'000);
  WallClock::millis -= 7'200'000;
  EXPECT_EQ(limit.deadline().nanos(), Clock::Now() + 1'500'000'000);
  EXPECT_FALSE(limit.Passed());
  clock.Advance(absl::Milliseconds(1500));
  EXPECT_TRUE(limit.Passed());
}

TEST(WaitLimitTest, MomentOfTheSteadyClockIsTakenByATestsClockToo) {
  ManualClock clock;
  const WaitLimit limit =
      WaitLimit::Until(c::steady_clock::now() + c::hours(1));
  const int64_t left = limit.deadline().nanos() - Clock::Now();
  EXPECT_LE(left, int64_t{3'600'000'000'000});
  EXPECT_GT(left, int64_t{3'000'000'000'000});
}

TEST(WaitLimitTest, AbslTimeIsAsFarAwayAsItIsNow) {
  ManualClock clock;
  const absl::Time before = absl::Now();
  const WaitLimit limit = WaitLimit::Until(before + absl::Hours(1));
  EXPECT_TRUE(limit.started());
  const int64_t left = limit.deadline().nanos() - Clock::Now();
  EXPECT_LE(left, int64_t{3'600'000'000'000});
  EXPECT_GT(left, int64_t{3'000'000'000'000});
}

TEST(WaitLimitTest, MomentsThatHavePassedAreOneLook) {
  using Float = c::time_point<c::system_clock, c::duration<double>>;
  const c::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
  for (const WaitLimit& limit :
       {WaitLimit::Until(absl::Now()), WaitLimit::Until(absl::InfinitePast()),
        WaitLimit::Until(absl::UnixEpoch()),
        WaitLimit::Until(c::steady_clock::now()),
        WaitLimit::Until(c::steady_clock::time_point::min()),
        WaitLimit::Until(c::system_clock::now() - c::hours(1)),
        WaitLimit::Until(c::system_clock::time_point::min()),
        WaitLimit::Until(Float(nan))}) {
    EXPECT_TRUE(limit.started());
    EXPECT_TRUE(limit.deadline().IsPast());
    EXPECT_TRUE(limit.Passed());
  }
}

TEST(WaitLimitTest, MomentsBeyondTheClockAreForEver) {
  for (const WaitLimit& limit :
       {WaitLimit::Until(absl::InfiniteFuture()),
        WaitLimit::Until(c::steady_clock::time_point::max()),
        WaitLimit::Until(c::system_clock::time_point::max()),
        WaitLimit::Until(
            c::time_point<c::system_clock, c::hours>(c::hours::max()))}) {
    EXPECT_TRUE(limit.deadline().IsNever());
    EXPECT_FALSE(limit.Passed());
  }
}

TEST(WaitLimitTest, MomentMayHaveAStopTokenBesideIt) {
  std::stop_source stop;
  EXPECT_TRUE(
      WaitLimit::Until(c::steady_clock::now(), stop.get_token()).stop_token() ==
      stop.get_token());
  EXPECT_TRUE(WaitLimit::Until(absl::Now(), stop.get_token()).stop_token() ==
              stop.get_token());
}

// ---------------------------------------------------------------------------
// Asked, and cut down

TEST(WaitLimitTest, RemainingIsAllOfItUntilTheClockRuns) {
  ManualClock clock;
  const WaitLimit limit = absl::Seconds(2);
  const WaitLimit started = limit.Started();
  clock.Advance(absl::Milliseconds(500));
  EXPECT_EQ(limit.Remaining(), absl::Seconds(2));
  EXPECT_EQ(started.Remaining(), absl::Milliseconds(1500));
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(started.Remaining(), absl::ZeroDuration());
}

TEST(WaitLimitTest, RemainingOfExtremeLimits) {
  EXPECT_EQ(WaitLimit().Remaining(), absl::InfiniteDuration());
  EXPECT_EQ(WaitLimit().Started().Remaining(), absl::InfiniteDuration());
  EXPECT_EQ(WaitLimit(c::hours::max()).Remaining(), absl::InfiniteDuration());
  EXPECT_EQ(WaitLimit(c::hours::min()).Remaining(), absl::ZeroDuration());
  EXPECT_EQ(WaitLimit(c::hours::min()).Started().Remaining(),
            absl::ZeroDuration());
}

TEST(WaitLimitTest, PassedIfAWaitWouldBeOverAfterOneLook) {
  ManualClock clock;
  std::stop_source stop;
  EXPECT_TRUE(WaitLimit(absl::ZeroDuration()).Passed());
  EXPECT_TRUE(WaitLimit(absl::ZeroDuration()).Started().Passed());
  EXPECT_FALSE(WaitLimit().Passed());
  const WaitLimit limit(c::seconds(1), stop.get_token());
  const WaitLimit started = limit.Started();
  EXPECT_FALSE(limit.Passed());
  EXPECT_FALSE(started.Passed());
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(limit.Passed());
  EXPECT_TRUE(started.Passed());
  stop.request_stop();
  EXPECT_TRUE(limit.Passed());
  EXPECT_TRUE(WaitLimit(stop.get_token()).Passed());
}

TEST(WaitLimitTest, AtMostGivesTheShorterOne) {
  ManualClock clock;
  const WaitLimit second = absl::Seconds(1);
  EXPECT_EQ(second.AtMost(c::milliseconds(20)).Remaining(),
            absl::Milliseconds(20));
  EXPECT_EQ(second.AtMost(absl::Seconds(2)).Remaining(), absl::Seconds(1));
  EXPECT_EQ(second.AtMost(-absl::InfiniteDuration()).Remaining(),
            absl::ZeroDuration());
  EXPECT_EQ(WaitLimit().AtMost(absl::Seconds(2)).Remaining(), absl::Seconds(2));
  EXPECT_EQ(WaitLimit().AtMost(c::hours::max()).Remaining(),
            absl::InfiniteDuration());
}

TEST(WaitLimitTest, AtMostCountsFromNowIfTheClockRuns) {
  ManualClock clock;
  const WaitLimit started = WaitLimit(absl::Seconds(1)).Started();
  clock.Advance(absl::Milliseconds(900));
  const WaitLimit step = started.AtMost(c::milliseconds(20));
  EXPECT_TRUE(step.started());
  clock.Advance(absl::Milliseconds(15));
  EXPECT_EQ(step.Remaining(), absl::Milliseconds(5));
  EXPECT_EQ(started.AtMost(c::seconds(1)).Remaining(), absl::Milliseconds(85));
  EXPECT_TRUE(started.AtMost(c::seconds(-1)).Passed());
}

TEST(WaitLimitTest, AtMostKeepsTheStopToken) {
  std::stop_source stop;
  EXPECT_TRUE(
      WaitLimit(stop.get_token()).AtMost(absl::Seconds(1)).stop_token() ==
      stop.get_token());
}

}  // namespace
}  // namespace heddle
