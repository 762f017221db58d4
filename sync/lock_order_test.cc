#include "heddle/sync/lock_order.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/wait_limit.h"

// These tests lock in ways that clang's analysis rightly objects to.
#define HEDDLE_UNCHECKED ABSL_NO_THREAD_SAFETY_ANALYSIS

namespace heddle {
namespace {

using ::testing::IsEmpty;

// Collects what is reported while it exists.
class Reports {
 public:
  Reports() {
    SetLockOrderHook(
        [this](const std::string& report) { all_.push_back(report); });
  }
  ~Reports() { SetLockOrderHook(nullptr); }
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

template <typename First, typename Second>
void TakeInOrder(First& first, Second& second) HEDDLE_UNCHECKED {
  first.lock();
  second.lock();
  second.unlock();
  first.unlock();
}

#ifdef HEDDLE_LOCK_ORDER

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::SizeIs;

template <typename T>
class LockOrderTest : public testing::Test {};
using Locks = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(LockOrderTest, Locks);

TYPED_TEST(LockOrderTest, OppositeOrdersAreReportedOnceAndNobodyWaits) {
  Reports reports;
  TypeParam a, b;
  TakeInOrder(a, b);
  EXPECT_THAT(reports.all(), IsEmpty());
  TakeInOrder(b, a);
  EXPECT_THAT(reports.all(), SizeIs(1));
  TakeInOrder(b, a);
  TakeInOrder(a, b);
  EXPECT_THAT(reports.all(), SizeIs(1));
}

TYPED_TEST(LockOrderTest, OppositeOrdersInTwoThreadsAreReported) {
  Reports reports;
  TypeParam a, b;
  std::thread([&] { TakeInOrder(a, b); }).join();
  std::thread([&] { TakeInOrder(b, a); }).join();
  EXPECT_THAT(reports.all(), SizeIs(1));
}

TYPED_TEST(LockOrderTest, CycleOfThreeIsReported) {
  Reports reports;
  TypeParam a, b, c;
  TakeInOrder(a, b);
  TakeInOrder(b, c);
  EXPECT_THAT(reports.all(), IsEmpty());
  TakeInOrder(c, a);
  EXPECT_THAT(reports.all(), SizeIs(1));
}

TYPED_TEST(LockOrderTest, OneOrderIsNeverReported) {
  Reports reports;
  TypeParam a, b, c;
  for (int i = 0; i < 3; ++i) {
    TakeInOrder(a, b);
    TakeInOrder(b, c);
    TakeInOrder(a, c);
  }
  EXPECT_THAT(reports.all(), IsEmpty());
}

TYPED_TEST(LockOrderTest, OrderUnderAThirdLockIsReportedToo) HEDDLE_UNCHECKED {
  Reports reports;
  TypeParam outer, a, b;
  outer.lock();
  TakeInOrder(a, b);
  TakeInOrder(b, a);
  outer.unlock();
  EXPECT_THAT(reports.all(), SizeIs(1));
}

TYPED_TEST(LockOrderTest, ReleasedLockCountsNoMore) HEDDLE_UNCHECKED {
  Reports reports;
  TypeParam a, b;
  TakeInOrder(a, b);
  b.lock();
  b.unlock();
  a.lock();
  a.unlock();
  EXPECT_THAT(reports.all(), IsEmpty());
}

TYPED_TEST(LockOrderTest, LockTakenByTryLockCountsForWhatIsWantedNext)
HEDDLE_UNCHECKED {
  Reports reports;
  TypeParam a, b;
  TakeInOrder(a, b);
  ASSERT_TRUE(b.try_lock());
  a.lock();
  a.unlock();
  b.unlock();
  EXPECT_THAT(reports.all(), SizeIs(1));
}

TYPED_TEST(LockOrderTest, TryLockAndLimitedWaitsAreNotReported)
HEDDLE_UNCHECKED {
  Reports reports;
  TypeParam a, b;
  TakeInOrder(a, b);
  b.lock();
  ASSERT_TRUE(a.try_lock());
  a.unlock();
  ASSERT_TRUE(a.try_lock_for(absl::Hours(1)));
  a.unlock();
  b.unlock();
  EXPECT_THAT(reports.all(), IsEmpty());
}

TYPED_TEST(LockOrderTest, ScopedLockOverBothInAnyOrderIsNotReported) {
  Reports reports;
  TypeParam a, b;
  for (int i = 0; i < 3; ++i) {
    const std::scoped_lock one(a, b);
  }
  EXPECT_THAT(reports.all(), IsEmpty());
}

TYPED_TEST(LockOrderTest, NewLockAtTheAddressOfAnOldOneIsAnother) {
  Reports reports;
  TypeParam a;
  for (int i = 0; i < 2; ++i) {
    TypeParam b;  // at the same address each time
    if (i == 0) {
      TakeInOrder(a, b);
    } else {
      TakeInOrder(b, a);
    }
  }
  EXPECT_THAT(reports.all(), IsEmpty());
}

TYPED_TEST(LockOrderTest, ReportTellsBothLocksAndAllFourPlaces) {
  Reports reports;
  TypeParam a, b;
  TakeInOrder(a, b);
  TakeInOrder(b, a);
  ASSERT_THAT(reports.all(), SizeIs(1));
  EXPECT_THAT(reports.all()[0],
              ContainsRegex("held lock.*taken at\n.*TakeInOrder(.|\n)*wanted "
                            "lock.*at\n.*TakeInOrder(.|\n)*in the other "
                            "order(.|\n)*taken at\n.*TakeInOrder(.|\n)*wanted "
                            "lock.*at\n.*TakeInOrder"));
}

TEST(LockOrderOfLockTest, LockWantedByItsHolderIsReported) HEDDLE_UNCHECKED {
  Reports reports;
  Lock lock;
  lock.lock();
  std::thread other;
  SetLockOrderHook([&](const std::string& report) {
    EXPECT_THAT(report, HasSubstr("taken itself"));
    other = std::thread([&] { lock.unlock(); });  // and so it ends here
  });
  lock.lock();
  other.join();
  lock.unlock();
}

TEST(LockOrderOfLockTest, LockReleasedByAnotherThreadCountsNoMore)
HEDDLE_UNCHECKED {
  Reports reports;
  Lock a, b;
  TakeInOrder(a, b);
  b.lock();
  std::thread([&] { b.unlock(); }).join();
  a.lock();
  a.unlock();
  EXPECT_THAT(reports.all(), IsEmpty());
}

TEST(LockOrderOfRLockTest, TakingItAgainIsNotReported) HEDDLE_UNCHECKED {
  Reports reports;
  RLock a, b;
  a.lock();
  TakeInOrder(b, a);  // a is held: no wait for it, whatever the order
  a.unlock();
  TakeInOrder(a, b);
  EXPECT_THAT(reports.all(), IsEmpty());
}

TEST(LockOrderOfConditionTest, LockTakenAgainAfterAWaitCounts)
HEDDLE_UNCHECKED {
  Reports reports;
  Lock outer, lock;
  Condition condition(lock);
  lock.lock();
  outer.lock();                                        // lock before outer ...
  EXPECT_FALSE(condition.Wait(absl::ZeroDuration()));  // ... and now after
  outer.unlock();
  lock.unlock();
  EXPECT_THAT(reports.all(), SizeIs(1));
}

// The report comes before the lock is released.
TEST(LockOrderOfConditionTest, HookOfAWaitRunsWhileTheLockIsStillHeld)
HEDDLE_UNCHECKED {
  Lock outer, lock;
  Condition condition(lock);
  lock.lock();
  outer.lock();
  int reports = 0;
  SetLockOrderHook([&](const std::string& /*report*/) {
    EXPECT_TRUE(lock.locked());
    ++reports;
  });
  EXPECT_FALSE(condition.Wait(absl::ZeroDuration()));
  SetLockOrderHook(nullptr);
  outer.unlock();
  lock.unlock();
  EXPECT_EQ(reports, 1);
}

// The kernel gives the number of a thread that has ended to another.
TEST(LockOrderOfLockTest, ALockThatAnEndedThreadLeftHeldIsNobodyElses)
HEDDLE_UNCHECKED {
  Reports reports;
  Lock lock;
  uint32_t id = 0;
  std::thread([&]() HEDDLE_UNCHECKED {
    lock.lock();
    id = internal::ThreadId();
  }).join();
  std::thread([&]() HEDDLE_UNCHECKED {
    internal::ThisThread().native_id = id;
    std::thread release([&]() HEDDLE_UNCHECKED {
      while (lock.DebugString() == "Lock(locked, waiters=0)") {
        std::this_thread::yield();
      }
      lock.unlock();
    });
    lock.lock();
    lock.unlock();
    release.join();
  }).join();
  EXPECT_THAT(reports.all(), IsEmpty());
}

#ifdef ABSL_HAVE_EXCEPTIONS
// Counts what goes to the except hook while it exists.
class Uncaught {
 public:
  Uncaught() {
    SetExceptHook([this](const ExceptHookArgs& /*args*/) { ++count; });
  }
  ~Uncaught() { SetExceptHook(nullptr); }

