// Models of RLock: (R1), (R2) of rlock.h, under every schedule.

#include <cstdint>
#include <stdexcept>
#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/lock_models.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using explore::HoldsInSamples;
using internal::Var;
using sync_internal::AWokenThreadThatDoesNotRunHoldsUpNobody;
using sync_internal::LastUserDestroysIt;

TEST(RLockModel, NestedHoldsExcludeOthersUntilTheLastIsReleased) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    RLock lock;
    Var<int> count = 0;
    const auto add = [&]() HEDDLE_UNCHECKED {
      lock.lock();
      lock.lock();
      ++count;
      lock.unlock();
      ++count;
      lock.unlock();
    };
    run.Run(add, add);
    explore::Check(count == 4);
    explore::Check(!lock.locked());
  }));
}

TEST(RLockModel, ThreeThreadsAllGetIt) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    RLock lock;
    Var<int> count = 0;
    const auto add = [&]() HEDDLE_UNCHECKED {
      lock.lock();
      ++count;
      lock.unlock();
    };
    run.Run(add, add, add);
    explore::Check(count == 3);
  }));
}

// (R1): nobody takes another's hold for its own, whatever it reads of it.
TEST(RLockModel, OwnershipIsSeenByTheOwnerAlone) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    RLock lock;
    const auto hold = [&]() HEDDLE_UNCHECKED {
      explore::Check(!lock.is_owned());
      explore::Check(lock.recursion_count() == 0);
      lock.lock();
      explore::Check(lock.is_owned());
      explore::Check(lock.recursion_count() == 1);
      lock.unlock();
      explore::Check(!lock.is_owned());
    };
    run.Run(hold, hold);
  }));
}

TEST(RLockModel, UnlockOfAnothersHoldThrowsAndChangesNothing) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    RLock lock;
    Var<int> count = 0;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          ++count;
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          bool refused = false;
          try {
            lock.unlock();
          } catch (const std::logic_error&) {
            refused = true;
          }
          explore::Check(refused);
          lock.lock();
          ++count;
          lock.unlock();
        });
    explore::Check(count == 2);
  }));
}

TEST(RLockModel, TryLockTakesAFreeLockOrItsOwn) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    RLock lock;
    Var<int> count = 0;
    int taken = 0;
    const auto try_twice = [&]() HEDDLE_UNCHECKED {
      if (!lock.try_lock()) return;
      explore::Check(lock.try_lock());
      ++count;
      ++taken;
      lock.unlock();
      lock.unlock();
    };
    run.Run(try_twice, try_twice);
    explore::Check(count == taken);
    explore::Check(taken >= 1);
  }));
}

TEST(RLockModel, AWaitThatEndsByItsLimitOrAStopChangesNothing) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    RLock lock;
    Var<int> count = 0;
    int taken = 0;
    std::stop_source stop;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock();
          ++count;
          lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          if (!lock.try_lock_for({absl::Seconds(1), stop.get_token()})) {
            explore::Check(!lock.is_owned());
            return;
          }
          ++count;
          ++taken;
          lock.unlock();
        },
        [&] { stop.request_stop(); });
    explore::Check(count == 1 + taken);
    explore::Check(!lock.locked());
  }));
}

TEST(RLockModel, TheLastUserMayDestroyIt) {
  EXPECT_TRUE(Holds(3, LastUserDestroysIt<RLock>));
}

TEST(RLockModel, AWokenThreadThatDoesNotRunHoldsUpNobody) {
  EXPECT_TRUE(HoldsInSamples(AWokenThreadThatDoesNotRunHoldsUpNobody<RLock>,
                             /*samples=*/20'000));
}

}  // namespace
}  // namespace heddle
