#include "heddle/sync/semaphore.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;
using sync_internal::AwaitWaiters;
using sync_internal::Background;
using sync_internal::WaitersOf;

// What all blocking waits promise is tested in blocking_wait_test.cc.

constinit Semaphore constant_initialized(3);
constinit BoundedSemaphore bounded_constant_initialized(3);

TEST(SemaphoreTest, IsConstantInitializedAndSmall) {
  EXPECT_EQ(constant_initialized.value(), 3);
  EXPECT_EQ(bounded_constant_initialized.value(), 3);
  EXPECT_EQ(sizeof(Semaphore), 8u);
  EXPECT_EQ(sizeof(BoundedSemaphore), 16u);
}

constexpr int64_t kMax = INT64_MAX;

template <typename SomeSemaphore>
class SemaphoresTest : public testing::Test {};
using Semaphores = testing::Types<Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(SemaphoresTest, Semaphores);

TYPED_TEST(SemaphoresTest, BeginsWithOneUnitUnlessToldOtherwise) {
  EXPECT_EQ(TypeParam().value(), 1);
  EXPECT_EQ(TypeParam(0).value(), 0);
  EXPECT_EQ(TypeParam(7).value(), 7);
  EXPECT_EQ(TypeParam(kMax).value(), kMax);
}

TYPED_TEST(SemaphoresTest, GivesAsManyUnitsAsItHas) {
  TypeParam semaphore(3);
  EXPECT_TRUE(semaphore.Acquire());
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_TRUE(semaphore.Acquire(absl::ZeroDuration()));
  EXPECT_EQ(semaphore.value(), 0);
  EXPECT_FALSE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.Acquire(absl::ZeroDuration()));
  EXPECT_EQ(semaphore.value(), 0);
  semaphore.Release();
  EXPECT_EQ(semaphore.value(), 1);
  EXPECT_TRUE(semaphore.TryAcquire());
}

TYPED_TEST(SemaphoresTest, ReleaseGivesBackSeveralAtOnce) {
  TypeParam semaphore(5);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(semaphore.TryAcquire());
  semaphore.Release(3);
  EXPECT_EQ(semaphore.value(), 3);
  semaphore.Release(2);
  EXPECT_EQ(semaphore.value(), 5);
}

TYPED_TEST(SemaphoresTest, LockGuardTakesAUnit) {
  TypeParam semaphore(2);
  {
    std::lock_guard<TypeParam> one(semaphore);
    EXPECT_EQ(semaphore.value(), 1);
    std::unique_lock<TypeParam> two(semaphore, std::try_to_lock);
    EXPECT_TRUE(two.owns_lock());
    EXPECT_EQ(semaphore.value(), 0);
    std::unique_lock<TypeParam> three(semaphore, std::try_to_lock);
    EXPECT_FALSE(three.owns_lock());
  }
  EXPECT_EQ(semaphore.value(), 2);
}

TYPED_TEST(SemaphoresTest, ReleaseServesTheWaitingAndKeepsTheRest) {
  TypeParam semaphore(5);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(semaphore.TryAcquire());
  std::deque<Background> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { return semaphore.Acquire(); });
  }
  AwaitWaiters(semaphore, 3);
  EXPECT_EQ(semaphore.value(), 0);
  semaphore.Release(5);
  EXPECT_EQ(semaphore.value(), 2);
  for (Background& thread : threads) EXPECT_TRUE(thread.Result());
  EXPECT_EQ(semaphore.value(), 2);
}

// A unit that is released belongs to who waited longest, awake or not.
TYPED_TEST(SemaphoresTest, LateArrivalDoesNotOvertakeWhoWaits) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    TypeParam semaphore(1);
    EXPECT_TRUE(semaphore.TryAcquire());
    Background waits([&] { return semaphore.Acquire(); });
    AwaitWaiters(semaphore, 1);
    semaphore.Release();
    EXPECT_FALSE(semaphore.TryAcquire());
    EXPECT_FALSE(semaphore.Acquire(absl::ZeroDuration()));
    EXPECT_EQ(semaphore.value(), 0);
    EXPECT_TRUE(waits.Result());
  }
}

