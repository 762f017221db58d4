#include "heddle/thread/wait_limit.h"

#include <cstdint>
#include <limits>
#include <stop_token>
#include <type_traits>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/manual_clock.h"

namespace heddle {
namespace {

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

}  // namespace
}  // namespace heddle
