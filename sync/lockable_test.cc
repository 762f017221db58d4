// What every lock of sync/ promises as *Lockable*, tested on each. What it
// promises to those who wait for it is in blocking_wait_test.cc.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/internal/wait_subjects.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::RunConcurrently;
using sync_internal::Background;
using sync_internal::ConditionOn;
using sync_internal::LockWaitersOf;

// A semaphore of one unit is a lock, as far as its words go.
template <typename SomeSemaphore>
class AsLock : public SomeSemaphore {
 public:
  [[nodiscard]] bool try_lock_for(const WaitLimit& limit) {
    return this->Acquire(limit);
  }
};

// Who may release what others hold, and who finds out that nobody does.
template <typename Lockable>
constexpr bool kKnowsOwner =
    std::is_same_v<Lockable, RLock> || std::is_same_v<Lockable, Condition> ||
    std::is_same_v<Lockable, ConditionOn<RLock>>;
template <typename Lockable>
constexpr bool kRefuses = !std::is_same_v<Lockable, AsLock<Semaphore>>;

// What another thread finds.
template <typename Lockable>
bool IsFree(Lockable& lock) {
  Background other([&]() HEDDLE_UNCHECKED {
    if (!lock.try_lock()) return false;
    lock.unlock();
    return true;
  });
  return other.Result();
}

template <typename Lockable>
class LockableTest : public testing::Test {};
using Lockables = testing::Types<Lock, RLock, SharedLock, Condition,
                                 ConditionOn<Lock>, ConditionOn<RLock>,
                                 AsLock<Semaphore>, AsLock<BoundedSemaphore>>;
TYPED_TEST_SUITE(LockableTest, Lockables);

TYPED_TEST(LockableTest, IsNeitherCopiedNorMoved) {
  EXPECT_FALSE(std::is_copy_constructible_v<TypeParam>);
  EXPECT_FALSE(std::is_move_constructible_v<TypeParam>);
  EXPECT_FALSE(std::is_copy_assignable_v<TypeParam>);
  EXPECT_FALSE(std::is_move_assignable_v<TypeParam>);
}

TYPED_TEST(LockableTest, IsFreeAtFirstHeldUntilReleasedAndFreeAgain)
HEDDLE_UNCHECKED {
  TypeParam lock;
  EXPECT_TRUE(IsFree(lock));
  lock.lock();
  EXPECT_FALSE(IsFree(lock));
  lock.unlock();
  EXPECT_TRUE(IsFree(lock));
}

TYPED_TEST(LockableTest, TryLockTakesAFreeLockAndFailsWhileAnotherHoldsIt)
HEDDLE_UNCHECKED {
  TypeParam lock;
  EXPECT_TRUE(lock.try_lock());
  Background other([&]() HEDDLE_UNCHECKED { return lock.try_lock(); });
  EXPECT_FALSE(other.Result());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(IsFree(lock));
}

TYPED_TEST(LockableTest, TryLockForTakesAFreeLockWhateverTheLimit)
HEDDLE_UNCHECKED {
  TypeParam lock;
  std::stop_source stop;
  stop.request_stop();
  for (const WaitLimit& limit :
       {WaitLimit(), WaitLimit(absl::ZeroDuration()),
        WaitLimit(-absl::InfiniteDuration()), WaitLimit(stop.get_token())}) {
    EXPECT_TRUE(lock.try_lock_for(limit));
    EXPECT_FALSE(IsFree(lock));
    lock.unlock();
  }
  EXPECT_TRUE(IsFree(lock));
}

TYPED_TEST(LockableTest, TryLockOfAFreeLockNeverFails) HEDDLE_UNCHECKED {
  // Nobody else ever holds it; the other only looks.
  constexpr int kRounds = 10000;
  TypeParam lock;
  std::atomic<bool> done{false};
  RunConcurrently(
      1,
      [&]() HEDDLE_UNCHECKED {
        for (int i = 0; i < kRounds; ++i) {
          ASSERT_TRUE(lock.try_lock());
          lock.unlock();
        }
        done.store(true);
      },
      [&] {
        while (!done.load()) static_cast<void>(lock.DebugString());
      });
}

TYPED_TEST(LockableTest, ExcludesAndIsCounted) HEDDLE_UNCHECKED {
  constexpr int kRounds = 1000;
  TypeParam lock;
  int64_t count = 0;  // guarded by lock
  const auto increment = [&]() HEDDLE_UNCHECKED {
    for (int i = 0; i < kRounds; ++i) {
      lock.lock();
      ++count;
      lock.unlock();
    }
  };
  RunConcurrently(1, increment, increment, increment, increment);
  EXPECT_EQ(count, 4 * kRounds);
  EXPECT_TRUE(IsFree(lock));
}

// Threads that hold it for long, so that the others really sleep.
TYPED_TEST(LockableTest, ExcludesAmongThreadsThatSleepForIt) HEDDLE_UNCHECKED {
  constexpr int kRounds = 200;
  TypeParam lock;
  int64_t count = 0;  // guarded by lock
  const auto work = [&]() HEDDLE_UNCHECKED {
    for (int i = 0; i < kRounds; ++i) {
      lock.lock();
      const int64_t seen = count;
      if (i % 10 == 0) std::this_thread::yield();
      count = seen + 1;
      lock.unlock();
    }
  };
  RunConcurrently(1, work, work, work, work, work, work);
  EXPECT_EQ(count, 6 * kRounds);
  EXPECT_TRUE(IsFree(lock));
}

