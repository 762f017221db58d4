// What the compiler made of Lock and of LockPass, on this processor: see
// thread/internal/litmus.h.

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/lock_pass.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/litmus.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

using internal::RunLitmus;
using sync_internal::LockPass;

constexpr int kRounds = 200'000;

// Each in a cache line of its own, so that a store takes its time.
struct alignas(64) Word {
  internal::Atomic<int> value{0};
};

TEST(CompiledOrderTest, CriticalSectionsOfALockAreInOrder) {
  Lock lock;
  int entered = 0;  // guarded by the lock
  int first_saw = 0;
  int second_saw = 0;
  const auto enter = [&](int& saw) {
    const LockGuard guard(lock);
    saw = ++entered;
  };
  EXPECT_EQ(RunLitmus(
                kRounds, [&] { entered = 0; }, [&] { enter(first_saw); },
                [&] { enter(second_saw); },
                [&] { return first_saw + second_saw == 3 && entered == 2; }),
            0);
}

// Message passing: what was written in a critical section is there for whoever
// takes the lock after it, however briefly either tries.
TEST(CompiledOrderTest, WhatTryLockGetsSeesTheLastHolder) {
  Lock lock;
  Word data;
  bool taken = false;
  int saw = 0;
  EXPECT_EQ(RunLitmus(
                kRounds,
                [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
                  data.value = 0;
                  lock.lock();
                },
                [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
                  data.value.store(1, std::memory_order_relaxed);
                  lock.unlock();
                },
                [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
                  taken = lock.try_lock();
                  saw = data.value.load(std::memory_order_relaxed);
                  if (taken) lock.unlock();
                },
                [&] { return !taken || saw == 1; }),
            0);
}

// Store buffering, with one side's order made by an unlock() and the other's by a
// pass: a queue's put beside a getter that is about to sleep.
TEST(CompiledOrderTest, AnUnlockAndAPassDoNotMissEachOther) {
  Lock lock;
  Word count;
  Word waiting;
  int producer_saw = 0;
  int waiter_saw = 0;
  EXPECT_EQ(RunLitmus(
                kRounds,
                [&] {
                  count.value = 0;
                  waiting.value = 0;
                },
                [&] {
                  lock.lock();
                  count.value.store(1, std::memory_order_release);
                  lock.unlock();
                  producer_saw = waiting.value.load(std::memory_order_relaxed);
                },
                [&] {
                  waiting.value.store(1, std::memory_order_relaxed);
                  LockPass::By(lock);
                  waiter_saw = count.value.load(std::memory_order_acquire);
                },
                [&] { return producer_saw == 1 || waiter_saw == 1; }),
            0);
}

// The same where the lock is never free: the pass comes between two holders.
TEST(CompiledOrderTest, APassOrdersWhatThePassersDid) {
  Lock lock;
  Word x;
  Word y;
  int saw_y = 0;
  int saw_x = 0;
  lock.lock();
  EXPECT_EQ(RunLitmus(
                kRounds, [&] { x.value = y.value = 0; },
                [&] {
                  x.value.store(1, std::memory_order_relaxed);
                  LockPass::By(lock);
                  saw_y = y.value.load(std::memory_order_relaxed);
                },
                [&] {
                  y.value.store(1, std::memory_order_relaxed);
                  LockPass::By(lock);
                  saw_x = x.value.load(std::memory_order_relaxed);
                },
                [&] { return saw_y == 1 || saw_x == 1; }),
            0);
  lock.unlock();
}

}  // namespace
}  // namespace heddle
