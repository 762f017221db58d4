#include "heddle/sync/lock.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;

// Locks are taken and released here in ways that no static analysis follows.
#define HEDDLE_UNCHECKED ABSL_NO_THREAD_SAFETY_ANALYSIS

// A thread that tries to take `lock` within `limit`; it does not release it.
class TakingThread {
 public:
  TakingThread(Lock& lock, const WaitLimit& limit)
      : thread_([this, &lock, limit]()
                    HEDDLE_UNCHECKED { taken_ = lock.try_lock_for(limit); }) {
    thread_.Start();
  }

  bool Result() {
    thread_.Join();
    return taken_;
  }
  bool IsAlive() const { return thread_.IsAlive(); }

 private:
  bool taken_ = false;
  Thread thread_;
};

constinit Lock constant_initialized;

TEST(LockTest, IsConstantInitializedAndFourBytes) {
  EXPECT_FALSE(constant_initialized.locked());
  EXPECT_EQ(sizeof(Lock), 4u);
  EXPECT_FALSE(std::is_copy_constructible_v<Lock>);
  EXPECT_FALSE(std::is_move_constructible_v<Lock>);
}

TEST(LockTest, LockedTellsWhetherAnyThreadHoldsIt) {
  Lock lock;
  EXPECT_FALSE(lock.locked());
  lock.lock();
  EXPECT_TRUE(lock.locked());
  Thread other([&] { EXPECT_TRUE(lock.locked()); });
  other.Start();
  other.Join();
  lock.unlock();
  EXPECT_FALSE(lock.locked());
}

TEST(LockTest, TryLockFailsWhileItIsHeldAndSucceedsAfter) HEDDLE_UNCHECKED {
  Lock lock;
  EXPECT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(LockTest, IsNotRecursive) HEDDLE_UNCHECKED {
  Lock lock;
  lock.lock();
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_for(absl::Microseconds(1)));
  EXPECT_TRUE(lock.locked());
  lock.unlock();
}

TEST(LockTest, AnotherThreadMayReleaseIt) HEDDLE_UNCHECKED {
  Lock lock;
  lock.lock();
  Thread releaser([&]() HEDDLE_UNCHECKED { lock.unlock(); });
  releaser.Start();
  lock.lock();  // waits for the releaser
  EXPECT_TRUE(lock.locked());
  releaser.Join();
  lock.unlock();
  EXPECT_FALSE(lock.locked());
}

TEST(LockTest, ReleaseByAnotherThreadWakesAWaiter) HEDDLE_UNCHECKED {
  ManualClock clock;
  Lock lock;
  lock.lock();
  TakingThread taker(lock, absl::Hours(1));
  clock.AwaitSleepers(1);
  Thread releaser([&]() HEDDLE_UNCHECKED { lock.unlock(); });
  releaser.Start();
  EXPECT_TRUE(taker.Result());
  EXPECT_TRUE(lock.locked());
  lock.unlock();
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(LockTest, UnlockOfAFreeLockThrowsLogicErrorAndChangesNothing)
HEDDLE_UNCHECKED {
  Lock lock;
  EXPECT_THROW(lock.unlock(), std::logic_error);
  EXPECT_FALSE(lock.locked());
  lock.lock();
  lock.unlock();
  EXPECT_THROW(lock.unlock(), std::logic_error);
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(LockTest, UnlockOfAFreeLockThatWasWaitedForThrowsToo) HEDDLE_UNCHECKED {
  Lock lock;
  lock.lock();
  EXPECT_FALSE(lock.try_lock_for(absl::Microseconds(100)));  // was queued
  lock.unlock();
  EXPECT_THROW(lock.unlock(), std::logic_error);
  EXPECT_FALSE(lock.locked());
  // The parking spot was let go when the error was thrown.
  EXPECT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_for(absl::Microseconds(100)));
  lock.unlock();
}

TEST(LockTest, TheErrorNamesTheCall) HEDDLE_UNCHECKED {
  Lock lock;
  try {
    lock.unlock();
    FAIL() << "no exception";
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(), "Lock::unlock: the lock is not held");
  }
}

