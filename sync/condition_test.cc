#include "heddle/sync/condition.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;
using sync_internal::AwaitWaiters;
using sync_internal::Background;
using sync_internal::LockWaitersOf;
using sync_internal::WaitersOf;

// What all blocking waits promise is tested in blocking_wait_test.cc; what the
// condition promises as a lock in lockable_test.cc.

// The rules that are the same whatever the lock.
template <typename Lockable>
class ConditionTest : public testing::Test {
 protected:
  // Waits in another thread; the result is Wait()'s.
  Background Waiting(const WaitLimit& limit = {}) {
    return Background([this, limit] { return Wait(limit); });
  }
  bool Wait(const WaitLimit& limit) HEDDLE_UNCHECKED {
    lock_.lock();
    const bool notified = condition_.Wait(limit);
    EXPECT_TRUE(lock_.locked());
    lock_.unlock();
    return notified;
  }

  void Notify(int64_t count) HEDDLE_UNCHECKED {
    lock_.lock();
    condition_.Notify(count);
    lock_.unlock();
  }

  Lockable lock_;
  Condition condition_{lock_};
};
using ConditionLocks = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(ConditionTest, ConditionLocks);

TYPED_TEST(ConditionTest, IsItsLock) HEDDLE_UNCHECKED {
  Condition& condition = this->condition_;
  condition.lock();
  EXPECT_TRUE(this->lock_.locked());
  condition.unlock();
  EXPECT_FALSE(this->lock_.locked());
  EXPECT_TRUE(condition.try_lock());
  EXPECT_TRUE(condition.locked());
  condition.unlock();
  this->lock_.lock();
  EXPECT_TRUE(condition.locked());
  this->lock_.unlock();
}

TYPED_TEST(ConditionTest, NotifyWakesExactlySoManyOldestFirst) {
  ManualClock clock;
  std::deque<Background> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([this] { return this->Wait(absl::Hours(1)); });
    clock.AwaitSleepers(static_cast<size_t>(i) + 1);
  }
  const auto expect_waiting = [&](int count) {
    EXPECT_EQ(WaitersOf(this->condition_), count);
  };
  this->Notify(1);
  EXPECT_TRUE(threads[0].Result());
  expect_waiting(5);
  this->Notify(3);
  for (size_t i = 1; i <= 3; ++i) EXPECT_TRUE(threads[i].Result());
  expect_waiting(2);
  this->Notify(7);
  for (size_t i = 4; i <= 5; ++i) EXPECT_TRUE(threads[i].Result());
  expect_waiting(0);
}

TYPED_TEST(ConditionTest, NotifyOfNoneOrFewerWakesNobody) {
  ManualClock clock;
  Background thread = this->Waiting(absl::Hours(1));
  clock.AwaitSleepers(1);
  this->Notify(0);
  this->Notify(-1);
  this->Notify(INT64_MIN);
  EXPECT_EQ(WaitersOf(this->condition_), 1);
  clock.Advance(absl::Hours(1));
  EXPECT_FALSE(thread.Result());
}

TYPED_TEST(ConditionTest, NotifyIsNotRememberedWithNobodyThere) {
  ManualClock clock;
  this->Notify(1);
  this->Notify(INT64_MAX);
  Background thread = this->Waiting(absl::Hours(1));
  clock.AwaitSleepers(1);
  EXPECT_EQ(WaitersOf(this->condition_), 1);
  clock.Advance(absl::Hours(1));
  EXPECT_FALSE(thread.Result());
  // Nor is more than there were to wake.
  Background first = this->Waiting(absl::Hours(1));
  clock.AwaitSleepers(1);
  this->Notify(5);
  EXPECT_TRUE(first.Result());
  Background second = this->Waiting(absl::Hours(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Hours(1));
  EXPECT_FALSE(second.Result());
}

// They are queued for the lock, and get it one after the other.
TYPED_TEST(ConditionTest, NotifiedThreadReturnsOnlyWithTheLock)
HEDDLE_UNCHECKED {
  std::vector<int> order;  // guarded by the lock
  std::deque<Background> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i]() HEDDLE_UNCHECKED {
      this->lock_.lock();
      this->condition_.Wait();
      order.push_back(i);
      this->lock_.unlock();
      return 0;
    });
    AwaitWaiters(this->condition_, i + 1);
  }
  this->lock_.lock();
  this->condition_.NotifyAll();
  EXPECT_EQ(WaitersOf(this->condition_), 0);
  EXPECT_EQ(WaitersOf(this->lock_), 3);
  EXPECT_TRUE(order.empty());
  for (const Background& thread : threads) EXPECT_TRUE(thread.IsAlive());
  this->lock_.unlock();
  for (Background& thread : threads) thread.Result();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  EXPECT_FALSE(this->lock_.locked());
}

