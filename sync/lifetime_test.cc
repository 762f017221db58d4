// A primitive may be destroyed as soon as the last who waited for it knows that
// its wait is over, while the one who ended it may still be in its call. For
// AddressSanitizer and ThreadSanitizer above all.

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/barrier.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/internal/wait_subjects.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::RunConcurrently;
using sync_internal::EmptyBoundedSemaphore;
using sync_internal::EmptySemaphore;
using sync_internal::HeldLock;
using sync_internal::IncompleteBarrier;
using sync_internal::LatchOfOne;
using sync_internal::ReaderBehindWriter;
using sync_internal::UnsetEvent;
using sync_internal::WriterBehindReader;

constexpr int kIterations = 300;

// Where the action was run, by whoever came last.
class ActingBarrier : public sync_internal::WaitSubject {
 public:
  explicit ActingBarrier(int waiters)
      : barrier_(waiters + 1, [this] { ++actions_; }) {}

  bool Wait(const WaitLimit& limit) override {
    barrier_.Wait(limit);
    return actions_ == 1;
  }
  bool Wait() override { return Wait(WaitLimit()); }
  void Release(int /*waiters*/) override { barrier_.Wait(); }
  void Open() override { FAIL() << "not asked for"; }
  int waiters() const override { return sync_internal::WaitersOf(barrier_); }

 private:
  Barrier barrier_;
  int actions_ = 0;
};

template <typename Subject>
class LifetimeTest : public testing::Test {
 protected:
  // `waiters` threads wait for one subject, and the last of them destroys it.
  static void RunWithWaiters(int waiters) {
    std::atomic<Subject*> current{nullptr};
    std::atomic<int> left{0};
    int round = 0;
    const auto wait = [&] {
      Subject* subject;
      while ((subject = current.load()) == nullptr) std::this_thread::yield();
      EXPECT_TRUE(subject->Wait());
      if (--left > 0) {
        // Not into the next iteration with this one's subject.
        while (left.load() > 0) std::this_thread::yield();
        return;
      }
      current.store(nullptr);
      delete subject;
    };
    const auto release = [&] {
      auto* const subject = new Subject(waiters);
      left.store(waiters);
      current.store(subject);
      // Early and late: when nobody, some or all of them wait.
      const int await = ++round % (waiters + 1);
      while (subject->waiters() < await) std::this_thread::yield();
      subject->Release(waiters);
    };
    std::vector<std::function<void()>> functions(static_cast<size_t>(waiters),
                                                 wait);
    functions.push_back(release);
    RunConcurrently(kIterations, functions);
  }
};

using Subjects =
    testing::Types<HeldLock<Lock>, HeldLock<RLock>, HeldLock<SharedLock>,
                   WriterBehindReader, ReaderBehindWriter, EmptySemaphore,
                   EmptyBoundedSemaphore, UnsetEvent, LatchOfOne,
                   IncompleteBarrier, ActingBarrier>;
TYPED_TEST_SUITE(LifetimeTest, Subjects);

TYPED_TEST(LifetimeTest, MayBeDestroyedByItsOnlyWaiter) {
  this->RunWithWaiters(1);
}

TYPED_TEST(LifetimeTest, MayBeDestroyedByTheLastOfItsWaiters) {
  this->RunWithWaiters(3);
}

// The other way round: those who were released may not have returned.
TEST(BarrierLifetimeTest, MayBeDestroyedByTheLastToArrive) {
  std::atomic<Barrier*> current{nullptr};
  std::atomic<int> waits{0};
  const auto wait = [&] {
    Barrier* barrier;
    while ((barrier = current.load()) == nullptr) std::this_thread::yield();
    ++waits;
    EXPECT_LT(barrier->Wait(), 2);
  };
  int round = 0;
  RunConcurrently(kIterations, wait, wait, [&] {
    auto barrier = ++round % 2 == 0 ? std::make_unique<Barrier>(3)
                                    : std::make_unique<Barrier>(3, [] {});
    waits.store(0);
    current.store(barrier.get());
    while (waits.load() < 2) std::this_thread::yield();
    current.store(nullptr);
    sync_internal::AwaitWaiters(*barrier, 2);
    EXPECT_EQ(barrier->Wait(), 2);
  });
}

// A condition may go when all who waited for it were notified, though they
// return later; its lock stays.
template <typename Lockable>
class ConditionLifetimeTest : public testing::Test {};
using ConditionLocks = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(ConditionLifetimeTest, ConditionLocks);

TYPED_TEST(ConditionLifetimeTest, MayBeDestroyedByTheNotified) {
  TypeParam lock;
  std::atomic<Condition*> current{nullptr};
  RunConcurrently(
      kIterations,
      [&]() HEDDLE_UNCHECKED {
        auto condition = std::make_unique<Condition>(lock);
        lock.lock();
        current.store(condition.get());
        EXPECT_TRUE(condition->Wait());
        condition.reset();
        lock.unlock();
      },
      [&]() HEDDLE_UNCHECKED {
        Condition* condition;
        while ((condition = current.exchange(nullptr)) == nullptr)
          std::this_thread::yield();
        lock.lock();
        condition->Notify();
        lock.unlock();
      });
}

TYPED_TEST(ConditionLifetimeTest, MayBeDestroyedByTheNotifier) {
  TypeParam lock;
  std::atomic<Condition*> current{nullptr};
  std::atomic<int> waiting{0};  // changes with the lock held
  const auto wait = [&]() HEDDLE_UNCHECKED {
    Condition* condition;
    while ((condition = current.load()) == nullptr) std::this_thread::yield();
    lock.lock();
    ++waiting;
    EXPECT_TRUE(condition->Wait());
    lock.unlock();
  };
  RunConcurrently(kIterations, wait, wait, [&]() HEDDLE_UNCHECKED {
    auto condition = std::make_unique<Condition>(lock);
    waiting.store(0);
    current.store(condition.get());
    while (waiting.load() < 2) std::this_thread::yield();
    lock.lock();
    current.store(nullptr);
    condition->NotifyAll();
    condition.reset();
    lock.unlock();
  });
}

// One that gives up at the same moment has not been notified, and has to be
// seen off before the condition goes.
TYPED_TEST(ConditionLifetimeTest, WaitThatGaveUpLeavesNothingBehind) {
  TypeParam lock;
  std::atomic<Condition*> current{nullptr};
  std::atomic<int> left{0};
  int round = 0;
  RunConcurrently(
      kIterations,
      [&]() HEDDLE_UNCHECKED {
        Condition* condition;
        while ((condition = current.load()) == nullptr)
          std::this_thread::yield();
        lock.lock();
        (void)condition->Wait(absl::Microseconds(++round % 40));
        lock.unlock();
        left.store(1);
      },
      [&]() HEDDLE_UNCHECKED {
        auto condition = std::make_unique<Condition>(lock);
        left.store(0);
        current.store(condition.get());
        lock.lock();
        condition->Notify();
        lock.unlock();
        while (left.load() == 0) std::this_thread::yield();
        current.store(nullptr);
      });
}

}  // namespace
}  // namespace heddle