// However the calls fall together, no more releases succeed than there were
// acquisitions.
TEST(LockTest, UnlockThatRacesWithAHolderReleasesItOnceOrThrows)
HEDDLE_UNCHECKED {
  constexpr int kRounds = 30000;
  Lock lock;
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
  RunConcurrently(1, intrude, [&]() HEDDLE_UNCHECKED {
    for (int i = 0; i < kRounds; ++i) {
      if (!lock.try_lock()) continue;
      ++taken;
      unlock();
    }
    done.store(true);
  });
  const int held = lock.locked() ? 1 : 0;
  EXPECT_EQ(taken.load(), released.load() + held);
}
#else
TEST(LockDeathTest, UnlockOfAFreeLockIsFatalWithoutExceptions) {
  EXPECT_DEATH(
      {
        Lock lock;
        lock.unlock();
      },
      "heddle: fatal: Lock::unlock: the lock is not held");
}
#endif

TEST(LockTest, ZeroAndNegativeLimitsMeanOneLook) HEDDLE_UNCHECKED {
  Lock lock;
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Nanoseconds(1), -absl::Seconds(1),
        -absl::InfiniteDuration()}) {
    ASSERT_TRUE(lock.try_lock_for(timeout)) << timeout;
    EXPECT_FALSE(lock.try_lock_for(timeout)) << timeout;
    lock.unlock();
  }
}

