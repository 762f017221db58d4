#include "heddle/sync/rlock.h"

#include <cstdint>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;
using sync_internal::AwaitWaiters;
using sync_internal::Background;

// What all locks promise is tested in lockable_test.cc, what all blocking waits
// do in blocking_wait_test.cc.

constinit RLock constant_initialized;

TEST(RLockTest, IsConstantInitializedAndSmall) {
  EXPECT_FALSE(constant_initialized.locked());
  EXPECT_LE(sizeof(RLock), 12u);
}

TEST(RLockTest, IsReleasedAsOftenAsItWasTaken) HEDDLE_UNCHECKED {
  RLock lock;
  EXPECT_EQ(lock.recursion_count(), 0u);
  for (uint32_t i = 1; i <= 5; ++i) {
    lock.lock();
    EXPECT_EQ(lock.recursion_count(), i);
  }
  for (uint32_t i = 5; i > 0; --i) {
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(lock.recursion_count(), i);
    lock.unlock();
  }
  EXPECT_EQ(lock.recursion_count(), 0u);
  EXPECT_FALSE(lock.locked());
}

TEST(RLockTest, OthersGetItOnlyAfterTheLastRelease) HEDDLE_UNCHECKED {
  ManualClock clock;
  RLock lock;
  lock.lock();
  lock.lock();
  Background taker([&]() HEDDLE_UNCHECKED {
    if (!lock.try_lock_for(absl::Hours(1))) return false;
    lock.unlock();
    return true;
  });
  clock.AwaitSleepers(1);
  lock.unlock();
  EXPECT_TRUE(lock.is_owned());
  EXPECT_TRUE(taker.IsAlive());
  EXPECT_EQ(sync_internal::WaitersOf(lock), 1);
  lock.unlock();
  EXPECT_TRUE(taker.Result());
}

TEST(RLockTest, OwnerTakesItAgainAtOnceWhateverTheLimitAndWhoeverWaits)
HEDDLE_UNCHECKED {
  RLock lock;
  lock.lock();
  Background waits([&]() HEDDLE_UNCHECKED {
    lock.lock();
    lock.unlock();
    return 0;
  });
  AwaitWaiters(lock, 1);
  std::stop_source stop;
  stop.request_stop();
  lock.lock();
  EXPECT_TRUE(lock.try_lock());
  EXPECT_TRUE(lock.try_lock_for(WaitLimit()));
  EXPECT_TRUE(lock.try_lock_for(absl::ZeroDuration()));
  EXPECT_TRUE(lock.try_lock_for(-absl::InfiniteDuration()));
  EXPECT_TRUE(lock.try_lock_for(stop.get_token()));
  EXPECT_EQ(lock.recursion_count(), 7u);
  for (int i = 0; i < 7; ++i) lock.unlock();
  waits.Result();
  EXPECT_FALSE(lock.locked());
}

TEST(RLockTest, LockedIsTrueForAllAndTheRestForTheOwnerOnly) HEDDLE_UNCHECKED {
  RLock lock;
  EXPECT_FALSE(lock.locked());
  EXPECT_FALSE(lock.is_owned());
  lock.lock();
  lock.lock();
  EXPECT_TRUE(lock.locked());
  EXPECT_TRUE(lock.is_owned());
  EXPECT_EQ(lock.recursion_count(), 2u);
  Background other([&] {
    EXPECT_TRUE(lock.locked());
    EXPECT_FALSE(lock.is_owned());
    return static_cast<int>(lock.recursion_count());
  });
  EXPECT_EQ(other.Result(), 0);
  lock.unlock();
  lock.unlock();
}

TEST(RLockTest, FailedAttemptsLeaveTheOwnerAndTheCountAlone) HEDDLE_UNCHECKED {
  RLock lock;
  lock.lock();
  lock.lock();
  Background other([&]() HEDDLE_UNCHECKED {
    EXPECT_FALSE(lock.try_lock());
    EXPECT_FALSE(lock.try_lock_for(absl::ZeroDuration()));
    EXPECT_FALSE(lock.try_lock_for(absl::Microseconds(100)));
    EXPECT_EQ(lock.recursion_count(), 0u);
    return lock.is_owned();
  });
  EXPECT_FALSE(other.Result());
  EXPECT_TRUE(lock.is_owned());
  EXPECT_EQ(lock.recursion_count(), 2u);
  lock.unlock();
  lock.unlock();
  EXPECT_FALSE(lock.locked());
}

