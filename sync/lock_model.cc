// Models of Lock: (L1)-(L6), [UNLOCK] and [PASS] of lock.h, under every
// schedule.

#include <array>
#include <cstddef>
#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/lock_models.h"
#include "heddle/sync/internal/lock_pass.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/held_up.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using explore::HoldsInSamples;
using internal::Atomic;
using internal::HeldUp;
using internal::Var;
using sync_internal::AWokenThreadThatDoesNotRunHoldsUpNobody;
using sync_internal::LastUserDestroysIt;
using sync_internal::LockPass;

TEST(LockModel, TwoThreadsExcludeEachOther) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Lock lock;
    Var<int> count = 0;
    const auto add = [&] {
      LockGuard guard(lock);
      ++count;
    };
    run.Run(add, add);
    explore::Check(count == 2);
    explore::Check(!lock.locked());
  }));
}

TEST(LockModel, TwoThreadsTakeItTwice) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Lock lock;
    Var<int> count = 0;
    const auto add = [&] {
      for (int i = 0; i < 2; ++i) {
        LockGuard guard(lock);
        ++count;
      }
    };
    run.Run(add, add);
    explore::Check(count == 4);
  }));
}

// (L3): whoever unlocks wakes the next, and nobody sleeps on.
TEST(LockModel, ThreeThreadsAllGetIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Lock lock;
    Var<int> count = 0;
    const auto add = [&] {
      LockGuard guard(lock);
      ++count;
    };
    run.Run(add, add, add);
    explore::Check(count == 3);
  }));
}

TEST(LockModel, AWaitThatEndsByItsLimitDropsNoWakeUp) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Lock lock;
    Var<int> count = 0;
    int taken = 0;
    const auto add = [&] {
      LockGuard guard(lock);
      ++count;
    };
    run.Run(add, add, [&]() HEDDLE_UNCHECKED {
      if (!lock.try_lock_for(absl::Seconds(1))) return;
      ++count;
      ++taken;
      lock.unlock();
    });
    explore::Check(count == 2 + taken);
    explore::Check(!lock.locked());
  }));
}

TEST(LockModel, AStopRequestEndsTheWaitOrComesTooLate) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Lock lock;
    Var<int> count = 0;
    int taken = 0;
    std::stop_source stop;
    run.Run(
        [&] {
          LockGuard guard(lock);
          ++count;
        },
        [&]() HEDDLE_UNCHECKED {
          if (!lock.try_lock_for(stop.get_token())) return;
          ++count;
          ++taken;
          lock.unlock();
        },
        [&] { stop.request_stop(); });
    explore::Check(count == 1 + taken);
    explore::Check(!lock.locked());
  }));
}

TEST(LockModel, AnotherThreadMayReleaseIt) {
  EXPECT_TRUE(Holds(3, [](Execution& run) HEDDLE_UNCHECKED {
    Lock lock;
    Var<int> data = 0;
    lock.lock();
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          data = 1;
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          explore::Check(data == 1);
          lock.unlock();
        });
  }));
}

TEST(LockModel, TryLockTakesAFreeLockAndWhatItProtects) {
  EXPECT_TRUE(Holds(4, [](Execution& run) {
    Lock lock;
    Var<int> count = 0;
    int taken = 0;
    const auto try_add = [&]() HEDDLE_UNCHECKED {
      if (!lock.try_lock()) return;
      ++count;
      ++taken;
      lock.unlock();
    };
    run.Run(try_add, try_add, try_add);
    explore::Check(count == taken);
    explore::Check(taken >= 1);
  }));
}

TEST(LockModel, TryLockOfAFreeLockNeverFailsForNoReason) {
  EXPECT_TRUE(Holds(3, [](Execution& /*run*/) HEDDLE_UNCHECKED {
    Lock lock;
    explore::Check(lock.try_lock());
    lock.unlock();
  }));
}

// The word changes under an unlock() that wakes nobody: one is on its way (L3)
// when another queues.
TEST(LockModel, WhatCameBeforeAnUnlockThatWakesNobodyIsVisible) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Lock lock;
    Var<int> count = 0;
    const auto add_twice = [&] {
      for (int i = 0; i < 2; ++i) {
        LockGuard guard(lock);
        ++count;
      }
    };
    run.Run(add_twice, add_twice, add_twice);
    explore::Check(count == 6);
  }));
}

// (L5): each of those who change something under a lock and then look elsewhere,
// and the one who says something there and then passes by and looks: one sees the
// other.
template <size_t kChanges>
struct Meeting {
  void ChangeAndLook(size_t i) {
    {
      LockGuard guard(lock);
      // relaxed, all four: the lock is to order them.
      changed[i].store(true, std::memory_order_relaxed);
    }
    sees_what_was_said[i] = said.load(std::memory_order_relaxed);
  }
  void SayAndPassBy() {
    said.store(true, std::memory_order_relaxed);
    LockPass::By(lock);
    for (size_t i = 0; i < kChanges; ++i) {
      sees_the_change[i] = changed[i].load(std::memory_order_relaxed);
    }
  }
  void Check() const {
    for (size_t i = 0; i < kChanges; ++i) {
      explore::Check(sees_what_was_said[i] || sees_the_change[i]);
    }
    explore::Check(!lock.locked());
  }

