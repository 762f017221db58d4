// Nothing in sync/ allocates, neither where it need not wait nor where it waits:
// every operation is counted in the thread that calls it. (Errors, which carry a
// message, and DebugString() do.)

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/barrier.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/event.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/internal/wait_subjects.h"
#include "heddle/sync/latch.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/internal/failing_new.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::AllocationsOfThisThread;
using sync_internal::AllWaitSubjects;
using sync_internal::Background;
using sync_internal::NameOfKind;
using sync_internal::WaitSubject;
using sync_internal::WaitSubjectKind;
using sync_internal::WaitSubjectsNotThat;

template <typename Operations>
int64_t AllocationsOf(Operations operations) {
  const int64_t before = AllocationsOfThisThread();
  operations();
  return AllocationsOfThisThread() - before;
}

TEST(NoAllocationAtAllTest, AllocationsAreCounted) {
  // (Not a new-expression, which an optimizer may leave out.)
  EXPECT_EQ(AllocationsOf([] { ::operator delete(::operator new(1)); }), 1);
}

class NoAllocationTest : public testing::TestWithParam<WaitSubjectKind> {};
INSTANTIATE_TEST_SUITE_P(Of, NoAllocationTest,
                         testing::ValuesIn(AllWaitSubjects()), NameOfKind);
class NoAllocationInVainTest : public testing::TestWithParam<WaitSubjectKind> {
};
INSTANTIATE_TEST_SUITE_P(
    Of, NoAllocationInVainTest,
    testing::ValuesIn(WaitSubjectsNotThat(&WaitSubjectKind::breaks)),
    NameOfKind);

// Many at once, so that each queue is one of several.
TEST_P(NoAllocationTest, NeitherABlockedWaitNorItsReleaseAllocates) {
  constexpr int kThreads = 4;
  std::stop_source stop;
  const std::unique_ptr<WaitSubject> made = GetParam().make(kThreads);
  WaitSubject& subject = *made;
  const auto wait = [&](const WaitLimit& limit) {
    return static_cast<int>(
        AllocationsOf([&] { EXPECT_TRUE(subject.Wait(limit)); }));
  };
  Background plain([&] {
    return static_cast<int>(
        AllocationsOf([&] { EXPECT_TRUE(subject.Wait()); }));
  });
  Background limited([&] { return wait(absl::Hours(1)); });
  Background stoppable([&] { return wait(stop.get_token()); });
  Background both([&] { return wait({absl::Hours(1), stop.get_token()}); });
  while (subject.waiters() < kThreads) std::this_thread::yield();
  if (GetParam().releases_here) {
    EXPECT_EQ(AllocationsOf([&] { subject.Release(kThreads); }), 0);
  } else {
    subject.Release(kThreads);
  }
  EXPECT_EQ(plain.Result(), 0);
  EXPECT_EQ(limited.Result(), 0);
  EXPECT_EQ(stoppable.Result(), 0);
  EXPECT_EQ(both.Result(), 0);
}

TEST_P(NoAllocationInVainTest, WaitInVainDoesNotAllocate) {
  // that is an error
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  std::stop_source stop;
  stop.request_stop();
  const std::stop_token stopped = stop.get_token();
  EXPECT_EQ(AllocationsOf([&] {
              EXPECT_FALSE(subject.Wait(absl::ZeroDuration()));
              EXPECT_FALSE(subject.Wait(absl::Microseconds(100)));
              EXPECT_FALSE(subject.Wait(stopped));
            }),
            0);
}

TEST_P(NoAllocationInVainTest, StopThatEndsAWaitDoesNotAllocate) {
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  std::stop_source stop;
  Background waits([&] {
    return static_cast<int>(
        AllocationsOf([&] { EXPECT_FALSE(subject.Wait(stop.get_token())); }));
  });
  while (subject.waiters() < 1) std::this_thread::yield();
  EXPECT_EQ(AllocationsOf([&] { stop.request_stop(); }), 0);
  EXPECT_EQ(waits.Result(), 0);
}

TEST(NoAllocationAtAllTest, WhatNeedNotWait) HEDDLE_UNCHECKED {
  EXPECT_EQ(AllocationsOf([]() HEDDLE_UNCHECKED {
              Lock lock;
              lock.lock();
              EXPECT_FALSE(lock.try_lock());
              lock.unlock();
              EXPECT_TRUE(lock.try_lock_for(absl::Seconds(1)));
              lock.unlock();

              RLock rlock;
              rlock.lock();
              rlock.lock();
              EXPECT_TRUE(rlock.try_lock());
              for (int i = 0; i < 3; ++i) rlock.unlock();

              SharedLock shared;
              shared.lock_shared();
              EXPECT_TRUE(shared.try_lock_shared());
              EXPECT_FALSE(shared.try_lock());
              shared.unlock_shared();
              shared.unlock_shared();
              shared.lock();
              shared.unlock();

              Semaphore semaphore(1);
              semaphore.Acquire();
              EXPECT_FALSE(semaphore.TryAcquire());
              semaphore.Release(2);

              BoundedSemaphore bounded(1);
              bounded.Acquire();
              bounded.Release();

              Event event;
              event.Set();
              event.Wait();
              event.Clear();
              event.Set();

              Latch latch(2);
              latch.CountDown();
              EXPECT_FALSE(latch.TryWait());
              EXPECT_TRUE(latch.ArriveAndWait());
            }),
            0);
}

TEST(NoAllocationAtAllTest, ConditionsMadeAndNotifiedWithNobodyThere)
HEDDLE_UNCHECKED {
  EXPECT_EQ(
      AllocationsOf([]() HEDDLE_UNCHECKED {
        Condition own;
        own.lock();
        own.Notify();
        own.NotifyAll();
        EXPECT_FALSE(own.Wait(absl::ZeroDuration()));
        EXPECT_TRUE(own.WaitFor([] { return true; }));
        EXPECT_FALSE(own.WaitFor([] { return false; }, absl::Microseconds(10)));
        own.unlock();

        Lock lock;
        Condition borrowing(lock);
        borrowing.lock();
        EXPECT_FALSE(borrowing.Wait(absl::Microseconds(10)));
        borrowing.unlock();
      }),
      0);
}

TEST(NoAllocationAtAllTest, BarrierWithAnAction) {
  constexpr int kMeetings = 20;
  int actions = 0;
  std::optional<Barrier> barrier;
  EXPECT_EQ(AllocationsOf([&] {
              barrier.emplace(
                  2, [&actions] { ++actions; }, absl::Hours(1));
            }),
            0);
  const auto meet = [&] {
    return static_cast<int>(AllocationsOf([&] {
      for (int i = 0; i < kMeetings; ++i) barrier->Wait();
    }));
  };
  Background other(meet);
  EXPECT_EQ(meet(), 0);
  EXPECT_EQ(other.Result(), 0);
  EXPECT_EQ(actions, kMeetings);
  EXPECT_EQ(AllocationsOf([&] {
              EXPECT_FALSE(barrier->broken());
              EXPECT_EQ(barrier->waiting(), 0);
              barrier->Abort();
              barrier->Reset();
            }),
            0);
}

}  // namespace
}  // namespace heddle
