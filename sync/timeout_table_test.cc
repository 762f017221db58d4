// The table of extreme timeouts, on every call of sync/ that takes one: those
// that have passed end a wait at once, those that are far do not end it.

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <ratio>
#include <thread>
#include <utility>

#include "absl/base/config.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/barrier.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/internal/wait_subjects.h"
#include "heddle/sync/latch.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

namespace c = std::chrono;

using sync_internal::AllWaitSubjects;
using sync_internal::Background;
using sync_internal::LockWaitersOf;
using sync_internal::NameOfKind;
using sync_internal::WaitersOf;
using sync_internal::WaitSubject;
using sync_internal::WaitSubjectKind;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Returns when `waiters()` is one, or when `waiting` has ended although it
// should not have.
template <typename Waiters>
void AwaitOneOrTheEnd(const Background& waiting, Waiters waiters) {
  while (waiters() == 0 && waiting.IsAlive()) std::this_thread::yield();
}

using FloatSeconds = c::duration<double>;
using FloatTime = c::time_point<c::system_clock, FloatSeconds>;

// In every form that a limit has.
const std::pair<const char*, WaitLimit> kPassed[] = {
    {"0", absl::ZeroDuration()},
    {"-0.0 s", absl::Seconds(-0.0)},
    {"-1 ns", -absl::Nanoseconds(1)},
    {"-1/4 ns", -absl::Nanoseconds(1) / 4},
    {"-1 s", -absl::Seconds(1)},
    {"INT64_MIN ns", absl::Nanoseconds(INT64_MIN)},
    {"INT64_MIN + 1 ns", absl::Nanoseconds(INT64_MIN + 1)},
    {"INT64_MIN s", absl::Seconds(INT64_MIN)},
    {"INT64_MIN h", absl::Hours(INT64_MIN)},
    {"-1e300 s", absl::Seconds(-1e300)},
    {"-infinity s", absl::Seconds(-kInfinity)},
    {"FromChrono(hours::min())", absl::FromChrono(c::hours::min())},
    {"-infinity", -absl::InfiniteDuration()},
    {"seconds 0", c::seconds(0)},
    {"nanoseconds -1", c::nanoseconds(-1)},
    {"nanoseconds::min()", c::nanoseconds::min()},
    {"hours::min()", c::hours::min()},
    {"uint64 0", c::duration<uint64_t>(0)},
    {"double -infinity", FloatSeconds(-kInfinity)},
    {"double -1e300", FloatSeconds(-1e300)},
    {"double NaN", FloatSeconds(kNaN)},
    {"double -NaN", FloatSeconds(-kNaN)},
    {"Until now", WaitLimit::Until(absl::Now())},
    {"Until InfinitePast", WaitLimit::Until(absl::InfinitePast())},
    {"Until steady now", WaitLimit::Until(c::steady_clock::now())},
    {"Until steady min", WaitLimit::Until(c::steady_clock::time_point::min())},
    {"Until system now", WaitLimit::Until(c::system_clock::now())},
    {"Until system min", WaitLimit::Until(c::system_clock::time_point::min())},
    {"Until hours min",
     WaitLimit::Until(c::time_point<c::system_clock, c::hours>::min())},
    {"Until NaN", WaitLimit::Until(FloatTime(FloatSeconds(kNaN)))},
};
const std::pair<const char*, WaitLimit> kFar[] = {
    {"1 h", absl::Hours(1)},
    {"290 years", absl::Hours(24 * 365 * 290)},
    {"INT64_MAX - 1 ns", absl::Nanoseconds(INT64_MAX - 1)},
    {"INT64_MAX ns", absl::Nanoseconds(INT64_MAX)},
    {"INT64_MAX s", absl::Seconds(INT64_MAX)},
    {"INT64_MAX h", absl::Hours(INT64_MAX)},
    {"1e300 s", absl::Seconds(1e300)},
    {"infinity s", absl::Seconds(kInfinity)},
    {"FromChrono(hours::max())", absl::FromChrono(c::hours::max())},
    {"infinity", absl::InfiniteDuration()},
    {"hours 1", c::hours(1)},
    {"nanoseconds::max() - 1", c::nanoseconds::max() - c::nanoseconds(1)},
    {"nanoseconds::max()", c::nanoseconds::max()},
    {"seconds::max()", c::seconds::max()},
    {"hours::max()", c::hours::max()},
    {"uint64 max s", c::duration<uint64_t>(UINT64_MAX)},
    {"uint64 max ns", c::duration<uint64_t, std::nano>(UINT64_MAX)},
    {"double infinity", FloatSeconds(kInfinity)},
    {"double 1e300", FloatSeconds(1e300)},
    {"Until in an hour", WaitLimit::Until(absl::Now() + absl::Hours(1))},
    {"Until InfiniteFuture", WaitLimit::Until(absl::InfiniteFuture())},
    {"Until steady in an hour",
     WaitLimit::Until(c::steady_clock::now() + c::hours(1))},
    {"Until steady max", WaitLimit::Until(c::steady_clock::time_point::max())},
    {"Until system in an hour",
     WaitLimit::Until(c::system_clock::now() + c::hours(1))},
    {"Until system max", WaitLimit::Until(c::system_clock::time_point::max())},
    {"Until hours max",
     WaitLimit::Until(c::time_point<c::system_clock, c::hours>::max())},
    {"Until infinity", WaitLimit::Until(FloatTime(FloatSeconds(kInfinity)))},
};