// The notified thread waits for the lock without a limit, and says true.
TYPED_TEST(ConditionTest, NotifyThatWasSpentMeansTrueThoughTheLimitPasses)
HEDDLE_UNCHECKED {
  ManualClock clock;
  Background thread = this->Waiting(absl::Seconds(1));
  clock.AwaitSleepers(1);
  this->lock_.lock();
  this->condition_.Notify();
  clock.Advance(absl::Seconds(2));
  EXPECT_TRUE(thread.IsAlive());
  this->lock_.unlock();
  EXPECT_TRUE(thread.Result());
}

TYPED_TEST(ConditionTest, NotifyThatWasSpentMeansTrueThoughAStopComes)
HEDDLE_UNCHECKED {
  std::stop_source stop;
  Background thread = this->Waiting(stop.get_token());
  AwaitWaiters(this->condition_, 1);
  this->lock_.lock();
  this->condition_.Notify();
  stop.request_stop();
  EXPECT_TRUE(thread.IsAlive());
  this->lock_.unlock();
  EXPECT_TRUE(thread.Result());
}

// It is no longer there to be notified, although it has not got the lock back.
TYPED_TEST(ConditionTest, NotifyIsNotSpentOnAWaitThatHasGivenUp)
HEDDLE_UNCHECKED {
  ManualClock clock;
  Background gives_up = this->Waiting(absl::Seconds(1));
  clock.AwaitSleepers(1);
  Background stays = this->Waiting(absl::Hours(1));
  clock.AwaitSleepers(2);
  this->lock_.lock();
  clock.Advance(absl::Seconds(1));
  AwaitWaiters(this->lock_, 1);  // given up, and waits for the lock
  this->condition_.Notify();
  this->lock_.unlock();
  EXPECT_FALSE(gives_up.Result());
  EXPECT_TRUE(stays.Result());
}

TYPED_TEST(ConditionTest, LockIsTakenAgainInEveryCaseWithoutALimit)
HEDDLE_UNCHECKED {
  ManualClock clock;
  Background thread = this->Waiting(absl::Seconds(1));
  clock.AwaitSleepers(1);
  this->lock_.lock();
  clock.Advance(absl::Hours(1));
  AwaitWaiters(this->lock_, 1);  // given up, and waits for the lock
  EXPECT_TRUE(thread.IsAlive());
  this->lock_.unlock();
  EXPECT_FALSE(thread.Result());
}

TYPED_TEST(ConditionTest, WaitReleasesTheLock) HEDDLE_UNCHECKED {
  Background thread = this->Waiting();
  AwaitWaiters(this->condition_, 1);
  this->lock_.lock();  // would wait for ever
  this->condition_.Notify();
  this->lock_.unlock();
  EXPECT_TRUE(thread.Result());
}

TYPED_TEST(ConditionTest, SeveralConditionsShareALock) HEDDLE_UNCHECKED {
  ManualClock clock;
  Condition other(this->lock_);
  Background here = this->Waiting(absl::Hours(1));
  clock.AwaitSleepers(1);
  Background there([&]() HEDDLE_UNCHECKED {
    this->lock_.lock();
    const bool notified = other.Wait(absl::Hours(1));
    this->lock_.unlock();
    return notified;
  });
  clock.AwaitSleepers(2);
  this->Notify(2);
  EXPECT_TRUE(here.Result());
  EXPECT_EQ(WaitersOf(other), 1);
  this->lock_.lock();
  other.NotifyAll();
  this->lock_.unlock();
  EXPECT_TRUE(there.Result());
}

// A buffer of one element, three to fill it and three to empty it.
TYPED_TEST(ConditionTest, TwoConditionsMakeAQueue) HEDDLE_UNCHECKED {
  constexpr int kRounds = 500;
  Condition& not_empty = this->condition_;
  Condition not_full(this->lock_);
  bool full = false;
  int element = 0;
  std::atomic<int64_t> sum{0};
  const auto put = [&]() HEDDLE_UNCHECKED {
    for (int i = 1; i <= kRounds; ++i) {
      std::lock_guard<TypeParam> guard(this->lock_);
      not_full.WaitFor([&] { return !full; });
      element = i;
      full = true;
      not_empty.Notify();
    }
  };
  const auto get = [&]() HEDDLE_UNCHECKED {
    for (int i = 1; i <= kRounds; ++i) {
      std::lock_guard<TypeParam> guard(this->lock_);
      not_empty.WaitFor([&] { return full; });
      full = false;
      sum += element;
      not_full.Notify();
    }
  };
  RunConcurrently(1, put, get, put, get, put, get);
  EXPECT_EQ(sum.load(), 3 * kRounds * (kRounds + 1) / 2);
  EXPECT_FALSE(full);
}