TEST(LockTest, LimitThatPassesReturnsFalseAndChangesNothing) HEDDLE_UNCHECKED {
  ManualClock clock;
  Lock lock;
  lock.lock();
  TakingThread taker(lock, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_TRUE(taker.IsAlive());
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(taker.Result());
  EXPECT_TRUE(lock.locked());
  lock.unlock();
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(LockTest, LimitedWaitTakesTheLockWhenItIsReleased) HEDDLE_UNCHECKED {
  ManualClock clock;
  Lock lock;
  lock.lock();
  TakingThread taker(lock, absl::Hours(1));
  clock.AwaitSleepers(1);
  lock.unlock();
  EXPECT_TRUE(taker.Result());
  lock.unlock();
}

TEST(LockTest, HugeLimitsDoNotEndTheWait) HEDDLE_UNCHECKED {
  for (const absl::Duration timeout :
       {absl::InfiniteDuration(), absl::Hours(1e300),
        absl::Nanoseconds(INT64_MAX), absl::Nanoseconds(INT64_MAX - 1)}) {
    Lock lock;
    lock.lock();
    TakingThread taker(lock, timeout);
    lock.unlock();
    EXPECT_TRUE(taker.Result()) << timeout;
    lock.unlock();
  }
}

TEST(LockTest, FreeLockWinsOverAStopThatWasRequestedBefore) HEDDLE_UNCHECKED {
  std::stop_source stop;
  stop.request_stop();
  Lock lock;
  ASSERT_TRUE(lock.try_lock_for(stop.get_token()));
  lock.unlock();
  ASSERT_TRUE(lock.try_lock_for({-absl::Seconds(1), stop.get_token()}));
  lock.unlock();
}

TEST(LockTest, FreeLockThatWasWaitedForWinsOverAStopToo) HEDDLE_UNCHECKED {
  ManualClock clock;
  std::stop_source stop;
  Lock lock;
  lock.lock();
  TakingThread taker(lock, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(taker.Result());  // may leave the mark that somebody was queued
  lock.unlock();
  stop.request_stop();
  EXPECT_TRUE(lock.try_lock_for(stop.get_token()));
  lock.unlock();
}

TEST(LockTest, StopRequestedBeforeEndsTheWaitAtOnce) HEDDLE_UNCHECKED {
  std::stop_source stop;
  stop.request_stop();
  Lock lock;
  lock.lock();
  EXPECT_FALSE(lock.try_lock_for(stop.get_token()));
  EXPECT_TRUE(lock.locked());
  lock.unlock();
}

TEST(LockTest, StopRequestedDuringEndsTheWait) HEDDLE_UNCHECKED {
  ManualClock clock;
  std::stop_source stop;
  Lock lock;
  lock.lock();
  TakingThread taker(lock, {absl::Hours(1), stop.get_token()});
  clock.AwaitSleepers(1);
  stop.request_stop();
  EXPECT_FALSE(taker.Result());
  EXPECT_TRUE(lock.locked());
  lock.unlock();
  EXPECT_FALSE(lock.locked());
}

TEST(LockTest, UnlockWakesOneWaiterAfterTheOther) HEDDLE_UNCHECKED {
  ManualClock clock;
  constexpr size_t kThreads = 10;
  Lock lock;
  lock.lock();
  std::deque<TakingThread> takers;
  for (size_t i = 0; i < kThreads; ++i) {
    takers.emplace_back(lock, absl::Hours(1));
    clock.AwaitSleepers(i + 1);
  }
  // Oldest first; nobody overtakes, because nobody else comes.
  for (TakingThread& taker : takers) {
    lock.unlock();
    EXPECT_TRUE(taker.Result());
    EXPECT_TRUE(lock.locked());
  }
  lock.unlock();
  EXPECT_FALSE(lock.locked());
}

TEST(LockTest, WaitersThatTimeOutDoNotStrandTheOthers) HEDDLE_UNCHECKED {
  ManualClock clock;
  Lock lock;
  lock.lock();
  TakingThread leaves(lock, absl::Seconds(1));
  clock.AwaitSleepers(1);
  TakingThread stays(lock, absl::Hours(1));
  clock.AwaitSleepers(2);
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(leaves.Result());
  lock.unlock();
  EXPECT_TRUE(stays.Result());
  lock.unlock();
}

TEST(LockTest, ExcludesAndIsCounted) {
  constexpr int kRounds = 20000;
  struct {
    Lock lock;
    int64_t count ABSL_GUARDED_BY(lock) = 0;
  } shared;
  const auto increment = [&] {
    for (int i = 0; i < kRounds; ++i) {
      LockGuard guard(shared.lock);
      ++shared.count;
    }
  };
  RunConcurrently(1, increment, increment, increment, increment);
  LockGuard guard(shared.lock);
  EXPECT_EQ(shared.count, 4 * kRounds);
}

// Threads that hold it for long, so that the others really sleep.
TEST(LockTest, ExcludesAmongThreadsThatSleepForIt) {
  constexpr int kRounds = 500;
  Lock lock;
  int64_t count = 0;  // guarded by lock
  const auto work = [&] {
    for (int i = 0; i < kRounds; ++i) {
      LockGuard guard(lock);
      const int64_t seen = count;
      if (i % 20 == 0) std::this_thread::yield();
      count = seen + 1;
    }
  };
  RunConcurrently(1, work, work, work, work, work, work);
  EXPECT_EQ(count, 6 * kRounds);
  EXPECT_FALSE(lock.locked());
}

// Limits that pass, stops and plain waits against each other: the lock excludes
// and nobody is stranded.
TEST(LockTest, ExcludesAmongWaitersOfAllKinds) {
  constexpr int kIterations = 500;
  Lock lock;
  int64_t count = 0;  // guarded by lock
  std::atomic<int64_t> taken{0};
  std::vector<std::stop_source> stops(kIterations);
  size_t stopping = 0;
  size_t stoppable = 0;
  int round = 0;
  const auto hold = [&] {
    ++count;
    std::this_thread::yield();
    ++taken;
  };
  RunConcurrently(
      kIterations,
      [&]() HEDDLE_UNCHECKED {
        lock.lock();
        hold();
        lock.unlock();
      },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock_for(absl::Microseconds(++round % 50))) {
          hold();
          lock.unlock();
        }
      },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock_for(stops[stoppable++].get_token())) {
          hold();
          lock.unlock();
        }
      },
      [&] { stops[stopping++].request_stop(); },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock()) {
          hold();
          lock.unlock();
        }
      });
  LockGuard guard(lock);
  EXPECT_EQ(count, taken.load());
}

TEST(LockTest, TryLockOfAFreeLockNeverFails) HEDDLE_UNCHECKED {
  // Nobody else ever holds it; the other only looks.
  constexpr int kRounds = 50000;
  Lock lock;
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
        while (!done.load()) static_cast<void>(lock.locked());
      });
}

