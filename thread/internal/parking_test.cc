#include "heddle/thread/internal/parking.h"

#if defined(__unix__)
#include <pthread.h>
#include <signal.h>
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
namespace {

// A thread that waits on a key. The constructor returns when it is queued.
class ParkedThread {
 public:
  explicit ParkedThread(const void* key, const WaitLimit& limit = {})
      : thread_([this, key, started = limit.Started()] {
          Waiter waiter;
          {
            ParkingSpot spot(key);
            spot.Add(waiter);
          }
          queued_.store(true);
          woken_ = waiter.Sleep(started);
        }) {
    while (!queued_.load()) std::this_thread::yield();
  }
  ~ParkedThread() {
    if (thread_.joinable()) thread_.join();
  }

  // What Sleep() returned.
  bool Outcome() {
    thread_.join();
    return woken_;
  }

 private:
  std::atomic<bool> queued_{false};
  bool woken_ = false;
  std::thread thread_;
};

bool AnybodyOn(const void* key) {
  ParkingSpot spot(key);
  return spot.HasWaiters();
}

size_t WakeOn(const void* key, size_t count) {
  WakeList woken;
  ParkingSpot spot(key);
  return spot.Wake(count, woken);
}

size_t WakeAllOn(const void* key) {
  WakeList woken;
  ParkingSpot spot(key);
  return spot.WakeAll(woken);
}

// Runs before main(), when constructors of other files may not have run.
struct ParksBeforeMain {
  ParksBeforeMain() {
    Waiter waiter;
    {
      ParkingSpot spot(this);
      spot.Add(waiter);
    }
    woken = WakeOn(this, 1) == 1 && waiter.Sleep(WaitLimit());
  }
  bool woken;
};
ParksBeforeMain parked_before_main;

TEST(ParkingTest, WorksBeforeMain) { EXPECT_TRUE(parked_before_main.woken); }

TEST(ParkingTest, SleepReturnsTrueWhenWoken) {
  const int key = 0;
  ParkedThread parked(&key);
  EXPECT_TRUE(AnybodyOn(&key));
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  EXPECT_TRUE(parked.Outcome());
  EXPECT_FALSE(AnybodyOn(&key));
}

TEST(ParkingTest, WakeUpThatComesBeforeTheSleepIsNotLost) {
  const int key = 0;
  Waiter waiter;
  {
    ParkingSpot spot(&key);
    spot.Add(waiter);
  }
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  EXPECT_TRUE(waiter.Sleep(WaitLimit()));
}

TEST(ParkingTest, WakingWithNobodyThereWakesNobodyAndIsNotRemembered) {
  const int key = 0;
  EXPECT_FALSE(AnybodyOn(&key));
  EXPECT_EQ(WakeOn(&key, 1), 0u);
  EXPECT_EQ(WakeAllOn(&key), 0u);
  Waiter waiter;
  {
    ParkingSpot spot(&key);
    spot.Add(waiter);
  }
  EXPECT_FALSE(waiter.Sleep(WaitLimit(absl::ZeroDuration()).Started()));
}

TEST(ParkingTest, ZeroAndNegativeLimitsEndAtOnceWithFalse) {
  const int key = 0;
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Nanoseconds(1), -absl::Hours(1),
        -absl::InfiniteDuration()}) {
    Waiter waiter;
    {
      ParkingSpot spot(&key);
      spot.Add(waiter);
    }
    EXPECT_FALSE(waiter.Sleep(WaitLimit(timeout).Started())) << timeout;
    EXPECT_FALSE(AnybodyOn(&key)) << timeout;
  }
}