TYPED_TEST(ConditionTest, WaitForReturnsTrueAtOnceIfThePredicateIsTrue) {
  // Then the lock need not even be held.
  int calls = 0;
  const auto holds = [&] { return ++calls > 0; };
  EXPECT_TRUE(this->condition_.WaitFor(holds));
  EXPECT_TRUE(this->condition_.WaitFor(holds, -absl::Hours(1)));
  EXPECT_EQ(calls, 2);
}

TYPED_TEST(ConditionTest, WaitForWithNoTimeCallsThePredicateTwice)
HEDDLE_UNCHECKED {
  this->lock_.lock();
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Seconds(1), -absl::InfiniteDuration()}) {
    int calls = 0;
    EXPECT_FALSE(this->condition_.WaitFor(
        [&] {
          EXPECT_TRUE(this->lock_.locked());
          ++calls;
          return false;
        },
        timeout));
    EXPECT_EQ(calls, 2);
  }
  this->lock_.unlock();
}

TYPED_TEST(ConditionTest, WaitForReturnsThePredicatesLastValue)
HEDDLE_UNCHECKED {
  // What came at the last moment counts.
  this->lock_.lock();
  int calls = 0;
  EXPECT_TRUE(this->condition_.WaitFor([&] { return ++calls == 2; },
                                       absl::ZeroDuration()));
  // Truth decides, of whatever type.
  const int value = 7;
  const int* pointer = nullptr;
  EXPECT_TRUE(this->condition_.WaitFor(
      [&] {
        const int* const last = pointer;
        pointer = &value;
        return last;
      },
      absl::ZeroDuration()));
  this->lock_.unlock();
}

TYPED_TEST(ConditionTest, WaitForCallsThePredicateAfterEachNotify)
HEDDLE_UNCHECKED {
  std::atomic<int> calls{0};
  int needed = 3;  // guarded by the lock
  Background thread([&]() HEDDLE_UNCHECKED {
    this->lock_.lock();
    const bool done = this->condition_.WaitFor([&] {
      ++calls;
      return needed == 0;
    });
    this->lock_.unlock();
    return done;
  });
  for (int i = 1; i <= 3; ++i) {
    AwaitWaiters(this->condition_, 1);
    EXPECT_EQ(calls.load(), i);
    this->lock_.lock();
    --needed;
    this->condition_.Notify();
    this->lock_.unlock();
    while (calls.load() == i) std::this_thread::yield();
  }
  EXPECT_TRUE(thread.Result());
  EXPECT_EQ(calls.load(), 4);
}

TYPED_TEST(ConditionTest, WaitForHasOneDeadlineForAllItsWaits)
HEDDLE_UNCHECKED {
  ManualClock clock;
  Background thread([&]() HEDDLE_UNCHECKED {
    this->lock_.lock();
    const bool done =
        this->condition_.WaitFor([] { return false; }, absl::Seconds(10));
    this->lock_.unlock();
    return done;
  });
  for (int i = 0; i < 9; ++i) {
    clock.AwaitSleepers(1);
    AwaitWaiters(this->condition_, 1);
    clock.Advance(absl::Seconds(1));
    this->Notify(1);
  }
  AwaitWaiters(this->condition_, 1);
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_TRUE(thread.IsAlive());
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(thread.Result());
}