TEST(RLockTest, CountStartsAgainForEachOwner) HEDDLE_UNCHECKED {
  RLock lock;
  const auto own_twice = [&]() HEDDLE_UNCHECKED {
    lock.lock();
    EXPECT_EQ(lock.recursion_count(), 1u);
    EXPECT_TRUE(lock.try_lock());
    EXPECT_EQ(lock.recursion_count(), 2u);
    lock.unlock();
    lock.unlock();
    return static_cast<int>(lock.recursion_count());
  };
  EXPECT_EQ(own_twice(), 0);
  Background other(own_twice);
  EXPECT_EQ(other.Result(), 0);
  EXPECT_EQ(own_twice(), 0);
}

TEST(RLockTest, ExcludesWhileOwnersTakeItAgain) HEDDLE_UNCHECKED {
  constexpr int kRounds = 3000;
  RLock lock;
  int64_t count = 0;  // guarded by lock
  const auto work = [&]() HEDDLE_UNCHECKED {
    for (int i = 0; i < kRounds; ++i) {
      std::lock_guard<RLock> outer(lock);
      const int64_t seen = count;
      {
        std::lock_guard<RLock> inner(lock);
        count = seen + 1;
      }
      // The inner release was not the last.
      EXPECT_EQ(count, seen + 1);
    }
  };
  RunConcurrently(1, work, work, work);
  EXPECT_EQ(count, 3 * kRounds);
  EXPECT_FALSE(lock.locked());
}

#ifdef ABSL_HAVE_EXCEPTIONS
std::string UnlockError(RLock& lock) HEDDLE_UNCHECKED {
  try {
    lock.unlock();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "no error";
}

constexpr char kNotOwned[] =
    "RLock::unlock: this thread does not hold the lock";

TEST(RLockTest, ReleaseWhenFreeAndByAnotherHaveTheSameError) HEDDLE_UNCHECKED {
  RLock lock;
  EXPECT_EQ(UnlockError(lock), kNotOwned);
  EXPECT_FALSE(lock.locked());
  lock.lock();
  lock.lock();
  Background other([&] {
    EXPECT_EQ(UnlockError(lock), kNotOwned);
    return 0;
  });
  other.Result();
  EXPECT_EQ(lock.recursion_count(), 2u);  // nothing has changed
  lock.unlock();
  lock.unlock();
  EXPECT_EQ(UnlockError(lock), kNotOwned);
  EXPECT_FALSE(lock.locked());
}

TEST(RLockTest, FormerOwnerMayNotReleaseItForTheNext) HEDDLE_UNCHECKED {
  RLock lock;
  lock.lock();
  lock.unlock();
  Background next([&]() HEDDLE_UNCHECKED {
    lock.lock();
    return 0;
  });
  next.Result();
  EXPECT_EQ(UnlockError(lock), kNotOwned);
  EXPECT_TRUE(lock.locked());
}
#else
TEST(RLockDeathTest, ReleaseByANonOwnerIsFatalWithoutExceptions) {
  const auto misuse = []() HEDDLE_UNCHECKED {
    RLock lock;
    lock.unlock();
  };
  EXPECT_DEATH(
      misuse(),
      "heddle: fatal: RLock::unlock: this thread does not hold the lock");
}
#endif

// The kernel gives the number of a thread that has ended to another.
TEST(RLockTest, IsNotInheritedByAThreadWithTheKernelsIdOfTheOwner)
HEDDLE_UNCHECKED {
  RLock lock;
  uint32_t id = 0;
  std::thread([&]() HEDDLE_UNCHECKED {
    lock.lock();
    id = internal::ThreadId();
  }).join();
  std::thread([&]() HEDDLE_UNCHECKED {
    internal::ThisThread().native_id = id;
    EXPECT_FALSE(lock.is_owned());
    EXPECT_FALSE(lock.try_lock());
  }).join();
  EXPECT_TRUE(lock.locked());
}

TEST(RLockTest, DebugStringTellsTheOwnerAndHowManyWait) HEDDLE_UNCHECKED {
  RLock lock;
  EXPECT_EQ(lock.DebugString(), "RLock(unlocked, waiters=0)");
  lock.lock();
  Background waits([&]() HEDDLE_UNCHECKED {
    lock.lock();
    lock.unlock();
    return 0;
  });
  AwaitWaiters(lock, 1);
  std::ostringstream out;
  out << lock;
  EXPECT_EQ(out.str(), absl::StrCat("RLock(locked by thread ",
                                    internal::CurrentIdent(), ", waiters=1)"));
  lock.unlock();
  waits.Result();
  EXPECT_EQ(lock.DebugString(), "RLock(unlocked, waiters=0)");
}

}  // namespace
}  // namespace heddle