TYPED_TEST(SemaphoresTest, UnitsAreHandedOverInTheOrderOfArrival) {
  ManualClock clock;
  constexpr size_t kThreads = 5;
  TypeParam semaphore(1);
  EXPECT_TRUE(semaphore.TryAcquire());
  std::vector<size_t> order;  // guarded by the semaphore
  std::deque<Background> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      EXPECT_TRUE(semaphore.Acquire(absl::Hours(1)));
      order.push_back(i);
      semaphore.Release();
      return 0;
    });
    clock.AwaitSleepers(i + 1);
  }
  semaphore.Release();
  for (Background& thread : threads) thread.Result();
  EXPECT_EQ(order, (std::vector<size_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(semaphore.value(), 1);
}

TYPED_TEST(SemaphoresTest, UnitIsKeptIfAllWhoWaitedHaveGivenUp) {
  ManualClock clock;
  TypeParam semaphore(1);
  EXPECT_TRUE(semaphore.TryAcquire());
  Background gives_up([&] { return semaphore.Acquire(absl::Seconds(1)); });
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(gives_up.Result());
  EXPECT_EQ(semaphore.value(), 0);
  semaphore.Release();
  EXPECT_EQ(semaphore.value(), 1);
  EXPECT_TRUE(semaphore.TryAcquire());
}

// So many at a time, and no more.
TYPED_TEST(SemaphoresTest, NeverGivesMoreUnitsThanThereAre) {
  constexpr int kRounds = 500;
  constexpr int kUnits = 2;
  TypeParam semaphore(kUnits);
  std::atomic<int> inside{0};
  const auto work = [&] {
    for (int i = 0; i < kRounds; ++i) {
      if (i % 3 == 0) {
        if (!semaphore.Acquire(absl::Microseconds(i % 50))) continue;
      } else if (i % 3 == 1) {
        if (!semaphore.TryAcquire()) continue;
      } else {
        semaphore.Acquire();
      }
      EXPECT_LE(++inside, kUnits);
      if (i % 10 == 0) std::this_thread::yield();
      --inside;
      semaphore.Release();
    }
  };
  RunConcurrently(1, work, work, work, work, work);
  EXPECT_EQ(semaphore.value(), kUnits);
  EXPECT_EQ(WaitersOf(semaphore), 0);
}

// Releases of several against waits of all kinds: units are neither lost nor
// made.
TEST(SemaphoreTest, UnitsAreConserved) {
  constexpr int kIterations = 500;
  Semaphore semaphore(0);
  std::atomic<int64_t> taken{0};
  int round = 0;
  RunConcurrently(
      kIterations, [&] { semaphore.Release(3); },
      [&] {
        semaphore.Acquire();
        ++taken;
      },
      [&] {
        if (semaphore.Acquire(absl::Microseconds(++round % 40))) ++taken;
      },
      [&] {
        if (semaphore.TryAcquire()) ++taken;
      });
  EXPECT_EQ(taken.load() + semaphore.value(), 3 * kIterations);
}

TEST(SemaphoreTest, AnyThreadMayReleaseMoreThanThereWereAtFirst) {
  Semaphore semaphore(0);
  Background other([&] {
    semaphore.Release(2);
    return 0;
  });
  EXPECT_TRUE(semaphore.Acquire());
  other.Result();
  semaphore.Release(kMax - 1);
  EXPECT_EQ(semaphore.value(), kMax);
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_EQ(semaphore.value(), kMax - 1);
}

TEST(SemaphoreTest, ReleaseOfAllThereCanBeServesTheWaitingToo) {
  Semaphore semaphore(0);
  Background waits([&] { return semaphore.Acquire(); });
  AwaitWaiters(semaphore, 1);
  semaphore.Release(kMax);
  EXPECT_TRUE(waits.Result());
  EXPECT_EQ(semaphore.value(), kMax - 1);
}

#ifdef ABSL_HAVE_EXCEPTIONS
TYPED_TEST(SemaphoresTest, NegativeInitialValueThrows) {
  EXPECT_THROW(TypeParam(-1), std::invalid_argument);
  EXPECT_THROW(TypeParam(INT64_MIN), std::invalid_argument);
}

TYPED_TEST(SemaphoresTest, ReleaseOfFewerThanOneThrowsAndChangesNothing) {
  TypeParam semaphore(5);
  EXPECT_TRUE(semaphore.TryAcquire());
  for (const int64_t count : {int64_t{0}, int64_t{-1}, INT64_MIN}) {
    EXPECT_THROW(semaphore.Release(count), std::invalid_argument) << count;
    EXPECT_EQ(semaphore.value(), 4);
  }
}

// The error is found while threads wait, too; then nobody is served.
TYPED_TEST(SemaphoresTest, ReleaseThatThrowsServesNobody) {
  ManualClock clock;
  TypeParam semaphore(1);
  EXPECT_TRUE(semaphore.TryAcquire());
  Background waits([&] { return semaphore.Acquire(absl::Hours(1)); });
  clock.AwaitSleepers(1);
  EXPECT_THROW(semaphore.Release(0), std::invalid_argument);
  EXPECT_EQ(WaitersOf(semaphore), 1);
  semaphore.Release();
  EXPECT_TRUE(waits.Result());
}

TEST(SemaphoreTest, ReleaseThatOverflowsThrowsAndChangesNothing) {
  Semaphore semaphore(1);
  EXPECT_THROW(semaphore.Release(kMax), std::overflow_error);
  EXPECT_EQ(semaphore.value(), 1);
  semaphore.Release(kMax - 1);
  EXPECT_EQ(semaphore.value(), kMax);
  EXPECT_THROW(semaphore.Release(), std::overflow_error);
  EXPECT_THROW(semaphore.Release(kMax), std::overflow_error);
  EXPECT_EQ(semaphore.value(), kMax);
  EXPECT_TRUE(semaphore.TryAcquire());
}

TEST(BoundedSemaphoreTest, ReleaseOverTheBoundThrowsAndChangesNothing) {
  BoundedSemaphore semaphore(3);
  EXPECT_THROW(semaphore.Release(), std::invalid_argument);
  EXPECT_EQ(semaphore.value(), 3);
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_TRUE(semaphore.TryAcquire());
  // All or nothing.
  EXPECT_THROW(semaphore.Release(3), std::invalid_argument);
  EXPECT_THROW(semaphore.Release(kMax), std::invalid_argument);
  EXPECT_EQ(semaphore.value(), 1);
  semaphore.Release(2);
  EXPECT_EQ(semaphore.value(), 3);
  EXPECT_THROW(semaphore.Release(), std::invalid_argument);
}

TEST(BoundedSemaphoreTest, ReleaseOfNoneThereEverWereThrows) {
  BoundedSemaphore semaphore(0);
  EXPECT_THROW(semaphore.Release(), std::invalid_argument);
  EXPECT_EQ(semaphore.value(), 0);
  EXPECT_FALSE(semaphore.TryAcquire());
}

TEST(BoundedSemaphoreTest, OfTheLargestBoundRefusesOneMore) {
  BoundedSemaphore semaphore(kMax);
  EXPECT_ANY_THROW(semaphore.Release());
  EXPECT_EQ(semaphore.value(), kMax);
}

TEST(BoundedSemaphoreTest, ReleaseOverTheBoundServesNobodyWhoWaits) {
  ManualClock clock;
  BoundedSemaphore semaphore(2);
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_TRUE(semaphore.TryAcquire());
  Background first([&] { return semaphore.Acquire(absl::Hours(1)); });
  clock.AwaitSleepers(1);
  Background second([&] { return semaphore.Acquire(absl::Hours(1)); });
  clock.AwaitSleepers(2);
  EXPECT_THROW(semaphore.Release(3), std::invalid_argument);
  EXPECT_EQ(WaitersOf(semaphore), 2);
  semaphore.Release(2);
  EXPECT_TRUE(first.Result());
  EXPECT_TRUE(second.Result());
}

template <typename Call>
std::string ErrorOf(Call call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(BoundedSemaphoreTest, TheLargestBoundIsABoundToo) {
  BoundedSemaphore semaphore(kMax);
  EXPECT_THROW(semaphore.Release(), std::invalid_argument);
  EXPECT_EQ(semaphore.value(), kMax);
}

TEST(SemaphoreTest, ErrorsSayWhatWasWrong) {
  EXPECT_EQ(ErrorOf([] { Semaphore semaphore(-1); }),
            "Semaphore: the initial value must not be negative");
  EXPECT_EQ(ErrorOf([] { Semaphore().Release(-2); }),
            "Semaphore::Release: the count must be one or more, not -2");
  EXPECT_EQ(ErrorOf([] { Semaphore(1).Release(kMax); }),
            "Semaphore::Release: 1 + 9223372036854775807 is over 2^63 - 1");
  EXPECT_EQ(ErrorOf([] { BoundedSemaphore(4).Release(2); }),
            "BoundedSemaphore::Release: released too many times: 4 + 2 is over "
            "4");
}
#else
TYPED_TEST(SemaphoresTest, ErrorsAreFatalWithoutExceptions) {
  EXPECT_DEATH(TypeParam(-1), "heddle: fatal: Semaphore: the initial value");
  EXPECT_DEATH(TypeParam(1).Release(0), "heddle: fatal: Semaphore::Release: ");
}
#endif

TEST(SemaphoreTest, DebugStringTellsTheValueAndHowManyWait) {
  Semaphore semaphore(2);
  EXPECT_EQ(semaphore.DebugString(), "Semaphore(value=2, waiters=0)");
  semaphore.Acquire();
  semaphore.Acquire();
  Background waits([&] { return semaphore.Acquire(); });
  AwaitWaiters(semaphore, 1);
  std::ostringstream out;
  out << semaphore;
  EXPECT_EQ(out.str(), "Semaphore(value=0, waiters=1)");
  semaphore.Release();
  EXPECT_TRUE(waits.Result());
}

TEST(BoundedSemaphoreTest, DebugStringTellsTheBoundToo) {
  BoundedSemaphore semaphore(3);
  semaphore.Acquire();
  std::ostringstream out;
  out << semaphore;
  EXPECT_EQ(out.str(), "BoundedSemaphore(value=2/3, waiters=0)");
  EXPECT_EQ(semaphore.DebugString(), out.str());
}

}  // namespace
}  // namespace heddle