// As absl::Duration and std::chrono, for the one call that takes no WaitLimit.
const std::pair<const char*, absl::Duration> kPassedDurations[] = {
    {"0", absl::ZeroDuration()},
    {"INT64_MIN ns", absl::Nanoseconds(INT64_MIN)},
    {"-1e300 s", absl::Seconds(-1e300)},
    {"-infinity", -absl::InfiniteDuration()},
};
const std::pair<const char*, absl::Duration> kFarDurations[] = {
    {"1 h", absl::Hours(1)},
    {"INT64_MAX ns", absl::Nanoseconds(INT64_MAX)},
    {"INT64_MAX h", absl::Hours(INT64_MAX)},
    {"infinity", absl::InfiniteDuration()},
};

class TimeoutTableTest : public testing::TestWithParam<WaitSubjectKind> {};
INSTANTIATE_TEST_SUITE_P(Of, TimeoutTableTest,
                         testing::ValuesIn(AllWaitSubjects()), NameOfKind);

TEST_P(TimeoutTableTest, WhatHasPassedIsOneLook) {
  for (const auto& [name, timeout] : kPassed) {
    SCOPED_TRACE(name);
    const std::unique_ptr<WaitSubject> made = GetParam().make(1);
    WaitSubject& subject = *made;
    EXPECT_FALSE(subject.Wait(timeout));
    subject.Mend();
    if (GetParam().opens) {
      subject.Open();
      EXPECT_TRUE(subject.Wait(timeout));
    }
  }
}

TEST_P(TimeoutTableTest, WhatIsFarDoesNotEndTheWait) {
  for (const auto& row : kFar) {
    const WaitLimit& timeout = row.second;
    SCOPED_TRACE(row.first);
    const std::unique_ptr<WaitSubject> made = GetParam().make(1);
    WaitSubject& subject = *made;
    Background waiting([&] { return subject.Wait(timeout); });
    AwaitOneOrTheEnd(waiting, [&] { return subject.waiters(); });
    EXPECT_TRUE(waiting.IsAlive());
    subject.Release(1);
    EXPECT_TRUE(waiting.Result());
  }
}

