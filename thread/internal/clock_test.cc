#include "heddle/thread/internal/clock.h"

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/manual_clock.h"

namespace heddle {
namespace internal {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(DeadlineTest, NeverNeverPasses) {
  EXPECT_TRUE(Deadline::Never().IsNever());
  EXPECT_FALSE(Deadline::Never().IsPast());
  EXPECT_FALSE(Deadline::Never().HasPassed());
}

TEST(DeadlineTest, PastHasAlwaysPassed) {
  EXPECT_TRUE(Deadline::Past().IsPast());
  EXPECT_FALSE(Deadline::Past().IsNever());
  EXPECT_TRUE(Deadline::Past().HasPassed());
}

TEST(DeadlineTest, AfterZeroOrLessIsPast) {
  for (const int64_t nanos : {int64_t{0}, int64_t{-1}, kMin + 1, kMin})
    EXPECT_TRUE(Deadline::After(nanos).IsPast()) << nanos;
}

TEST(DeadlineTest, AfterWhatTheClockCannotHoldIsNever) {
  ManualClock clock;
  const int64_t now = Clock::Now();
  EXPECT_TRUE(Deadline::After(kMax).IsNever());
  EXPECT_TRUE(Deadline::After(kMax - 1).IsNever());
  EXPECT_TRUE(Deadline::After(kMax - now).IsNever());
  EXPECT_EQ(Deadline::After(kMax - now - 1), Deadline(kMax - 1));
}

TEST(DeadlineTest, AfterCountsFromNow) {
  ManualClock clock;
  const Deadline deadline = Deadline::After(10);
  EXPECT_EQ(deadline.nanos(), Clock::Now() + 10);
  clock.Advance(absl::Nanoseconds(9));
  EXPECT_FALSE(deadline.HasPassed());
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(deadline.HasPassed());
  clock.Advance(absl::Hours(1));
  EXPECT_TRUE(deadline.HasPassed());
}

TEST(ClockTest, NeverGoesBackAndIsNeverNegative) {
  int64_t previous = Clock::Now();
  EXPECT_GE(previous, 0);
  for (int i = 0; i < 100000; ++i) {
    const int64_t now = Clock::Now();
    ASSERT_GE(now, previous);
    previous = now;
  }
}

TEST(ClockTest, Moves) {
  const int64_t begin = Clock::Now();
  while (Clock::Now() == begin) {
  }
}

TEST(ClockTest, ASubstituteTakesTheMachinesPlaceWhileItExists) {
  EXPECT_EQ(Clock::substitute(), nullptr);
  {
    ManualClock clock;
    EXPECT_EQ(Clock::substitute(), &clock);
    const int64_t now = Clock::Now();
    EXPECT_EQ(Clock::Now(), now);
    clock.Advance(absl::Seconds(1));
    EXPECT_EQ(Clock::Now(), now + 1'000'000'000);
  }
  EXPECT_EQ(Clock::substitute(), nullptr);
}

TEST(ManualClockTest, AdvanceReturnsWhenThoseWhoseTimeHasComeAreAwake) {
  ManualClock clock;
  Atomic<uint32_t> word{0};
  std::atomic<int> ended{0};
  const Deadline soon = Deadline::After(1000);
  const Deadline later = Deadline::After(2000);
  std::thread first([&] {
    while (clock.Wait(word, 0, soon)) {
    }
    ++ended;
  });
  std::thread second([&] {
    while (clock.Wait(word, 0, later)) {
    }
    ++ended;
  });
  clock.AwaitSleepers(2);
  clock.Advance(absl::Nanoseconds(1000));
  first.join();
  EXPECT_EQ(ended.load(), 1);
  clock.Advance(absl::Nanoseconds(1000));
  second.join();
  EXPECT_EQ(ended.load(), 2);
}

TEST(ManualClockTest, WaitWhoseDeadlineHasComeEndsAtOnce) {
  ManualClock clock;
  Atomic<uint32_t> word{0};
  const Deadline deadline = Deadline::After(1);
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(clock.Wait(word, 0, deadline));
}

}  // namespace
}  // namespace internal
}  // namespace heddle