#ifdef ABSL_HAVE_EXCEPTIONS
template <typename Call>
std::string ErrorOf(Call call) {
  try {
    call();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "no error";
}

TYPED_TEST(ConditionTest, NothingWorksWithoutTheLock) HEDDLE_UNCHECKED {
  Condition& condition = this->condition_;
  const std::string why = std::is_same_v<TypeParam, Lock>
                              ? ": nobody holds the lock"
                              : ": this thread does not hold the lock";
  EXPECT_EQ(ErrorOf([&] { condition.Wait(); }), "Condition::Wait" + why);
  EXPECT_EQ(ErrorOf([&] { (void)condition.Wait(absl::ZeroDuration()); }),
            "Condition::Wait" + why);
  EXPECT_EQ(ErrorOf([&] { condition.WaitFor([] { return false; }); }),
            "Condition::Wait" + why);
  EXPECT_EQ(ErrorOf([&] { condition.Notify(); }), "Condition::Notify" + why);
  EXPECT_EQ(ErrorOf([&] { condition.Notify(0); }), "Condition::Notify" + why);
  EXPECT_EQ(ErrorOf([&] { condition.NotifyAll(); }), "Condition::Notify" + why);
  EXPECT_FALSE(this->lock_.locked());
  EXPECT_EQ(WaitersOf(condition), 0);
}

TYPED_TEST(ConditionTest, WhatThePredicateThrowsComesOutWithTheLockHeld)
HEDDLE_UNCHECKED {
  struct Thrown {};
  this->lock_.lock();
  EXPECT_THROW(this->condition_.WaitFor([]() -> bool { throw Thrown(); }),
               Thrown);
  EXPECT_TRUE(this->lock_.locked());
  int calls = 0;
  EXPECT_THROW((void)this->condition_.WaitFor(
                   [&] {
                     if (++calls == 2) throw Thrown();
                     return false;
                   },
                   absl::ZeroDuration()),
               Thrown);
  EXPECT_TRUE(this->lock_.locked());
  EXPECT_EQ(WaitersOf(this->condition_), 0);
  this->lock_.unlock();
  EXPECT_FALSE(this->lock_.locked());
}
#else
TYPED_TEST(ConditionTest, NothingWorksWithoutTheLock) {
  EXPECT_DEATH(this->condition_.Wait(), "heddle: fatal: Condition::Wait: ");
  EXPECT_DEATH(this->condition_.Notify(), "heddle: fatal: Condition::Notify: ");
}
#endif

// What differs between a Lock and an RLock.

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ConditionOnLockTest, AnybodyMayNotifyWhileSomebodyHoldsTheLock)
HEDDLE_UNCHECKED {
  Lock lock;
  Condition condition(lock);
  lock.lock();
  Background other([&] {
    EXPECT_EQ(ErrorOf([&] { condition.NotifyAll(); }), "no error");
    return 0;
  });
  other.Result();
  lock.unlock();
}

TEST(ConditionOnRLockTest, OnlyTheOwnerMayWaitAndNotify) HEDDLE_UNCHECKED {
  RLock lock;
  Condition condition(lock);
  lock.lock();
  Background other([&] {
    EXPECT_EQ(ErrorOf([&] { condition.NotifyAll(); }),
              "Condition::Notify: this thread does not hold the lock");
    EXPECT_EQ(ErrorOf([&] { (void)condition.Wait(absl::ZeroDuration()); }),
              "Condition::Wait: this thread does not hold the lock");
    return 0;
  });
  other.Result();
  EXPECT_TRUE(lock.is_owned());
  lock.unlock();
}
#endif

TEST(ConditionOnLockTest, WaitGoesOnWhereAnotherThreadReleasedTheLock)
HEDDLE_UNCHECKED {
  // A Lock may be released by anybody, also by who is not notifying.
  Lock lock;
  Condition condition(lock);
  lock.lock();
  Background thread([&]() HEDDLE_UNCHECKED {
    return condition.Wait();  // with the lock that main() has taken
  });
  AwaitWaiters(condition, 1);
  lock.lock();  // given up by Wait()
  condition.Notify();
  lock.unlock();
  EXPECT_TRUE(thread.Result());
  EXPECT_TRUE(lock.locked());
  lock.unlock();
}

TEST(ConditionOnRLockTest, WaitReleasesAllLevelsAndRestoresThem)
HEDDLE_UNCHECKED {
  RLock lock;
  Condition condition(lock);
  Background thread([&]() HEDDLE_UNCHECKED {
    for (int i = 0; i < 3; ++i) lock.lock();
    EXPECT_TRUE(condition.Wait());
    EXPECT_TRUE(lock.is_owned());
    const uint32_t count = lock.recursion_count();
    for (uint32_t i = 0; i < count; ++i) lock.unlock();
    return static_cast<int>(count);
  });
  AwaitWaiters(condition, 1);
  EXPECT_FALSE(lock.locked());
  lock.lock();
  lock.lock();
  condition.Notify();
  lock.unlock();
  lock.unlock();
  EXPECT_EQ(thread.Result(), 3);
  EXPECT_FALSE(lock.locked());
}