// Limits that pass, stops, looks and plain waits against each other: the lock
// excludes and nobody is stranded.
TYPED_TEST(LockableTest, ExcludesAmongWaitersOfAllKinds) HEDDLE_UNCHECKED {
  constexpr int kIterations = 100;
  TypeParam lock;
  int64_t count = 0;  // guarded by lock
  std::atomic<int64_t> taken{0};
  std::vector<std::stop_source> stops(kIterations);
  size_t stopping = 0;
  size_t stoppable = 0;
  int round = 0;
  const auto hold = [&]() HEDDLE_UNCHECKED {
    const int64_t seen = count;
    std::this_thread::yield();
    count = seen + 1;
    ++taken;
    lock.unlock();
  };
  RunConcurrently(
      kIterations,
      [&]() HEDDLE_UNCHECKED {
        lock.lock();
        hold();
      },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock_for(absl::Microseconds(++round % 50))) hold();
      },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock_for(stops[stoppable++].get_token())) hold();
      },
      [&] { stops[stopping++].request_stop(); },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock()) hold();
      });
  EXPECT_EQ(count, taken.load());
  EXPECT_GE(count, kIterations);
  EXPECT_TRUE(IsFree(lock));
  EXPECT_EQ(LockWaitersOf(lock), 0);
}

TYPED_TEST(LockableTest, MayBeDestroyedWhileHeld) HEDDLE_UNCHECKED {
  auto lock = std::make_unique<TypeParam>();
  lock->lock();
  lock.reset();
}

TYPED_TEST(LockableTest, WorksWithTheStandardsGuards) HEDDLE_UNCHECKED {
  TypeParam lock;
  {
    std::lock_guard<TypeParam> guard(lock);
    EXPECT_FALSE(IsFree(lock));
  }
  EXPECT_TRUE(IsFree(lock));
  {
    std::unique_lock<TypeParam> guard(lock, std::defer_lock);
    EXPECT_TRUE(IsFree(lock));
    EXPECT_TRUE(guard.try_lock());
    EXPECT_FALSE(IsFree(lock));
    guard.unlock();
    EXPECT_TRUE(IsFree(lock));
    guard.lock();
    EXPECT_FALSE(IsFree(lock));
  }
  EXPECT_TRUE(IsFree(lock));
  {
    const std::unique_lock<TypeParam> guard(lock, std::try_to_lock);
    EXPECT_TRUE(guard.owns_lock());
  }
  EXPECT_TRUE(IsFree(lock));
}

TYPED_TEST(LockableTest, ScopedLockTakesSeveralInAnyOrderWithoutDeadlock)
HEDDLE_UNCHECKED {
  constexpr int kIterations = 200;
  TypeParam first;
  TypeParam second;
  Lock third;
  int64_t count = 0;  // guarded by all
  RunConcurrently(
      kIterations,
      [&] {
        std::scoped_lock all(first, second, third);
        ++count;
      },
      [&] {
        std::scoped_lock all(third, second, first);
        ++count;
      },
      [&] {
        std::scoped_lock all(second, first, third);
        ++count;
      });
  EXPECT_EQ(count, 3 * kIterations);
  EXPECT_TRUE(IsFree(first));
  EXPECT_TRUE(IsFree(second));
  EXPECT_FALSE(third.locked());
}

TYPED_TEST(LockableTest, AnotherThreadMayReleaseWhatKnowsNoOwner)
HEDDLE_UNCHECKED {
  if constexpr (!kKnowsOwner<TypeParam>) {
    TypeParam lock;
    lock.lock();
    Background releaser([&]() HEDDLE_UNCHECKED {
      lock.unlock();
      return 0;
    });
    lock.lock();  // waits for the releaser
    releaser.Result();
    EXPECT_FALSE(IsFree(lock));
    lock.unlock();
    EXPECT_TRUE(IsFree(lock));
  }
}

#ifdef ABSL_HAVE_EXCEPTIONS
TYPED_TEST(LockableTest, UnlockOfAFreeLockThrowsLogicErrorAndChangesNothing)
HEDDLE_UNCHECKED {
  if constexpr (kRefuses<TypeParam>) {
    TypeParam lock;
    EXPECT_THROW(lock.unlock(), std::logic_error);
    EXPECT_TRUE(IsFree(lock));
    lock.lock();
    lock.unlock();
    EXPECT_THROW(lock.unlock(), std::logic_error);
    EXPECT_TRUE(IsFree(lock));
    lock.lock();
    EXPECT_FALSE(IsFree(lock));
    lock.unlock();
  }
}

