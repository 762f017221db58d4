// Tests of what a thread that was woken, and is held up before it can use that,
// means for the others: nothing.

#include "heddle/thread/internal/held_up.h"

#include <atomic>
#include <thread>

#include "gtest/gtest.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/internal/block_listener.h"
#include "heddle/thread/internal/per_thread.h"

namespace heddle {
namespace {

using internal::BlockListener;
using internal::HeldUp;
using internal::ThisThread;
using sync_internal::AwaitWaiters;
using sync_internal::Background;
using sync_internal::LockWaitersOf;

template <typename Lockable>
int TakeOnce(Lockable& lock) HEDDLE_UNCHECKED {
  lock.lock();
  lock.unlock();
  return 0;
}

// Uses `lock`, as other threads do, until `thread` has ended.
template <typename Lockable>
void UseUntilEnd(Lockable& lock, const Background& thread) {
  while (thread.IsAlive()) {
    TakeOnce(lock);
    std::this_thread::yield();
  }
}

template <typename T>
class HeldUpTest : public testing::Test {};
using Locks = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(HeldUpTest, Locks);

TYPED_TEST(HeldUpTest, AWokenThreadThatDoesNotRunHoldsUpNobody)
HEDDLE_UNCHECKED {
  TypeParam lock;
  HeldUp held_up;
  lock.lock();
  Background slow([&] {
    held_up.Run([&] { TakeOnce(lock); });
    return 0;
  });
  held_up.Await();
  Background next([&] { return TakeOnce(lock); });
  Background last([&] { return TakeOnce(lock); });
  AwaitWaiters(lock, 3);
  lock.unlock();  // wakes `slow`
  UseUntilEnd(lock, next);
  UseUntilEnd(lock, last);
  EXPECT_TRUE(slow.IsAlive());
  held_up.Release();
  slow.Result();
  EXPECT_FALSE(lock.locked());
}

TEST(ConditionHeldUpTest, ANotifiedThreadThatDoesNotRunHoldsUpNobody)
HEDDLE_UNCHECKED {
  Lock lock;
  Condition condition(lock);
  HeldUp held_up;
  Background slow([&]() HEDDLE_UNCHECKED {
    lock.lock();
    bool notified = false;
    held_up.Run([&] { notified = condition.Wait(); });
    lock.unlock();
    return notified;
  });
  held_up.Await();
  lock.lock();
  condition.Notify();
  Background next([&] { return TakeOnce(lock); });
  while (LockWaitersOf(condition) < 2) std::this_thread::yield();
  lock.unlock();  // wakes `slow`
  UseUntilEnd(lock, next);
  EXPECT_TRUE(slow.IsAlive());
  held_up.Release();
  EXPECT_TRUE(slow.Result());
}

// Takes, in the middle of a wait, the very lock that the thread waits for.
class TakesTheLock final : public BlockListener {
 public:
  explicit TakesTheLock(Lock& lock) : lock_(lock) {}

  void Blocked() noexcept override {
    ThisThread().block_listener = nullptr;
    has_begun.store(true);
    TakeOnce(lock_);
    ThisThread().block_listener = this;
  }
  void Unblocked() noexcept override {}

  std::atomic<bool> has_begun{false};

 private:
  Lock& lock_;
};

// Against the rules of block_listener.h; but a lock that is in use gets over
// it.
TEST(BlockListenerTest, OneThatTakesTheSameLockIsNoEndOfTheLock)
HEDDLE_UNCHECKED {
  Lock lock;
  TakesTheLock listener(lock);
  lock.lock();
  Background waits([&] {
    ThisThread().block_listener = &listener;
    TakeOnce(lock);
    ThisThread().block_listener = nullptr;
    return 0;
  });
  while (!listener.has_begun.load()) std::this_thread::yield();
  AwaitWaiters(lock, 2);  // the wait, and the one within it
  lock.unlock();
  UseUntilEnd(lock, waits);
  EXPECT_FALSE(lock.locked());
}

// Notes whether the lock was taken when it heard that the wait was over.
class SeesWhetherItIsTaken final : public BlockListener {
 public:
  explicit SeesWhetherItIsTaken(const Lock& lock) : lock_(lock) {}

  void Blocked() noexcept override { has_begun.store(true); }
  void Unblocked() noexcept override {
    ++calls;
    was_locked = lock_.locked();
  }

  std::atomic<bool> has_begun{false};
  int calls = 0;
  bool was_locked = false;

 private:
  const Lock& lock_;
};

TEST(BlockListenerTest, HearsThatTheWaitIsOverOnceTheLockIsTaken)
HEDDLE_UNCHECKED {
  Lock lock;
  SeesWhetherItIsTaken listener(lock);
  lock.lock();
  Background waits([&] {
    ThisThread().block_listener = &listener;
    TakeOnce(lock);
    ThisThread().block_listener = nullptr;
    return 0;
  });
  while (!listener.has_begun.load()) std::this_thread::yield();
  lock.unlock();
  waits.Result();
  EXPECT_EQ(listener.calls, 1);
  EXPECT_TRUE(listener.was_locked);
}

TEST(BlockListenerTest, HearsThatAConditionsWaitIsOverOnceTheLockIsTaken)
HEDDLE_UNCHECKED {
  Lock lock;
  Condition condition(lock);
  SeesWhetherItIsTaken listener(lock);
  Background waits([&]() HEDDLE_UNCHECKED {
    lock.lock();
    ThisThread().block_listener = &listener;
    const bool notified = condition.Wait();
    ThisThread().block_listener = nullptr;
    lock.unlock();
    return notified;
  });
  while (!listener.has_begun.load()) std::this_thread::yield();
  lock.lock();
  condition.Notify();
  lock.unlock();
  EXPECT_TRUE(waits.Result());
  EXPECT_EQ(listener.calls, 1);
  EXPECT_TRUE(listener.was_locked);
}

}  // namespace
}  // namespace heddle
