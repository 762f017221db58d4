#include "heddle/sync/latch.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <sstream>
#include <stdexcept>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/thread/internal/run_concurrently.h"

namespace heddle {
namespace {

using internal::RunConcurrently;
using sync_internal::AwaitWaiters;
using sync_internal::Background;
using sync_internal::WaitersOf;

// What all blocking waits promise is tested in blocking_wait_test.cc.

constinit Latch constant_initialized(1);

TEST(LatchTest, IsConstantInitializedAndFourBytes) {
  EXPECT_FALSE(constant_initialized.TryWait());
  EXPECT_EQ(sizeof(Latch), 4u);
}

TEST(LatchTest, OfNothingIsOpen) {
  Latch latch(0);
  EXPECT_TRUE(latch.TryWait());
  EXPECT_TRUE(latch.Wait());
  EXPECT_TRUE(latch.Wait(-absl::InfiniteDuration()));
}

TEST(LatchTest, OpensAtZeroForEverAfter) {
  Latch latch(3);
  latch.CountDown();
  EXPECT_FALSE(latch.TryWait());
  EXPECT_FALSE(latch.Wait(absl::ZeroDuration()));
  latch.CountDown(2);
  EXPECT_TRUE(latch.TryWait());
  EXPECT_TRUE(latch.Wait());
  EXPECT_TRUE(latch.Wait(absl::ZeroDuration()));
}

TEST(LatchTest, CountDownByNoneChangesNothing) {
  Latch latch(1);
  latch.CountDown(0);
  EXPECT_FALSE(latch.TryWait());
  Background waits([&] { return latch.Wait(); });
  AwaitWaiters(latch, 1);
  latch.CountDown(0);
  EXPECT_EQ(WaitersOf(latch), 1);
  latch.CountDown();
  EXPECT_TRUE(waits.Result());
  latch.CountDown(0);
  EXPECT_TRUE(latch.TryWait());
}

TEST(LatchTest, CountDownThatDoesNotReachZeroReleasesNobody) {
  Latch latch(5);
  std::deque<Background> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { return latch.Wait(); });
  }
  AwaitWaiters(latch, 3);
  latch.CountDown(2);
  latch.CountDown(2);
  EXPECT_EQ(latch.DebugString(), "Latch(count=1, waiters=3)");
  for (const Background& thread : threads) EXPECT_TRUE(thread.IsAlive());
  latch.CountDown();
  for (Background& thread : threads) EXPECT_TRUE(thread.Result());
  EXPECT_EQ(latch.DebugString(), "Latch(count=0, waiters=0)");
}

TEST(LatchTest, TakesTheLargestCount) {
  Latch latch(Latch::kMax);
  latch.CountDown(Latch::kMax - 1);
  EXPECT_FALSE(latch.TryWait());
  latch.CountDown();
  EXPECT_TRUE(latch.TryWait());
}

TEST(LatchTest, ArriveAndWaitWaitsForTheOthers) {
  constexpr int kIterations = 300;
  std::deque<Latch> latches;
  for (int i = 0; i < kIterations; ++i) latches.emplace_back(3u);
  std::atomic<int> arrived{0};
  size_t rounds[3] = {};
  const auto arrive = [&](size_t& round) {
    Latch& latch = latches[round++];
    ++arrived;
    EXPECT_TRUE(latch.ArriveAndWait());
    EXPECT_GE(arrived.load(), 3 * static_cast<int>(round));
  };
  RunConcurrently(
      kIterations, [&] { arrive(rounds[0]); }, [&] { arrive(rounds[1]); },
      [&] { arrive(rounds[2]); });
}

TEST(LatchTest, ArriveAndWaitCountsDownByMoreThanOne) {
  Latch latch(4);
  EXPECT_FALSE(latch.ArriveAndWait(3, absl::ZeroDuration()));
  EXPECT_TRUE(latch.ArriveAndWait());
}