TEST(OtherTimeoutTableTest, TheShortestTimeoutIsNotNothing) {
  // One that ends by itself, and is a wait.
  for (const absl::Duration timeout :
       {absl::Nanoseconds(1) / 4, absl::Nanoseconds(1)}) {
    EXPECT_FALSE(WaitLimit(timeout).deadline().IsPast()) << timeout;
    Latch latch(1);
    EXPECT_FALSE(latch.Wait(timeout)) << timeout;
  }
}

TEST(OtherTimeoutTableTest, LatchArriveAndWaitTakesAllOfThem) {
  for (const auto& [name, timeout] : kPassed) {
    SCOPED_TRACE(name);
    Latch latch(2);
    EXPECT_FALSE(latch.ArriveAndWait(1, timeout));
    EXPECT_TRUE(latch.ArriveAndWait(1, timeout));
  }
  for (const auto& row : kFar) {
    const WaitLimit& timeout = row.second;
    SCOPED_TRACE(row.first);
    Latch latch(2);
    Background waiting([&] { return latch.ArriveAndWait(1, timeout); });
    AwaitOneOrTheEnd(waiting, [&] { return WaitersOf(latch); });
    latch.CountDown();
    EXPECT_TRUE(waiting.Result());
  }
}

// The barrier's own timeout, of its constructor.
#ifdef ABSL_HAVE_EXCEPTIONS
TEST(OtherTimeoutTableTest, BarrierConstructorTakesAllThatHavePassed) {
  const auto expect_passed = [](const char* name, const auto& timeout) {
    SCOPED_TRACE(name);
    Barrier barrier(2, timeout);
    EXPECT_THROW(barrier.Wait(), BrokenBarrierError);
    Barrier acting(
        2, [] {}, timeout);
    EXPECT_THROW(acting.Wait(), BrokenBarrierError);
    Barrier alone(1, timeout);
    EXPECT_EQ(alone.Wait(), 0);
  };
  for (const auto& [name, timeout] : kPassedDurations)
    expect_passed(name, timeout);
  expect_passed("nanoseconds::min()", c::nanoseconds::min());
  expect_passed("hours::min()", c::hours::min());
  expect_passed("NaN", FloatSeconds(kNaN));
}
#endif

TEST(OtherTimeoutTableTest, BarrierConstructorTakesAllThatAreFar) {
  const auto expect_far = [](const char* name, const auto& timeout) {
    SCOPED_TRACE(name);
    Barrier barrier(2, timeout);
    Background waiting([&] { return barrier.Wait(); });
    AwaitOneOrTheEnd(waiting, [&] { return WaitersOf(barrier); });
    EXPECT_EQ(barrier.Wait(), 1);
    EXPECT_EQ(waiting.Result(), 0);
  };
  for (const auto& [name, timeout] : kFarDurations) expect_far(name, timeout);
  expect_far("hours 1", c::hours(1));
  expect_far("hours::max()", c::hours::max());
  expect_far("infinity", FloatSeconds(kInfinity));
}

// The standard's forms, by what is called: to take it and to give it back.
template <typename Lockable>
struct Exclusive {
  Lockable lock;

  bool For(auto timeout) HEDDLE_UNCHECKED { return lock.try_lock_for(timeout); }
  bool Until(auto deadline) HEDDLE_UNCHECKED {
    return lock.try_lock_until(deadline);
  }
  void Unlock() HEDDLE_UNCHECKED { lock.unlock(); }
  void Block() HEDDLE_UNCHECKED { lock.lock(); }
  void Unblock() HEDDLE_UNCHECKED { lock.unlock(); }
};

struct Shared {
  SharedLock lock;

  bool For(auto timeout) HEDDLE_UNCHECKED {
    return lock.try_lock_shared_for(timeout);
  }
  bool Until(auto deadline) HEDDLE_UNCHECKED {
    return lock.try_lock_shared_until(deadline);
  }
  void Unlock() HEDDLE_UNCHECKED { lock.unlock_shared(); }
  void Block() HEDDLE_UNCHECKED { lock.lock(); }
  void Unblock() HEDDLE_UNCHECKED { lock.unlock(); }
};

