// Models of Condition: (C1)-(C3) of condition.h, under every schedule.

#include <cstdint>
#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/internal/held_up.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using explore::HoldsInSamples;
using internal::HeldUp;
using internal::Var;

TEST(ConditionModel, AChangeThatIsNotifiedIsNotMissed) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Lock lock;
    Condition condition(lock);
    Var<bool> ready = false;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          explore::Check(condition.WaitFor([&] { return bool{ready}; }));
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          ready = true;
          condition.Notify();
          lock.unlock();
        });
    explore::Check(!lock.locked());
  }));
}

// What the notified finds was done under its lock.
TEST(ConditionModel, WaitReturnsWithTheLock) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Lock lock;
    Condition condition(lock);
    Var<int> count = 0;
    Var<bool> waits = false;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          waits = true;
          explore::Check(condition.Wait());
          ++count;
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          for (bool done = false; !done;) {
            lock.lock();
            if (waits) {
              condition.Notify();
              ++count;
              done = true;
            }
            lock.unlock();
            if (!done) explore::Yield();
          }
        });
    explore::Check(count == 2);
  }));
}

// Two wait, one is notified: one of them, and the other later.
TEST(ConditionModel, NotifyLetsExactlyOneGo) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Lock lock;
    Condition condition(lock);
    Condition changed(lock);
    Var<int> waiting = 0;
    Var<int> gone = 0;
    const auto wait = [&]() HEDDLE_UNCHECKED {
      lock.lock();
      ++waiting;
      changed.Notify();
      explore::Check(condition.Wait());
      ++gone;
      changed.Notify();
      lock.unlock();
    };
    run.Run(wait, wait, [&]() HEDDLE_UNCHECKED {
      lock.lock();
      changed.WaitFor([&] { return waiting == 2; });
      condition.Notify();
      changed.WaitFor([&] { return gone > 0; });
      explore::Check(gone == 1);
      condition.Notify();
      lock.unlock();
    });
    explore::Check(gone == 2);
  }));
}

TEST(ConditionModel, NotifyAllLetsAllGo) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    Lock lock;
    Condition condition(lock);
    Var<bool> ready = false;
    const auto wait = [&]() HEDDLE_UNCHECKED {
      lock.lock();
      explore::Check(condition.WaitFor([&] { return bool{ready}; }));
      lock.unlock();
    };
    run.Run(wait, wait, [&]() HEDDLE_UNCHECKED {
      lock.lock();
      ready = true;
      condition.NotifyAll();
      lock.unlock();
    });
  }));
}

// Whatever else ends the wait at that moment: true only after a Notify(), and
// everything is as it was.
TEST(ConditionModel, AWaitThatReturnsTrueWasNotified) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Lock lock;
    Condition condition(lock);
    std::stop_source stop;
    Var<bool> sent = false;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          if (condition.Wait({absl::Seconds(1), stop.get_token()}))
            explore::Check(sent);
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          sent = true;
          condition.Notify();
          lock.unlock();
        },
        [&] { stop.request_stop(); });
    explore::Check(!lock.locked());
  }));
}

// Of two who wait one gives up; the Notify() is not lost with it.
TEST(ConditionModel, ANotifyIsNotSpentOnAWaitThatReturnsFalse) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Lock lock;
    Condition condition(lock);
    Condition changed(lock);
    Var<int> entered = 0;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          ++entered;
          changed.Notify();
          // Passes on what was meant for either.
          if (condition.Wait(absl::Seconds(1))) condition.Notify();
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          ++entered;
          changed.Notify();
          explore::Check(condition.Wait());
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          changed.WaitFor([&] { return entered == 2; });
          condition.Notify();
          lock.unlock();
        });
    explore::Check(!lock.locked());
  }));
}

TEST(ConditionModel, AnRLockIsReleasedHoweverDeepAndTakenBackSo) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Condition condition;
    Var<bool> ready = false;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          condition.lock();
          condition.lock();
          explore::Check(condition.WaitFor([&] { return bool{ready}; }));
          condition.unlock();
          condition.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          condition.lock();
          ready = true;
          condition.Notify();
          condition.unlock();
        });
    explore::Check(!condition.locked());
  }));
}

// A buffer of one place, and a condition for each side.
TEST(ConditionModel, TwoConditionsShareALock) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    Lock lock;
    Condition not_empty(lock);
    Condition not_full(lock);
    Var<int> item = 0;  // 0: none
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          for (int i = 1; i <= 2; ++i) {
            lock.lock();
            explore::Check(not_full.WaitFor([&] { return item == 0; }));
            item = i;
            not_empty.Notify();
            lock.unlock();
          }
        },
        [&]() HEDDLE_UNCHECKED {
          for (int i = 1; i <= 2; ++i) {
            lock.lock();
            explore::Check(not_empty.WaitFor([&] { return item != 0; }));
            explore::Check(item == i);
            item = 0;
            not_full.Notify();
            lock.unlock();
          }
        });
  }));
}

// Also while a third thread takes the lock as others do (C3).
TEST(ConditionModel, TheNotifiedGetTheLockAmongOthers) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    Lock lock;
    Condition condition(lock);
    Var<bool> ready = false;
    Var<int> count = 0;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          explore::Check(condition.WaitFor([&] { return bool{ready}; }));
          ++count;
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          ready = true;
          condition.Notify();
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          ++count;
          lock.unlock();
        });
    explore::Check(count == 2);
    explore::Check(!lock.locked());
  }));
}

TEST(ConditionModel, TheNotifiedMayDestroyIt) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Lock lock;
    auto* const condition = new Condition(lock);
    Var<bool> ready = false;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          explore::Check(condition->WaitFor([&] { return bool{ready}; }));
          delete condition;
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          ready = true;
          condition->Notify();
          lock.unlock();
        });
  }));
}

TEST(ConditionModel, WhoNotifiedAllMayDestroyIt) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Lock lock;
    auto* condition = new Condition(lock);
    Var<bool> waits = false;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          waits = true;
          if (condition != nullptr) explore::Check(condition->Wait());
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          if (waits) condition->NotifyAll();
          delete condition;
          condition = nullptr;
          lock.unlock();
        });
  }));
}

// The lock's (L6): the notified waits in the lock's queue, is woken there, and
// does not run; who waits behind it has the lock all the same.
TEST(ConditionModel, ANotifiedThreadThatDoesNotRunHoldsUpNobody) {
  EXPECT_TRUE(HoldsInSamples(
      [](Execution& run) HEDDLE_UNCHECKED {
        Lock lock;
        Condition condition(lock);
        HeldUp held_up;
        Var<int> count = 0;
        const auto add = [&]() HEDDLE_UNCHECKED {
          lock.lock();
          ++count;
          lock.unlock();
        };
        run.Run(
            [&]() HEDDLE_UNCHECKED {
              lock.lock();
              held_up.Run([&] { explore::Check(condition.Wait()); });
              ++count;
              lock.unlock();
            },
            [&] {
              held_up.Await();
              add();
              held_up.Release();
            },
            [&]() HEDDLE_UNCHECKED {
              held_up.Await();
              lock.lock();
              condition.Notify();
              lock.unlock();
              internal::LetTimePass(1'000'000);
              add();
            });
        explore::Check(count == 3);
        explore::Check(!lock.locked());
      },
      /*samples=*/20'000));
}

}  // namespace
}  // namespace heddle