  std::atomic<int> count{0};
};

TYPED_TEST(LockOrderTest, WhatTheHookThrowsGoesToTheExceptHook)
HEDDLE_UNCHECKED {
  Uncaught uncaught;
  SetLockOrderHook(
      [](const std::string& report) { throw std::runtime_error(report); });
  TypeParam a, b;
  TakeInOrder(a, b);
  TakeInOrder(b, a);
  SetLockOrderHook(nullptr);
  EXPECT_EQ(uncaught.count, 1);
  EXPECT_FALSE(a.locked());
  EXPECT_FALSE(b.locked());
}

TEST(LockOrderOfConditionTest, AHookThatThrowsCostsNoWakeUpAndNoLock)
HEDDLE_UNCHECKED {
  Uncaught uncaught;
  SetLockOrderHook(
      [](const std::string& report) { throw std::runtime_error(report); });
  Lock a, b;
  Condition condition(a);
  TakeInOrder(a, b);
  std::atomic<bool> waits{false};
  std::thread waiter([&]() HEDDLE_UNCHECKED {
    a.lock();
    b.lock();
    waits.store(true);
    EXPECT_TRUE(condition.Wait());  // wants `a` with `b` held
    EXPECT_TRUE(a.locked());
    a.unlock();
    b.unlock();
  });
  while (!waits.load()) std::this_thread::yield();
  a.lock();
  condition.Notify();
  a.unlock();
  waiter.join();
  SetLockOrderHook(nullptr);
  EXPECT_EQ(uncaught.count, 1);
  // The lock works: a waiter comes through.
  a.lock();
  std::thread next([&]() HEDDLE_UNCHECKED {
    a.lock();
    a.unlock();
  });
  while (a.DebugString() != "Lock(locked, waiters=1)") {
    std::this_thread::yield();
  }
  a.unlock();
  next.join();
}
#endif

TEST(LockOrderDeathTest, DefaultIsALineOnStderrAndTheProgramGoesOn) {
  EXPECT_EXIT(
      {
        Lock a;
        Lock b;
        TakeInOrder(a, b);
        TakeInOrder(b, a);
        std::exit(7);
      },
      testing::ExitedWithCode(7), "heddle: Locks are taken in an order");
}

#else

TEST(LockOrderTest, NothingIsWatchedOutsideOfDebugBuilds) {
  Reports reports;
  Lock a, b;
  TakeInOrder(a, b);
  TakeInOrder(b, a);
  EXPECT_THAT(reports.all(), IsEmpty());
}

#endif

}  // namespace
}  // namespace heddle