template <typename Side>
class ChronoTableTest : public testing::Test {
 protected:
  // `attempt(side)` tries to take it within one row of the table.
  template <typename Attempt>
  static void ExpectPassed(const char* name, Attempt attempt) {
    SCOPED_TRACE(name);
    Side side;
    EXPECT_TRUE(attempt(side));
    side.Unlock();
    side.Block();
    Background other([&] { return attempt(side); });
    EXPECT_FALSE(other.Result());
    side.Unblock();
  }

  template <typename Attempt>
  static void ExpectFar(const char* name, Attempt attempt) {
    SCOPED_TRACE(name);
    Side side;
    EXPECT_TRUE(attempt(side));
    side.Unlock();
    side.Block();
    Background other([&] {
      if (!attempt(side)) return false;
      side.Unlock();
      return true;
    });
    AwaitOneOrTheEnd(other, [&] { return LockWaitersOf(side.lock); });
    EXPECT_TRUE(other.IsAlive());
    side.Unblock();
    EXPECT_TRUE(other.Result());
  }

  static auto For(auto timeout) {
    return [timeout](Side& side) { return side.For(timeout); };
  }
  static auto Until(auto deadline) {
    return [deadline](Side& side) { return side.Until(deadline); };
  }

  template <typename Clock>
  static void ExpectTimePointsWork() {
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
    ExpectPassed("-1e300", Until(Float(FloatSeconds(-1e300))));
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
};

using Sides = testing::Types<Exclusive<Lock>, Exclusive<RLock>,
                             Exclusive<SharedLock>, Shared>;
TYPED_TEST_SUITE(ChronoTableTest, Sides);

TYPED_TEST(ChronoTableTest, DurationsThatHavePassed) {
  this->ExpectPassed("0", this->For(c::seconds(0)));
  this->ExpectPassed("-1 ns", this->For(c::nanoseconds(-1)));
  this->ExpectPassed("-1 s", this->For(c::seconds(-1)));
  this->ExpectPassed("nanoseconds::min", this->For(c::nanoseconds::min()));
  this->ExpectPassed("seconds::min", this->For(c::seconds::min()));
  this->ExpectPassed("hours::min", this->For(c::hours::min()));
  this->ExpectPassed("-infinity", this->For(FloatSeconds(-kInfinity)));
  this->ExpectPassed("NaN", this->For(FloatSeconds(kNaN)));
  this->ExpectPassed("-NaN", this->For(FloatSeconds(-kNaN)));
  this->ExpectPassed("-1e300", this->For(FloatSeconds(-1e300)));
  this->ExpectPassed("uint64 0", this->For(c::duration<uint64_t>(0)));
}

TYPED_TEST(ChronoTableTest, DurationsThatAreFar) {
  this->ExpectFar("nanoseconds::max", this->For(c::nanoseconds::max()));
  this->ExpectFar("seconds::max", this->For(c::seconds::max()));
  this->ExpectFar("hours::max", this->For(c::hours::max()));
  this->ExpectFar("infinity", this->For(FloatSeconds(kInfinity)));
  this->ExpectFar("1e300", this->For(FloatSeconds(1e300)));
  this->ExpectFar("uint64 max s", this->For(c::duration<uint64_t>(UINT64_MAX)));
  this->ExpectFar("uint64 max ns",
                  this->For(c::duration<uint64_t, std::nano>(UINT64_MAX)));
  this->ExpectFar(
      "uint64 max h",
      this->For(c::duration<uint64_t, c::hours::period>(UINT64_MAX)));
}

TYPED_TEST(ChronoTableTest, TimePointsOfTheSteadyClock) {
  this->template ExpectTimePointsWork<c::steady_clock>();
}

TYPED_TEST(ChronoTableTest, TimePointsOfTheSystemClock) {
  this->template ExpectTimePointsWork<c::system_clock>();
}

}  // namespace
}  // namespace heddle