TYPED_TEST(LockableTest, UnlockOfAFreeLockThatWasWaitedForThrowsToo)
HEDDLE_UNCHECKED {
  if constexpr (kRefuses<TypeParam>) {
    TypeParam lock;
    const auto wait_in_vain = [&] {
      Background other([&]() HEDDLE_UNCHECKED {
        return lock.try_lock_for(absl::Microseconds(100));
      });
      EXPECT_FALSE(other.Result());  // was queued
    };
    lock.lock();
    wait_in_vain();
    lock.unlock();
    EXPECT_THROW(lock.unlock(), std::logic_error);
    EXPECT_TRUE(IsFree(lock));
    // The parking spot was let go when the error was thrown.
    lock.lock();
    wait_in_vain();
    lock.unlock();
  }
}

// However the calls fall together, no more releases succeed than there were
// acquisitions.
TYPED_TEST(LockableTest, UnlockThatRacesWithAHolderReleasesItOnceOrThrows)
HEDDLE_UNCHECKED {
  if constexpr (kRefuses<TypeParam> && !kKnowsOwner<TypeParam>) {
    constexpr int kRounds = 3000;
    TypeParam lock;
    std::atomic<int> taken{0};
    std::atomic<int> released{0};
    std::atomic<bool> done{false};
    const auto unlock = [&]() HEDDLE_UNCHECKED {
      try {
        lock.unlock();
        ++released;
      } catch (const std::logic_error&) {
      }
    };
    const auto intrude = [&] {
      while (!done.load()) unlock();
    };
    const auto take = [&]() HEDDLE_UNCHECKED {
      lock.lock();
      ++taken;
      unlock();
    };
    std::atomic<int> working{2};
    const auto work = [&] {
      for (int i = 0; i < kRounds; ++i) take();
      if (--working == 0) done.store(true);
    };
    RunConcurrently(1, intrude, work, work);
    EXPECT_EQ(taken.load(), released.load());
    EXPECT_TRUE(IsFree(lock));
  }
}
#else
TYPED_TEST(LockableTest, UnlockOfAFreeLockIsFatalWithoutExceptions) {
  if constexpr (kRefuses<TypeParam>) {
    const auto misuse = []() HEDDLE_UNCHECKED {
      TypeParam lock;
      lock.unlock();
    };
    EXPECT_DEATH(misuse(), "heddle: fatal: ");
  }
}
#endif

// The standard's timed forms, beyond the table of timeout_table_test.cc.
template <typename Lockable>
class TimedLockableTest : public testing::Test {};
using TimedLockables = testing::Types<Lock, RLock, SharedLock>;
TYPED_TEST_SUITE(TimedLockableTest, TimedLockables);

TYPED_TEST(TimedLockableTest, UniqueLockTakesLimits) HEDDLE_UNCHECKED {
  TypeParam lock;
  std::unique_lock<TypeParam> guard(lock, std::defer_lock);
  EXPECT_TRUE(guard.try_lock_for(std::chrono::milliseconds(1)));
  EXPECT_FALSE(IsFree(lock));
  guard.unlock();
  EXPECT_TRUE(guard.try_lock_until(std::chrono::steady_clock::now()));
  EXPECT_FALSE(IsFree(lock));
}

template <typename Lockable>
bool TryElsewhereUntil(Lockable& lock, auto deadline) {
  Background other(
      [&]() HEDDLE_UNCHECKED { return lock.try_lock_until(deadline); });
  return other.Result();
}

TYPED_TEST(TimedLockableTest, TryLockUntilReturnsFalseNotBeforeTheDeadline)
HEDDLE_UNCHECKED {
  TypeParam lock;
  lock.lock();
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  EXPECT_FALSE(TryElsewhereUntil(lock, deadline));
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
  lock.unlock();
}

// A wall clock that is set back while a wait is under way.
struct SetBackClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SetBackClock>;
  static constexpr bool is_steady = false;
  static inline int looks = 0;
  static time_point now() {
    // The first look, before the wait: 1 ms to go. The second: set back, so
    // that 1 ms is still to go. The third: there.
    return time_point(std::chrono::milliseconds(++looks <= 2 ? 0 : 1));
  }
};

static_assert(!SetBackClock::is_steady);

TYPED_TEST(TimedLockableTest, TryLockUntilLooksAgainWhenTheClockWasSetBack)
HEDDLE_UNCHECKED {
  TypeParam lock;
  lock.lock();
  SetBackClock::looks = 0;
  EXPECT_FALSE(TryElsewhereUntil(
      lock, SetBackClock::time_point(std::chrono::milliseconds(1))));
  EXPECT_EQ(SetBackClock::looks, 3);
  lock.unlock();
}

TEST(SharedLockableTest, WorksWithTheStandardsSharedLock) HEDDLE_UNCHECKED {
  SharedLock lock;
  {
    std::shared_lock<SharedLock> first(lock);
    std::shared_lock<SharedLock> second(lock, std::defer_lock);
    EXPECT_TRUE(second.try_lock());
    second.unlock();
    EXPECT_TRUE(second.try_lock_for(std::chrono::milliseconds(1)));
    second.unlock();
    EXPECT_TRUE(second.try_lock_until(std::chrono::steady_clock::now()));
    EXPECT_FALSE(IsFree(lock));
  }
  EXPECT_TRUE(IsFree(lock));
}

}  // namespace
}  // namespace heddle