// The lock is gone as soon as its last user let it go, while the one before may
// still be in unlock().
TEST(LockTest, MayBeDestroyedByTheNextHolder) HEDDLE_UNCHECKED {
  constexpr int kIterations = 500;
  struct Shared {
    Lock lock;
    bool first_done = false;  // guarded by lock
  };
  std::atomic<Shared*> current{nullptr};
  RunConcurrently(
      kIterations,
      [&]() HEDDLE_UNCHECKED {
        auto shared = std::make_unique<Shared>();
        current.store(shared.get());
        for (bool done = false; !done;) {
          shared->lock.lock();
          done = shared->first_done;
          shared->lock.unlock();
          if (!done) std::this_thread::yield();
        }
      },
      [&]() HEDDLE_UNCHECKED {
        Shared* shared;
        while ((shared = current.exchange(nullptr)) == nullptr)
          std::this_thread::yield();
        shared->lock.lock();
        shared->first_done = true;
        shared->lock.unlock();
      });
}

TEST(LockTest, MayBeDestroyedWhileHeld) HEDDLE_UNCHECKED {
  auto lock = std::make_unique<Lock>();
  lock->lock();
  lock.reset();
}

TEST(LockTest, WorksWithTheStandardsGuards) HEDDLE_UNCHECKED {
  Lock lock;
  {
    std::lock_guard<Lock> guard(lock);
    EXPECT_TRUE(lock.locked());
  }
  EXPECT_FALSE(lock.locked());
  {
    std::unique_lock<Lock> guard(lock, std::defer_lock);
    EXPECT_FALSE(lock.locked());
    EXPECT_TRUE(guard.try_lock());
    guard.unlock();
    EXPECT_TRUE(guard.try_lock_for(std::chrono::milliseconds(1)));
    guard.unlock();
    EXPECT_TRUE(guard.try_lock_until(std::chrono::steady_clock::now()));
    EXPECT_TRUE(lock.locked());
  }
  EXPECT_FALSE(lock.locked());
  {
    LockGuard guard(lock);
    EXPECT_TRUE(lock.locked());
  }
  EXPECT_FALSE(lock.locked());
}

TEST(LockTest, ScopedLockTakesTwoInAnyOrderWithoutDeadlock) HEDDLE_UNCHECKED {
  constexpr int kIterations = 500;
  Lock first;
  Lock second;
  int64_t count = 0;  // guarded by both
  RunConcurrently(
      kIterations,
      [&] {
        std::scoped_lock both(first, second);
        ++count;
      },
      [&] {
        std::scoped_lock both(second, first);
        ++count;
      });
  EXPECT_EQ(count, 2 * kIterations);
  EXPECT_FALSE(first.locked());
  EXPECT_FALSE(second.locked());
}

// The table of extreme timeouts: those that have passed return at once, both
// with the lock free and with the lock held; those that are far away wait until
// it is released.
template <typename Attempt>
void ExpectPassed(const char* name, Attempt attempt) HEDDLE_UNCHECKED {
  SCOPED_TRACE(name);
  Lock lock;
  EXPECT_TRUE(attempt(lock));
  EXPECT_FALSE(attempt(lock));
  lock.unlock();
}

template <typename Attempt>
void ExpectFar(const char* name, Attempt attempt) HEDDLE_UNCHECKED {
  SCOPED_TRACE(name);
  Lock lock;
  EXPECT_TRUE(attempt(lock));
  std::atomic<bool> begun{false};
  bool taken = false;
  Thread taker([&] {
    begun.store(true);
    taken = attempt(lock);
  });
  taker.Start();
  while (!begun.load()) std::this_thread::yield();
  // A limit that ended at once would have let it go with false by now, or will
  // before the release: then `taken` stays false in most runs.
  for (int i = 0; i < 100 && taker.IsAlive(); ++i) std::this_thread::yield();
  EXPECT_TRUE(taker.IsAlive());
  lock.unlock();
  taker.Join();
  EXPECT_TRUE(taken);
  lock.unlock();
}

template <typename Duration>
auto For(Duration timeout) {
  return [timeout](Lock& lock)
             HEDDLE_UNCHECKED { return lock.try_lock_for(timeout); };
}

template <typename TimePoint>
auto Until(TimePoint deadline) {
  return [deadline](Lock& lock)
             HEDDLE_UNCHECKED { return lock.try_lock_until(deadline); };
}