  Lock lock;
  std::array<Atomic<bool>, kChanges> changed = {};
  Atomic<bool> said{false};
  std::array<bool, kChanges> sees_what_was_said = {};
  std::array<bool, kChanges> sees_the_change = {};
};

TEST(LockModel, WhoPassesByComesBeforeOrAfterAnUnlock) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Meeting<1> meeting;
    run.Run([&] { meeting.ChangeAndLook(0); }, [&] { meeting.SayAndPassBy(); });
    meeting.Check();
  }));
}

// Another waits for the lock meanwhile, so that unlock() has to wake it.
TEST(LockModel, WhoPassesByComesBeforeOrAfterAnUnlockThatWakes) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Meeting<1> meeting;
    run.Run([&] { meeting.ChangeAndLook(0); }, [&] { meeting.SayAndPassBy(); },
            [&] { LockGuard guard(meeting.lock); });
    meeting.Check();
  }));
}

// One is on its way (L3) when another queues: unlock() wakes nobody, and the word
// has changed under it.
TEST(LockModel, WhoPassesByComesBeforeOrAfterAnUnlockThatWakesNobody) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Meeting<4> meeting;
    const auto change_twice = [&](size_t first) {
      meeting.ChangeAndLook(first);
      meeting.ChangeAndLook(first + 1);
    };
    run.Run([&] { change_twice(0); }, [&] { change_twice(2); },
            [&] {
              meeting.SayAndPassBy();
              LockGuard guard(meeting.lock);
            });
    meeting.Check();
  }));
}

TEST(LockModel, WhoHoldsItMayPassBy) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Lock lock;
    Var<int> count = 0;
    const auto add = [&] {
      LockGuard guard(lock);
      LockPass::By(lock);
      ++count;
    };
    run.Run(add, add);
    explore::Check(count == 2);
  }));
}

// (L3): the waiter that unlock() finds has just given up, and the others do not
// wait for it.
TEST(LockModel, AWakeUpThatReachesNobodyIsNotWaitedFor) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) HEDDLE_UNCHECKED {
    Lock lock;
    Var<int> count = 0;
    const auto add = [&] {
      LockGuard guard(lock);
      ++count;
    };
    lock.lock();
    const int gives_up = run.Start([&]() HEDDLE_UNCHECKED {
      if (lock.try_lock_for(absl::Seconds(1))) lock.unlock();
    });
    const int first = run.Start([&] {
      internal::LetTimePass(1'000'000'000);
      lock.unlock();
      add();
      add();
    });
    run.Join(gives_up);
    add();
    run.Join(first);
    explore::Check(count == 3);
  }));
}

// (L6).
TEST(LockModel, AWokenThreadThatDoesNotRunHoldsUpNobody) {
  EXPECT_TRUE(Holds(0, AWokenThreadThatDoesNotRunHoldsUpNobody<Lock>));
}

// (L3): two are on their way at once, and kWaking is about the second when the
// first comes.
TEST(LockModel, AWokenThreadThatComesLateTakesNoWakeUpWithIt) {
  EXPECT_TRUE(HoldsInSamples(
      [](Execution& run) HEDDLE_UNCHECKED {
        Lock lock;
        HeldUp held_up;
        Var<int> count = 0;
        const auto add = [&] {
          LockGuard guard(lock);
          ++count;
        };
        lock.lock();
        const int slow = run.Start([&] { held_up.Run(add); });
        held_up.Await();
        const int first = run.Start(add);
        const int second = run.Start(add);
        const int release = run.Start([&] { held_up.Release(); });
        lock.unlock();
        internal::LetTimePass(1'000'000);
        add();
        run.Join(slow);
        run.Join(first);
        run.Join(second);
        run.Join(release);
        explore::Check(count == 4);
        explore::Check(!lock.locked());
      },
      /*samples=*/20'000));
}

// The last touch of those who wake the next because of (L6), too: here the last
// user comes by a wake-up of that kind, or late.
TEST(LockModel, TheLastUserMayDestroyItAlthoughOneWasHeldUp) {
  EXPECT_TRUE(HoldsInSamples(
      [](Execution& run) HEDDLE_UNCHECKED {
        struct Counted {
          Lock lock;
          Var<int> references = 3;
        };
        auto* const counted = new Counted;
        HeldUp held_up;
        const auto drop = [counted]() HEDDLE_UNCHECKED {
          counted->lock.lock();
          const bool last = --counted->references == 0;
          counted->lock.unlock();
          if (last) delete counted;
        };
        counted->lock.lock();
        const int slow = run.Start([&] { held_up.Run(drop); });
        held_up.Await();
        const int next = run.Start(drop);
        counted->lock.unlock();
        if (run.Choose(2) == 1) internal::LetTimePass(1'000'000);
        const int release = run.Start([&] { held_up.Release(); });
        drop();
        run.Join(slow);
        run.Join(next);
        run.Join(release);
      },
      /*samples=*/20'000));
}

// [UNLOCK] is the last touch: the next holder may destroy the lock although the
// previous one has not returned from unlock().
TEST(LockModel, TheLastUserMayDestroyIt) {
  EXPECT_TRUE(Holds(3, LastUserDestroysIt<Lock>));
}

}  // namespace
}  // namespace heddle
