// The child of a fork() and locks: what holds is said in thread/README.md,
// "After fork()".

#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/internal/fork_child.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

using internal::ExitCodeOfChild;
using internal::kChildMayStartThreads;

TEST(ForkTest, WhatTheThreadThatForksHoldsIsItsOwnInTheChild) {
  std::thread([] {
    RLock rlock;
    Lock lock;
    const LockGuard<RLock> outer(rlock);
    const LockGuard<Lock> guard(lock);
    EXPECT_EQ(ExitCodeOfChild([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
                if (!rlock.is_owned() || !lock.locked()) return 1;
                { const LockGuard<RLock> inner(rlock); }
                rlock.unlock();
                lock.unlock();
                return lock.locked() || rlock.is_owned() ? 2 : 0;
              }),
              0);
  }).join();
}

// Objects that the parent used, and that nobody is at.
TEST(ForkTest, WhatNobodyUsesIsUsedInTheChild) {
  Lock lock;
  Condition condition;
  Semaphore semaphore(2);
  Event event;
  {
    const LockGuard<Lock> guard(lock);
    semaphore.Acquire();
  }
  EXPECT_EQ(ExitCodeOfChild([&] {
              if (!kChildMayStartThreads) return 0;
              bool told = false;
              std::thread other([&] {
                const LockGuard<Condition> guard(condition);
                told = true;
                condition.Notify();
              });
              condition.lock();
              while (!told) condition.Wait();
              condition.unlock();
              other.join();
              std::thread third([&] {
                semaphore.Acquire();
                semaphore.Acquire();
                event.Set();
              });
              semaphore.Release();
              event.Wait();
              third.join();
              return lock.try_lock() ? 0 : 1;
            }),
            0);
}

TEST(ForkTest, NewLocksWorkInTheChildOfAParentWhoseThreadsSleep) {
  constexpr size_t kSleepers = 50;
  std::deque<Event> events(kSleepers);
  std::vector<std::thread> sleepers;
  for (Event& event : events) sleepers.emplace_back([&event] { event.Wait(); });
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(ExitCodeOfChild([] {
                if (!kChildMayStartThreads) return 0;
                for (int round = 0; round < 20; ++round) {
                  std::deque<Event> gates(8);
                  Semaphore back(0);
                  std::vector<std::thread> threads;
                  for (Event& gate : gates) {
                    threads.emplace_back([&gate, &back] {
                      gate.Wait();
                      back.Release();
                    });
                  }
                  for (Event& gate : gates) gate.Set();
                  for (size_t k = 0; k < gates.size(); ++k) back.Acquire();
                  for (std::thread& thread : threads) thread.join();
                }
                return 0;
              }),
              0);
  }
  for (Event& event : events) event.Set();
  for (std::thread& sleeper : sleepers) sleeper.join();
}

}  // namespace
}  // namespace heddle