using FloatSeconds = std::chrono::duration<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(LockTest, TryLockForTakesEveryChronoDurationThatHasPassed) {
  namespace c = std::chrono;
  ExpectPassed("0", For(c::seconds(0)));
  ExpectPassed("-1 ns", For(c::nanoseconds(-1)));
  ExpectPassed("-1 s", For(c::seconds(-1)));
  ExpectPassed("nanoseconds::min", For(c::nanoseconds::min()));
  ExpectPassed("hours::min", For(c::hours::min()));
  ExpectPassed("-infinity", For(FloatSeconds(-kInfinity)));
  ExpectPassed("NaN", For(FloatSeconds(kNaN)));
  ExpectPassed("-1e300", For(FloatSeconds(-1e300)));
  ExpectPassed("uint64 0", For(c::duration<uint64_t>(0)));
}

TEST(LockTest, TryLockForTakesEveryChronoDurationThatIsFar) {
  namespace c = std::chrono;
  ExpectFar("nanoseconds::max", For(c::nanoseconds::max()));
  ExpectFar("seconds::max", For(c::seconds::max()));
  ExpectFar("hours::max", For(c::hours::max()));
  ExpectFar("infinity", For(FloatSeconds(kInfinity)));
  ExpectFar("1e300", For(FloatSeconds(1e300)));
  ExpectFar("uint64 max s", For(c::duration<uint64_t>(UINT64_MAX)));
  ExpectFar("uint64 max ns", For(c::duration<uint64_t, std::nano>(UINT64_MAX)));
  ExpectFar("uint64 max h",
            For(c::duration<uint64_t, c::hours::period>(UINT64_MAX)));
}

template <typename Clock>
void ExpectTimePointsWork() {
  namespace c = std::chrono;
  using Native = typename Clock::time_point;
  using Hours = c::time_point<Clock, c::hours>;
  using Seconds = c::time_point<Clock, c::seconds>;
  using Float = c::time_point<Clock, FloatSeconds>;
  using Unsigned = c::time_point<Clock, c::duration<uint64_t>>;
  const Native now = Clock::now();

  ExpectPassed("now", Until(now));
  ExpectPassed("past", Until(now - c::hours(1)));
  ExpectPassed("epoch", Until(Native()));
  ExpectPassed("min", Until(Native::min()));
  ExpectPassed("seconds min", Until(Seconds::min()));
  ExpectPassed("hours min", Until(Hours::min()));
  ExpectPassed("-infinity", Until(Float(FloatSeconds(-kInfinity))));
  ExpectPassed("NaN", Until(Float(FloatSeconds(kNaN))));
  ExpectPassed("unsigned epoch", Until(Unsigned()));

  ExpectFar("in an hour", Until(now + c::hours(1)));
  ExpectFar("max", Until(Native::max()));
  ExpectFar("seconds max", Until(Seconds::max()));
  ExpectFar("hours max", Until(Hours::max()));
  ExpectFar("infinity", Until(Float(FloatSeconds(kInfinity))));
  ExpectFar("1e300", Until(Float(FloatSeconds(1e300))));
  ExpectFar("unsigned max", Until(Unsigned::max()));
}

TEST(LockTest, TryLockUntilTakesEveryTimePointOfTheSteadyClock) {
  ExpectTimePointsWork<std::chrono::steady_clock>();
}

TEST(LockTest, TryLockUntilTakesEveryTimePointOfTheSystemClock) {
  ExpectTimePointsWork<std::chrono::system_clock>();
}

TEST(LockTest, TryLockUntilReturnsFalseNotBeforeTheDeadline) HEDDLE_UNCHECKED {
  Lock lock;
  lock.lock();
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  EXPECT_FALSE(lock.try_lock_until(deadline));
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
  static time_point now() {
    // The first look, before the wait: 1 ms to go. The second: set back, so
    // that 1 ms is still to go. The third: there.
    static int looks = 0;
    return time_point(std::chrono::milliseconds(++looks <= 2 ? 0 : 1));
  }
};

static_assert(!SetBackClock::is_steady);

TEST(LockTest, TryLockUntilLooksAgainWhenTheClockWasSetBack) HEDDLE_UNCHECKED {
  Lock lock;
  lock.lock();
  EXPECT_FALSE(lock.try_lock_until(
      SetBackClock::time_point(std::chrono::milliseconds(1))));
  EXPECT_EQ(SetBackClock::now(),
            SetBackClock::time_point(std::chrono::milliseconds(1)));
  lock.unlock();
}

}  // namespace
}  // namespace heddle
