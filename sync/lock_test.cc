#include "heddle/sync/lock.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;
using sync_internal::AwaitWaiters;
using sync_internal::Background;

// What all locks promise is tested in lockable_test.cc, what all blocking waits
// do in blocking_wait_test.cc.

constinit Lock constant_initialized;

TEST(LockTest, IsConstantInitializedAndFourBytes) {
  EXPECT_FALSE(constant_initialized.locked());
  EXPECT_EQ(sizeof(Lock), 4u);
}

TEST(LockTest, LockedTellsWhetherAnyThreadHoldsIt) {
  Lock lock;
  EXPECT_FALSE(lock.locked());
  lock.lock();
  EXPECT_TRUE(lock.locked());
  Background other([&] { return lock.locked(); });
  EXPECT_TRUE(other.Result());
  lock.unlock();
  EXPECT_FALSE(lock.locked());
}

TEST(LockTest, IsNotRecursive) HEDDLE_UNCHECKED {
  Lock lock;
  lock.lock();
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_for(absl::Microseconds(1)));
  EXPECT_TRUE(lock.locked());
  lock.unlock();
  EXPECT_FALSE(lock.locked());
}

TEST(LockTest, ReleaseByAnotherThreadWakesAWaiter) HEDDLE_UNCHECKED {
  ManualClock clock;
  Lock lock;
  lock.lock();
  Background taker(
      [&]() HEDDLE_UNCHECKED { return lock.try_lock_for(absl::Hours(1)); });
  clock.AwaitSleepers(1);
  Background releaser([&]() HEDDLE_UNCHECKED {
    lock.unlock();
    return 0;
  });
  EXPECT_TRUE(taker.Result());
  EXPECT_TRUE(lock.locked());
  releaser.Result();
  lock.unlock();
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(LockTest, TheErrorNamesTheCall) HEDDLE_UNCHECKED {
  Lock lock;
  try {
    lock.unlock();
    FAIL() << "no exception";
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(), "Lock::unlock: the lock is not held");
  }
}
#else
TEST(LockDeathTest, TheFatalMessageNamesTheCall) {
  const auto misuse = []() HEDDLE_UNCHECKED {
    Lock lock;
    lock.unlock();
  };
  EXPECT_DEATH(misuse(), "heddle: fatal: Lock::unlock: the lock is not held");
}
#endif

TEST(LockTest, UnlockWakesOneWaiterAfterTheOtherOldestFirst) HEDDLE_UNCHECKED {
  ManualClock clock;
  constexpr int kThreads = 10;
  Lock lock;
  lock.lock();
  std::deque<Background> takers;
  for (int i = 0; i < kThreads; ++i) {
    takers.emplace_back(
        [&]() HEDDLE_UNCHECKED { return lock.try_lock_for(absl::Hours(1)); });
    clock.AwaitSleepers(static_cast<size_t>(i) + 1);
  }
  // Nobody overtakes, because nobody else comes.
  for (int i = 0; i < kThreads; ++i) {
    lock.unlock();
    EXPECT_TRUE(takers[static_cast<size_t>(i)].Result());
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(sync_internal::WaitersOf(lock), kThreads - 1 - i);
  }
  lock.unlock();
  EXPECT_FALSE(lock.locked());
}

// A newcomer takes the lock from under the nose of the one that was woken for
// it, often or seldom, as it falls: that one still comes before the other, unless
// its wake-up has grown old meanwhile (L6).
TEST(LockTest, WhoWasWokenInVainStaysTheOldest) HEDDLE_UNCHECKED {
  constexpr int kRounds = 300;
  int rounds_in_time = 0;
  for (int round = 0; round < kRounds; ++round) {
    Lock lock;
    std::vector<int> order;  // guarded by lock
    const auto take = [&](int who) HEDDLE_UNCHECKED {
      lock.lock();
      order.push_back(who);
      lock.unlock();
      return 0;
    };
    lock.lock();
    Background first([&] { return take(1); });
    AwaitWaiters(lock, 1);
    Background second([&] { return take(2); });
    AwaitWaiters(lock, 2);
    const auto woken = std::chrono::steady_clock::now();
    lock.unlock();
    for (int i = 0; i < 3; ++i) {
      if (!lock.try_lock()) continue;
      // With the lock held until the woken one queues again, or not.
      if (round % 2 == 0) std::this_thread::yield();
      lock.unlock();
    }
    const bool in_time = std::chrono::steady_clock::now() - woken <
                         std::chrono::microseconds(300);
    first.Result();
    second.Result();
    if (in_time) {
      ++rounds_in_time;
      ASSERT_EQ(order, (std::vector<int>{1, 2}));
    }
    ASSERT_EQ(order.size(), 2u);
    ASSERT_FALSE(lock.locked());
  }
  EXPECT_GT(rounds_in_time, 0);
}

// The holder never waits for long: a storm of newcomers, one sleeper.
TEST(LockTest, WaiterAmongNewcomersGetsTheLockWhenTheyAreDone) {
  constexpr int kRounds = 2000;
  Lock lock;
  int64_t count = 0;  // guarded by lock
  const auto come_and_go = [&] {
    for (int i = 0; i < kRounds; ++i) {
      LockGuard guard(lock);
      ++count;
    }
  };
  RunConcurrently(3, come_and_go, come_and_go, [&] {
    LockGuard guard(lock);
    ++count;
  });
  EXPECT_EQ(count, 3 * (2 * kRounds + 1));
  EXPECT_EQ(lock.DebugString(), "Lock(unlocked, waiters=0)");
}

TEST(LockTest, GuardsWhatIsAnnotated) {
  struct {
    Lock lock;
    int64_t count ABSL_GUARDED_BY(lock) = 0;
  } shared;
  const auto increment = [&] {
    for (int i = 0; i < 1000; ++i) {
      LockGuard guard(shared.lock);
      ++shared.count;
    }
  };
  RunConcurrently(1, increment, increment);
  LockGuard guard(shared.lock);
  EXPECT_EQ(shared.count, 2000);
}

TEST(LockTest, DebugStringTellsWhetherItIsHeldAndHowManyWait)
HEDDLE_UNCHECKED {
  Lock lock;
  EXPECT_EQ(lock.DebugString(), "Lock(unlocked, waiters=0)");
  lock.lock();
  EXPECT_EQ(lock.DebugString(), "Lock(locked, waiters=0)");
  Background taker([&]() HEDDLE_UNCHECKED {
    return lock.try_lock_for(absl::InfiniteDuration());
  });
  AwaitWaiters(lock, 1);
  std::ostringstream out;
  out << lock;
  EXPECT_EQ(out.str(), "Lock(locked, waiters=1)");
  lock.unlock();
  EXPECT_TRUE(taker.Result());
  EXPECT_EQ(lock.DebugString(), "Lock(locked, waiters=0)");
  lock.unlock();
}

}  // namespace
}  // namespace heddle