TEST(ParkingTest, SleepReturnsFalseWhenTheDeadlinePasses) {
  ManualClock clock;
  const int key = 0;
  ParkedThread parked(&key, absl::Hours(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Hours(1) - absl::Nanoseconds(1));
  EXPECT_TRUE(AnybodyOn(&key));
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(parked.Outcome());
  EXPECT_FALSE(AnybodyOn(&key));
}

TEST(ParkingTest, TheMachinesClockEndsAWaitToo) {
  const int key = 0;
  Waiter waiter;
  {
    ParkingSpot spot(&key);
    spot.Add(waiter);
  }
  EXPECT_FALSE(waiter.Sleep(WaitLimit(absl::Milliseconds(1)).Started()));
}

TEST(ParkingTest, HugeLimitsDoNotEnd) {
  const int key = 0;
  for (const absl::Duration timeout :
       {absl::InfiniteDuration(), absl::Hours(1e300),
        absl::Hours(24 * 365 * 290), absl::Nanoseconds(INT64_MAX),
        absl::Nanoseconds(INT64_MAX - 1)}) {
    ParkedThread parked(&key, timeout);
    EXPECT_TRUE(AnybodyOn(&key)) << timeout;
    EXPECT_EQ(WakeOn(&key, 1), 1u) << timeout;
    EXPECT_TRUE(parked.Outcome()) << timeout;
  }
}

TEST(ParkingTest, StopRequestedBeforeEndsTheWaitAtOnce) {
  const int key = 0;
  std::stop_source stop;
  stop.request_stop();
  Waiter waiter;
  {
    ParkingSpot spot(&key);
    spot.Add(waiter);
  }
  EXPECT_FALSE(waiter.Sleep(WaitLimit(stop.get_token())));
  EXPECT_FALSE(AnybodyOn(&key));
}

TEST(ParkingTest, StopRequestedDuringEndsTheWait) {
  ManualClock clock;
  const int key = 0;
  std::stop_source stop;
  ParkedThread parked(&key, {absl::Hours(1), stop.get_token()});
  clock.AwaitSleepers(1);
  stop.request_stop();
  EXPECT_FALSE(parked.Outcome());
  EXPECT_FALSE(AnybodyOn(&key));
}

TEST(ParkingTest, StopEndsAllWaitsWithItsTokenAndNoOther) {
  const int key = 0;
  std::stop_source stop;
  std::stop_source other_stop;
  ParkedThread other(&key, other_stop.get_token());
  ParkedThread first(&key, stop.get_token());
  ParkedThread second(&key, stop.get_token());
  stop.request_stop();
  EXPECT_FALSE(first.Outcome());
  EXPECT_FALSE(second.Outcome());
  EXPECT_TRUE(AnybodyOn(&key));
  EXPECT_EQ(WakeAllOn(&key), 1u);
  EXPECT_TRUE(other.Outcome());
}

TEST(ParkingTest, StopMayBeRequestedWhileASpotOfTheSameKeyIsHeld) {
  const int key = 0;
  std::stop_source stop;
  ParkedThread parked(&key, stop.get_token());
  {
    ParkingSpot spot(&key);
    stop.request_stop();
  }
  EXPECT_FALSE(parked.Outcome());
}

TEST(ParkingTest, TokenWhoseSourceIsGoneNeverEndsAWait) {
  const int key = 0;
  std::stop_token token;
  {
    std::stop_source stop;
    token = stop.get_token();
  }
  ParkedThread parked(&key, token);
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  EXPECT_TRUE(parked.Outcome());
}

TEST(ParkingTest, SpentWakeUpMeansTrueEvenIfTheDeadlineHasPassed) {
  ManualClock clock;
  const int key = 0;
  Waiter waiter;
  {
    ParkingSpot spot(&key);
    spot.Add(waiter);
  }
  const WaitLimit limit = WaitLimit(absl::Seconds(1)).Started();
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  clock.Advance(absl::Seconds(2));
  EXPECT_TRUE(waiter.Sleep(limit));
}

TEST(ParkingTest, ClaimedSleeperOutlastsItsDeadlineAndReturnsTrue) {
  ManualClock clock;
  const int key = 0;
  ParkedThread parked(&key, absl::Seconds(1));
  clock.AwaitSleepers(1);
  {
    WakeList woken;
    {
      ParkingSpot spot(&key);
      EXPECT_EQ(spot.Wake(1, woken), 1u);
    }
    clock.Advance(absl::Seconds(2));  // returns when its timed wait has ended
  }
  EXPECT_TRUE(parked.Outcome());
}

TEST(ParkingTest, ClaimedSleeperOutlastsAStopAndReturnsTrue) {
  const int key = 0;
  std::stop_source stop;
  ParkedThread parked(&key, stop.get_token());
  {
    WakeList woken;
    {
      ParkingSpot spot(&key);
      EXPECT_EQ(spot.Wake(1, woken), 1u);
    }
    stop.request_stop();
  }
  EXPECT_TRUE(parked.Outcome());
}

TEST(ParkingTest, ClaimedWaiterReturnsOnlyWhenTheWakeListEnds) {
  const int key = 0;
  std::atomic<bool> list_ended{false};
  std::atomic<bool> queued{false};
  bool ended_before_return = false;
  std::thread thread([&] {
    Waiter waiter;
    {
      ParkingSpot spot(&key);
      spot.Add(waiter);
    }
    queued.store(true);
    EXPECT_TRUE(waiter.Sleep(WaitLimit()));
    ended_before_return = list_ended.load();
  });
  while (!queued.load()) std::this_thread::yield();
  {
    WakeList woken;
    ParkingSpot spot(&key);
    EXPECT_EQ(spot.Wake(1, woken), 1u);
    EXPECT_FALSE(spot.HasWaiters());
    list_ended.store(true);
  }
  thread.join();
  EXPECT_TRUE(ended_before_return);
}

TEST(ParkingTest, WakeClaimsExactlyTheOldest) {
  const int key = 0;
  std::deque<ParkedThread> parked;
  for (int i = 0; i < 5; ++i) parked.emplace_back(&key);
  EXPECT_EQ(WakeOn(&key, 0), 0u);
  EXPECT_EQ(WakeOn(&key, 2), 2u);
  EXPECT_TRUE(parked[0].Outcome());
  EXPECT_TRUE(parked[1].Outcome());
  EXPECT_TRUE(AnybodyOn(&key));
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  EXPECT_TRUE(parked[2].Outcome());
  EXPECT_EQ(WakeOn(&key, 7), 2u);
  EXPECT_TRUE(parked[3].Outcome());
  EXPECT_TRUE(parked[4].Outcome());
  EXPECT_FALSE(AnybodyOn(&key));
}

TEST(ParkingTest, WakeAllWakesAllOfManyThreads) {
  const int key = 0;
  constexpr size_t kThreads = 100;
  std::deque<ParkedThread> parked;
  for (size_t i = 0; i < kThreads; ++i) parked.emplace_back(&key);
  EXPECT_EQ(WakeAllOn(&key), kThreads);
  for (ParkedThread& thread : parked) EXPECT_TRUE(thread.Outcome());
}

TEST(ParkingTest, OneWakeListWakesTheWaitersOfSeveralKeys) {
  const int keys[2] = {};
  ParkedThread first(&keys[0]);
  ParkedThread second(&keys[1]);
  {
    WakeList woken;
    for (const int& key : keys) {
      ParkingSpot spot(&key);
      EXPECT_EQ(spot.Wake(1, woken), 1u);
    }
  }
  EXPECT_TRUE(first.Outcome());
  EXPECT_TRUE(second.Outcome());
}

TEST(ParkingTest, WakeUpIsNotSpentOnWaitersWhoseLimitHasEndedTheirWait) {
  ManualClock clock;
  const int key = 0;
  std::stop_source stop;
  ParkedThread stopped(&key, {absl::Hours(1), stop.get_token()});
  clock.AwaitSleepers(1);  // it knows of the stop by now
  ParkedThread live(&key);
  size_t claimed = 0;
  {
    WakeList woken;
    ParkingSpot spot(&key);
    // The spot is held, so the stopped one cannot leave the queue by itself.
    stop.request_stop();
    EXPECT_TRUE(spot.HasWaiters());
    claimed = spot.Wake(1, woken);
    EXPECT_FALSE(spot.HasWaiters());
  }
  EXPECT_EQ(claimed, 1u);
  EXPECT_FALSE(stopped.Outcome());
  EXPECT_TRUE(live.Outcome());
}

TEST(ParkingTest, WaitersThatTimeOutLeaveNoTraceWhereverTheyStood) {
  for (size_t leaver = 0; leaver < 3; ++leaver) {
    const int key = 0;
    std::stop_source stop;
    std::deque<ParkedThread> parked;
    for (size_t i = 0; i < 3; ++i) {
      parked.emplace_back(
          &key, i == leaver ? WaitLimit(stop.get_token()) : WaitLimit());
    }
    stop.request_stop();
    EXPECT_FALSE(parked[leaver].Outcome());
    EXPECT_EQ(WakeAllOn(&key), 2u);
    for (size_t i = 0; i < 3; ++i) {
      if (i == leaver) continue;
      EXPECT_TRUE(parked[i].Outcome());
    }
    EXPECT_FALSE(AnybodyOn(&key));
  }
}

// More keys than there are buckets, so that many share one.
TEST(ParkingTest, KeysThatShareABucketAreKeptApart) {
  constexpr size_t kKeys = 5000;
  const std::vector<char> keys(kKeys);
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (const char& key : keys) {
    waiters.push_back(std::make_unique<Waiter>());
    ParkingSpot spot(&key);
    EXPECT_FALSE(spot.HasWaiters());
    spot.Add(*waiters.back());
    EXPECT_TRUE(spot.HasWaiters());
  }
  // 1777 and 5000 have no common divisor: each key once, out of order.
  for (size_t i = 0; i < kKeys; ++i) {
    const char* key = &keys[i * 1777 % kKeys];
    EXPECT_EQ(WakeAllOn(key), 1u);
    EXPECT_FALSE(AnybodyOn(key));
  }
  for (const auto& waiter : waiters) EXPECT_TRUE(waiter->Sleep(WaitLimit()));
}

TEST(ParkingTest, TwoWaitersOfOneThreadAreIndependent) {
  const int key = 0;
  Waiter first;
  Waiter second;
  {
    ParkingSpot spot(&key);
    spot.Add(first);
    spot.Add(second);
  }
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  EXPECT_FALSE(second.Sleep(WaitLimit(absl::ZeroDuration()).Started()));
  EXPECT_TRUE(first.Sleep(WaitLimit()));
}

TEST(ParkingTest, OneWaitMayStandInSeveralQueuesAndIsWokenInOne) {
  const int keys[3] = {};
  for (size_t which = 0; which < 3; ++which) {
    Waiter first;
    Waiter second(&first);
    Waiter third(&first);
    Waiter* const waiters[] = {&first, &second, &third};
    for (size_t i = 0; i < 3; ++i) {
      ParkingSpot spot(&keys[i]);
      spot.Add(*waiters[i]);
    }
    EXPECT_EQ(WakeOn(&keys[which], 1), 1u);
    for (const int& key : keys) EXPECT_EQ(WakeOn(&key, 1), 0u);
    EXPECT_TRUE(first.Sleep(WaitLimit()));
    EXPECT_EQ(first.woken_in(), waiters[which]);
    second.Leave();
    third.Leave();
  }
}

TEST(ParkingTest, OneWaitInSeveralQueuesLeavesAllWhenItsLimitPasses) {
  const int keys[2] = {};
  Waiter first;
  Waiter second(&first);
  {
    ParkingSpot spot(&keys[0]);
    spot.Add(first);
  }
  {
    ParkingSpot spot(&keys[1]);
    spot.Add(second);
  }
  EXPECT_FALSE(first.Sleep(WaitLimit(absl::ZeroDuration()).Started()));
  second.Leave();
  for (const int& key : keys) EXPECT_FALSE(AnybodyOn(&key));
}

// For ThreadSanitizer as much as for the value.
TEST(ParkingTest, WhatTheWakerDidBeforeIsVisibleToTheWoken) {
  constexpr int kIterations = 500;
  const int key = 0;
  int message = 0;
  bool sent = false;  // guarded by the spot
  int waited = 0;
  int woke = 0;
  RunConcurrently(
      kIterations,
      [&] {
        ++waited;
        Waiter waiter;
        {
          ParkingSpot spot(&key);
          if (sent) {
            sent = false;
            return;
          }
          spot.Add(waiter);
        }
        ASSERT_TRUE(waiter.Sleep(WaitLimit()));
        EXPECT_EQ(message, waited);
      },
      [&] {
        message = ++woke;
        WakeList woken;
        ParkingSpot spot(&key);
        if (spot.Wake(1, woken) == 0) sent = true;
      });
  EXPECT_FALSE(sent);
}

// A wait has one outcome, and Wake() counts exactly the waits that return true
// because of it: against a stop and against a deadline at the same moment.
TEST(ParkingTest, WakeAgainstStopAtTheSameMomentHasOneOutcome) {
  constexpr int kIterations = 500;
  struct Case {
    std::stop_source stop;
    std::atomic<bool> queued{false};
    bool slept_true = false;
    size_t claimed = 0;
  };
  std::vector<Case> cases(kIterations);
  size_t waiting = 0;
  size_t waking = 0;
  size_t stopping = 0;
  RunConcurrently(
      kIterations,
      [&] {
        Case& c = cases[waiting++];
        auto waiter = std::make_unique<Waiter>();
        {
          ParkingSpot spot(&c);
          spot.Add(*waiter);
        }
        c.queued.store(true);
        c.slept_true = waiter->Sleep(WaitLimit(c.stop.get_token()));
        waiter.reset();  // nobody may touch it any more
      },
      [&] {
        Case& c = cases[waking++];
        while (!c.queued.load()) std::this_thread::yield();
        c.claimed = WakeOn(&c, 1);
      },
      [&] {
        Case& c = cases[stopping++];
        while (!c.queued.load()) std::this_thread::yield();
        c.stop.request_stop();
      });
  for (const Case& c : cases) {
    ASSERT_EQ(c.claimed, c.slept_true ? 1u : 0u);
    ASSERT_FALSE(AnybodyOn(&c));
  }
}

TEST(ParkingTest, WakeAgainstDeadlineAtTheSameMomentHasOneOutcome) {
  constexpr int kIterations = 500;
  const int key = 0;
  std::atomic<size_t> slept_true{0};
  std::atomic<size_t> claimed{0};
  int round = 0;
  const auto wait = [&] {
    auto waiter = std::make_unique<Waiter>();
    {
      ParkingSpot spot(&key);
      spot.Add(*waiter);
    }
    const WaitLimit limit = absl::Microseconds(++round % 50);
    if (waiter->Sleep(limit.Started())) ++slept_true;
  };
  RunConcurrently(kIterations, wait, [&] { claimed += WakeOn(&key, 1); });
  EXPECT_EQ(slept_true.load(), claimed.load());
  EXPECT_FALSE(AnybodyOn(&key));
}

// Tokens are given to a counter under the spot; whoever finds none waits. If a
// wake-up were lost, a taker would wait for ever.
TEST(ParkingTest, NoWakeUpIsLostAmongManyWaitersAndWakers) {
  constexpr int kIterations = 500;
  const int key = 0;
  int tokens = 0;  // guarded by the spot
  const auto give = [&] {
    WakeList woken;
    ParkingSpot spot(&key);
    ++tokens;
    spot.Wake(1, woken);
  };
  const auto take = [&] {
    for (;;) {
      Waiter waiter;
      {
        ParkingSpot spot(&key);
        if (tokens > 0) {
          --tokens;
          return;
        }
        spot.Add(waiter);
      }
      ASSERT_TRUE(waiter.Sleep(WaitLimit()));
    }
  };
  RunConcurrently(kIterations, give, take, give, take, give, take);
  EXPECT_EQ(tokens, 0);
  EXPECT_FALSE(AnybodyOn(&key));
}

// Waits that are ended by a stop beside waits that are woken: the wake-ups must
// reach those who stay.
TEST(ParkingTest, NoWakeUpIsLostToWaitersThatAreStopped) {
  constexpr int kIterations = 500;
  const int key = 0;
  int tokens = 0;  // guarded by the spot
  std::vector<std::stop_source> stops(kIterations);
  size_t stoppable = 0;
  size_t stopping = 0;
  const auto take = [&](const WaitLimit& limit) {
    for (;;) {
      Waiter waiter;
      {
        ParkingSpot spot(&key);
        if (tokens > 0) {
          --tokens;
          return true;
        }
        spot.Add(waiter);
      }
      if (waiter.Sleep(limit)) continue;
      ParkingSpot spot(&key);
      if (tokens == 0) return false;
      --tokens;
      return true;
    }
  };
  const auto give = [&] {
    WakeList woken;
    ParkingSpot spot(&key);
    ++tokens;
    spot.Wake(1, woken);
  };
  // The one that may be stopped gives back what it took, so that each iteration
  // gives exactly what it takes; a lost wake-up leaves the third one waiting.
  RunConcurrently(
      kIterations, give,
      [&] {
        if (take(stops[stoppable++].get_token())) give();
      },
      [&] { EXPECT_TRUE(take(WaitLimit())); },
      [&] { stops[stopping++].request_stop(); });
  EXPECT_EQ(tokens, 0);
  EXPECT_FALSE(AnybodyOn(&key));
}

#if defined(__unix__)
std::atomic<int> signals_seen{0};

TEST(ParkingTest, SignalsEndNoWait) {
  // Without SA_RESTART: system calls are interrupted.
  struct sigaction counts = {};
  counts.sa_handler = [](int) { ++signals_seen; };
  struct sigaction before = {};
  ASSERT_EQ(sigaction(SIGUSR1, &counts, &before), 0);
  ManualClock clock;
  const int key = 0;
  std::atomic<bool> woken{false};
  std::thread thread([&] {
    Waiter waiter;
    {
      ParkingSpot spot(&key);
      spot.Add(waiter);
    }
    woken.store(waiter.Sleep(WaitLimit(absl::Hours(1)).Started()));
  });
  clock.AwaitSleepers(1);
  // Two that come at once are one, and a sanitizer may put one off until the
  // thread is interrupted by the next.
  while (signals_seen.load() < 100) {
    ASSERT_EQ(pthread_kill(thread.native_handle(), SIGUSR1), 0);
    std::this_thread::yield();
  }
  EXPECT_TRUE(AnybodyOn(&key));
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  thread.join();
  EXPECT_TRUE(woken.load());
  sigaction(SIGUSR1, &before, nullptr);
}
#endif

TEST(ParkingDeathTest, SleepRefusesALimitWhoseClockDoesNotRun) {
  const int key = 0;
  EXPECT_DEBUG_DEATH(
      {
        Waiter waiter;
        {
          ParkingSpot spot(&key);
          spot.Add(waiter);
        }
        static_cast<void>(waiter.Sleep(WaitLimit(absl::ZeroDuration())));
      },
      "start its clock once");
}

}  // namespace
}  // namespace internal
}  // namespace heddle