// For ThreadSanitizer: what came before each of the counts, not the last alone.
TEST(LatchTest, WhatCameBeforeEachCountDownIsVisibleAfterTheWait) {
  constexpr int kIterations = 300;
  struct Case {
    Latch latch{2};
    int first = 0;
    int second = 0;
  };
  std::deque<Case> cases(kIterations);
  size_t rounds[4] = {};
  RunConcurrently(
      kIterations,
      [&] {
        Case& c = cases[rounds[0]++];
        c.first = 1;
        c.latch.CountDown();
      },
      [&] {
        Case& c = cases[rounds[1]++];
        c.second = 2;
        c.latch.CountDown();
      },
      [&] {
        Case& c = cases[rounds[2]++];
        EXPECT_TRUE(c.latch.Wait());
        EXPECT_EQ(c.first + c.second, 3);
      },
      [&] {
        Case& c = cases[rounds[3]++];
        if (c.latch.TryWait()) {
          EXPECT_EQ(c.first + c.second, 3);
        }
      });
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(LatchTest, CountDownBelowZeroThrowsAndChangesNothing) {
  Latch latch(2);
  EXPECT_THROW(latch.CountDown(3), std::logic_error);
  EXPECT_THROW(latch.CountDown(UINT32_MAX), std::logic_error);
  EXPECT_THROW(latch.ArriveAndWait(3), std::logic_error);
  EXPECT_EQ(latch.DebugString(), "Latch(count=2, waiters=0)");
  latch.CountDown(2);
  EXPECT_THROW(latch.CountDown(), std::logic_error);
  EXPECT_TRUE(latch.TryWait());
}

TEST(LatchTest, CountDownBelowZeroReleasesNobodyWhoWaits) {
  Latch latch(1);
  Background waits([&] { return latch.Wait(); });
  AwaitWaiters(latch, 1);
  EXPECT_THROW(latch.CountDown(2), std::logic_error);
  EXPECT_EQ(WaitersOf(latch), 1);
  latch.CountDown();
  EXPECT_TRUE(waits.Result());
}

// Of several that are too many, as many succeed as there are counts.
TEST(LatchTest, RacingCountDownsTakeNoMoreThanThereIs) {
  constexpr int kIterations = 300;
  std::deque<Latch> latches;
  for (int i = 0; i < kIterations; ++i) latches.emplace_back(2u);
  std::atomic<int> counted{0};
  size_t rounds[4] = {};
  const auto count_down = [&](size_t& round) {
    try {
      latches[round++].CountDown();
      ++counted;
    } catch (const std::logic_error&) {
    }
  };
  RunConcurrently(
      kIterations, [&] { count_down(rounds[0]); },
      [&] { count_down(rounds[1]); }, [&] { count_down(rounds[2]); },
      [&] { EXPECT_TRUE(latches[rounds[3]++].Wait()); });
  EXPECT_EQ(counted.load(), 2 * kIterations);
}

TEST(LatchTest, CountOverTheMostThrows) {
  EXPECT_THROW(Latch(Latch::kMax + 1), std::invalid_argument);
  EXPECT_THROW(Latch(UINT32_MAX), std::invalid_argument);
}

TEST(LatchTest, ErrorsSayWhatWasWrong) {
  try {
    Latch(1).CountDown(2);
    FAIL() << "no exception";
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(), "Latch::CountDown: 2 is more than the count, 1");
  }
}
#else
TEST(LatchDeathTest, ErrorsAreFatalWithoutExceptions) {
  EXPECT_DEATH(Latch(1).CountDown(2), "heddle: fatal: Latch::CountDown: ");
  EXPECT_DEATH(Latch(UINT32_MAX), "heddle: fatal: Latch: ");
}
#endif

TEST(LatchTest, DebugStringTellsTheCountAndHowManyWait) {
  Latch latch(2);
  Background waits([&] { return latch.Wait(); });
  AwaitWaiters(latch, 1);
  std::ostringstream out;
  out << latch;
  EXPECT_EQ(out.str(), "Latch(count=2, waiters=1)");
  latch.CountDown(2);
  EXPECT_TRUE(waits.Result());
}

}  // namespace
}  // namespace heddle