TEST(ConditionOnRLockTest, WaitThatTimesOutRestoresAllLevelsToo)
HEDDLE_UNCHECKED {
  RLock lock;
  Condition condition(lock);
  lock.lock();
  lock.lock();
  EXPECT_FALSE(condition.Wait(absl::ZeroDuration()));
  EXPECT_FALSE(condition.Wait(absl::Microseconds(100)));
  EXPECT_EQ(lock.recursion_count(), 2u);
  EXPECT_FALSE(condition.WaitFor([] { return false; }, absl::ZeroDuration()));
  EXPECT_EQ(lock.recursion_count(), 2u);
  lock.unlock();
  lock.unlock();
  EXPECT_FALSE(lock.locked());
}

// Each condition's waits restore the counts of their own threads.
TEST(ConditionOnRLockTest, ThreadsOfDifferentDepthsTakeTurns) HEDDLE_UNCHECKED {
  constexpr int kRounds = 300;
  RLock lock;
  Condition condition(lock);
  int turn = 0;  // guarded by lock
  const auto play = [&](int who, int depth) HEDDLE_UNCHECKED {
    for (int i = 0; i < kRounds; ++i) {
      for (int level = 0; level < depth; ++level) lock.lock();
      condition.WaitFor([&] { return turn == who; });
      EXPECT_EQ(lock.recursion_count(), static_cast<uint32_t>(depth));
      turn = (turn + 1) % 3;
      condition.NotifyAll();
      for (int level = 0; level < depth; ++level) lock.unlock();
    }
  };
  RunConcurrently(
      1, [&] { play(0, 1); }, [&] { play(1, 2); }, [&] { play(2, 5); });
  EXPECT_EQ(turn, 0);
  EXPECT_FALSE(lock.locked());
}

TEST(ConditionOfItsOwnTest, HasARecursiveLock) HEDDLE_UNCHECKED {
  Condition condition;
  condition.lock();
  EXPECT_TRUE(condition.try_lock());
  EXPECT_FALSE(condition.Wait(absl::ZeroDuration()));
  condition.unlock();
  EXPECT_TRUE(condition.locked());
  condition.unlock();
  EXPECT_FALSE(condition.locked());
}

// The lock is inside the condition: they must not take each other's waiters.
TEST(ConditionOfItsOwnTest, WaitersForItsLockAreKeptApartFromItsOwn)
HEDDLE_UNCHECKED {
  ManualClock clock;
  Condition condition;
  Background notified([&]() HEDDLE_UNCHECKED {
    condition.lock();
    const bool result = condition.Wait(absl::Hours(1));
    condition.unlock();
    return result;
  });
  clock.AwaitSleepers(1);
  condition.lock();
  Background taker([&]() HEDDLE_UNCHECKED {
    const bool taken = condition.try_lock_for(absl::Hours(1));
    if (taken) condition.unlock();
    return taken;
  });
  clock.AwaitSleepers(2);
  EXPECT_EQ(WaitersOf(condition), 1);
  EXPECT_EQ(LockWaitersOf(condition), 1);
  condition.unlock();  // wakes who waits for the lock, and nobody else
  EXPECT_TRUE(taker.Result());
  EXPECT_EQ(WaitersOf(condition), 1);
  EXPECT_TRUE(notified.IsAlive());
  condition.lock();
  condition.Notify();
  condition.unlock();
  EXPECT_TRUE(notified.Result());
}

TEST(ConditionOfItsOwnTest, WorksWithLockGuard) {
  Condition changed;
  bool flag = false;
  Background thread([&] {
    LockGuard guard(changed);
    return changed.WaitFor([&] { return flag; });
  });
  {
    LockGuard guard(changed);
    flag = true;
    changed.Notify();
  }
  EXPECT_TRUE(thread.Result());
}

TEST(ConditionOfItsOwnTest, DebugStringTellsTheLocksStateAndHowManyWait)
HEDDLE_UNCHECKED {
  Lock lock;
  Condition on_lock(lock);
  EXPECT_EQ(on_lock.DebugString(),
            "Condition(Lock(unlocked, waiters=0), waiters=0)");
  lock.lock();
  std::ostringstream out;
  out << on_lock;
  EXPECT_EQ(out.str(), "Condition(Lock(locked, waiters=0), waiters=0)");
  lock.unlock();

  Condition own;
  Background thread([&]() HEDDLE_UNCHECKED {
    own.lock();
    const bool notified = own.Wait();
    own.unlock();
    return notified;
  });
  AwaitWaiters(own, 1);
  own.lock();
  EXPECT_EQ(own.DebugString(),
            absl::StrCat("Condition(RLock(locked by thread ",
                         internal::CurrentIdent(), ", waiters=0), waiters=1)"));
  own.Notify();
  own.unlock();
  EXPECT_TRUE(thread.Result());
}

}  // namespace
}  // namespace heddle
