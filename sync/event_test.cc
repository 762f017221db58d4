#include "heddle/sync/event.h"

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
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;

// A thread that waits for an event.
class WaitingThread {
 public:
  WaitingThread(Event& event, const WaitLimit& limit)
      : thread_([this, &event, limit] { result_ = event.Wait(limit); }) {
    thread_.Start();
  }

  bool Result() {
    thread_.Join();
    return result_;
  }

 private:
  bool result_ = false;
  Thread thread_;
};

constinit Event constant_initialized;

TEST(EventTest, IsConstantInitializedAndFourBytes) {
  EXPECT_FALSE(constant_initialized.IsSet());
  EXPECT_EQ(sizeof(Event), 4u);
}

TEST(EventTest, IsUnsetAtFirst) {
  Event event;
  EXPECT_FALSE(event.IsSet());
  EXPECT_FALSE(event.Wait(absl::ZeroDuration()));
}

TEST(EventTest, StaysSetUntilCleared) {
  Event event;
  event.Set();
  EXPECT_TRUE(event.IsSet());
  EXPECT_TRUE(event.Wait());
  EXPECT_TRUE(event.Wait());
  event.Clear();
  EXPECT_FALSE(event.IsSet());
  EXPECT_FALSE(event.Wait(absl::ZeroDuration()));
}

TEST(EventTest, SettingAndClearingTwiceIsFine) {
  Event event;
  event.Clear();
  event.Clear();
  EXPECT_FALSE(event.IsSet());
  event.Set();
  event.Set();
  EXPECT_TRUE(event.IsSet());
  event.Clear();
  event.Clear();
  EXPECT_FALSE(event.IsSet());
}

TEST(EventTest, SetReleasesEverybodyWhoWaits) {
  ManualClock clock;
  Event event;
  std::deque<WaitingThread> threads;
  for (int i = 0; i < 20; ++i) threads.emplace_back(event, absl::Hours(1));
  clock.AwaitSleepers(20);
  event.Set();
  for (WaitingThread& thread : threads) EXPECT_TRUE(thread.Result());
}

TEST(EventTest, WaitWithoutALimitIsReleasedBySet) {
  for (int i = 0; i < 100; ++i) {
    Event event;
    WaitingThread thread(event, {});
    event.Set();
    EXPECT_TRUE(thread.Result());
  }
}

TEST(EventTest, SetThenClearStillReleasesEverybodyWhoWaited) {
  ManualClock clock;
  Event event;
  // Many rounds, because who is awake before the Clear() proves nothing.
  for (int round = 0; round < 20; ++round) {
    std::deque<WaitingThread> threads;
    for (int i = 0; i < 10; ++i) threads.emplace_back(event, absl::Hours(1));
    clock.AwaitSleepers(10);
    event.Set();
    event.Clear();
    for (WaitingThread& thread : threads) EXPECT_TRUE(thread.Result());
    EXPECT_FALSE(event.IsSet());
  }
}

TEST(EventTest, WaitThatBeginsAfterTheClearIsNotReleasedByAnEarlierSet) {
  ManualClock clock;
  Event event;
  event.Set();
  event.Clear();
  WaitingThread thread(event, absl::Hours(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Hours(1));
  EXPECT_FALSE(thread.Result());
}

TEST(EventTest, SetThatFindsTheEventSetReleasesThoseWhoCameSinceTheClear) {
  ManualClock clock;
  Event event;
  for (int round = 0; round < 3; ++round) {
    WaitingThread thread(event, absl::Hours(1));
    clock.AwaitSleepers(1);
    event.Set();
    event.Set();
    EXPECT_TRUE(thread.Result());
    event.Clear();
  }
}

TEST(EventTest, WaitReturnsFalseWhenTheLimitPassesAndNotBefore) {
  ManualClock clock;
  Event event;
  WaitingThread thread(event, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(thread.Result());
  EXPECT_FALSE(event.IsSet());
}

TEST(EventTest, WaiterThatTimedOutLeavesNothingBehind) {
  ManualClock clock;
  Event event;
  WaitingThread gone(event, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(gone.Result());
  WaitingThread stays(event, absl::Hours(1));
  clock.AwaitSleepers(1);
  event.Set();
  EXPECT_TRUE(stays.Result());
}

TEST(EventTest, ZeroAndNegativeLimitsMeanOneLook) {
  Event event;
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Nanoseconds(1), -absl::Seconds(1),
        -absl::InfiniteDuration()}) {
    EXPECT_FALSE(event.Wait(timeout)) << timeout;
  }
  event.Set();
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Nanoseconds(1), -absl::Seconds(1),
        -absl::InfiniteDuration()}) {
    EXPECT_TRUE(event.Wait(timeout)) << timeout;
  }
}

TEST(EventTest, HugeLimitsDoNotEndTheWait) {
  for (const absl::Duration timeout :
       {absl::InfiniteDuration(), absl::Hours(1e300),
        absl::Nanoseconds(INT64_MAX), absl::Nanoseconds(INT64_MAX - 1)}) {
    Event event;
    WaitingThread thread(event, timeout);
    event.Set();
    EXPECT_TRUE(thread.Result()) << timeout;
  }
}

TEST(EventTest, StopRequestedBeforeEndsTheWaitAtOnce) {
  Event event;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(event.Wait(stop.get_token()));
  EXPECT_FALSE(event.Wait({absl::InfiniteDuration(), stop.get_token()}));
}

TEST(EventTest, SetEventWinsOverAStopThatWasRequestedBefore) {
  Event event;
  event.Set();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(event.Wait(stop.get_token()));
  EXPECT_TRUE(event.Wait({-absl::Seconds(1), stop.get_token()}));
}

TEST(EventTest, StopRequestedDuringEndsTheWait) {
  ManualClock clock;
  Event event;
  std::stop_source stop;
  WaitingThread thread(event, {absl::Hours(1), stop.get_token()});
  clock.AwaitSleepers(1);
  stop.request_stop();
  EXPECT_FALSE(thread.Result());
  EXPECT_FALSE(event.IsSet());
}

TEST(EventTest, StopReleasesNobodyElse) {
  ManualClock clock;
  Event event;
  std::stop_source stop;
  WaitingThread stopped(event, {absl::Hours(1), stop.get_token()});
  WaitingThread stays(event, absl::Hours(1));
  clock.AwaitSleepers(2);
  stop.request_stop();
  EXPECT_FALSE(stopped.Result());
  event.Set();
  EXPECT_TRUE(stays.Result());
}

TEST(EventTest, WhatCameBeforeSetIsVisibleAfterWait) {
  constexpr int kIterations = 500;
  struct Case {
    Event event;
    int value = 0;
  };
  std::vector<Case> cases(kIterations);
  size_t setting = 0;
  size_t waiting = 0;
  size_t polling = 0;
  RunConcurrently(
      kIterations,
      [&] {
        Case& c = cases[setting++];
        c.value = 42;
        c.event.Set();
      },
      [&] {
        Case& c = cases[waiting++];
        EXPECT_TRUE(c.event.Wait());
        EXPECT_EQ(c.value, 42);
      },
      [&] {
        Case& c = cases[polling++];
        while (!c.event.IsSet()) std::this_thread::yield();
        EXPECT_EQ(c.value, 42);
      });
}

// The clearing thread knows that the event was set from a relaxed flag, which
// orders nothing: without the edge from Set() to Clear() ThreadSanitizer
// reports `value`.
TEST(EventTest, WhatCameBeforeASetIsVisibleAfterTheClearThatUndoesIt) {
  constexpr int kIterations = 500;
  struct Case {
    Event event;
    std::atomic<bool> was_set{false};
    int value = 0;
  };
  std::vector<Case> cases(kIterations);
  size_t setting = 0;
  size_t clearing = 0;
  RunConcurrently(
      kIterations,
      [&] {
        Case& c = cases[setting++];
        c.value = 42;
        c.event.Set();
        c.was_set.store(true, std::memory_order_relaxed);
      },
      [&] {
        Case& c = cases[clearing++];
        while (!c.was_set.load(std::memory_order_relaxed))
          std::this_thread::yield();
        c.event.Clear();
        EXPECT_EQ(c.value, 42);
      });
}

TEST(EventTest, TwoEventsPassAValueToAndFro) {
  constexpr int kRounds = 2000;
  Event full;
  Event empty;
  empty.Set();
  int value = 0;
  Thread writer([&] {
    for (int i = 1; i <= kRounds; ++i) {
      empty.Wait();
      empty.Clear();
      value = i;
      full.Set();
    }
  });
  writer.Start();
  for (int i = 1; i <= kRounds; ++i) {
    full.Wait();
    full.Clear();
    EXPECT_EQ(value, i);
    empty.Set();
  }
  writer.Join();
}

// The event is gone as soon as its waiter knows of the Set(), which may still
// be under way.
TEST(EventTest, MayBeDestroyedByItsWaiterAsSoonAsWaitReturned) {
  constexpr int kIterations = 500;
  std::atomic<Event*> current{nullptr};
  RunConcurrently(
      kIterations,
      [&] {
        auto event = std::make_unique<Event>();
        current.store(event.get());
        EXPECT_TRUE(event->Wait());
      },
      [&] {
        Event* event;
        while ((event = current.exchange(nullptr)) == nullptr)
          std::this_thread::yield();
        event->Set();
      });
}

TEST(EventTest, MayBeDestroyedOnTheStackOfItsWaiterByALimitedWait) {
  constexpr int kIterations = 500;
  std::atomic<Event*> current{nullptr};
  int round = 0;
  RunConcurrently(
      kIterations,
      [&] {
        Event event;
        current.store(&event);
        // Some end by the limit; then the setter is awaited without one.
        if (!event.Wait(absl::Microseconds(++round % 40))) {
          EXPECT_TRUE(event.Wait());
        }
      },
      [&] {
        Event* event;
        while ((event = current.exchange(nullptr)) == nullptr)
          std::this_thread::yield();
        event->Set();
      });
}

TEST(EventTest, SetAgainstStopAtTheSameMomentEndsTheWaitEitherWay) {
  constexpr int kIterations = 500;
  struct Case {
    Event event;
    std::stop_source stop;
  };
  std::vector<Case> cases(kIterations);
  size_t waiting = 0;
  size_t setting = 0;
  size_t stopping = 0;
  RunConcurrently(
      kIterations,
      [&] {
        Case& c = cases[waiting++];
        if (!c.event.Wait(c.stop.get_token())) {
          EXPECT_TRUE(c.stop.stop_requested());
        }
        EXPECT_TRUE(c.event.Wait());
      },
      [&] { cases[setting++].event.Set(); },
      [&] { cases[stopping++].stop.request_stop(); });
}

TEST(EventTest, ManySettersClearersAndWaitersNeverLoseAnybody) {
  // Everybody who waits is released by a Set() that comes later, however many
  // clear the event in between; the last Set() stays.
  constexpr int kRounds = 3000;
  Event event;
  std::atomic<int> waiting{2};
  const auto wait = [&] {
    for (int i = 0; i < kRounds; ++i) EXPECT_TRUE(event.Wait());
    --waiting;
  };
  const auto toggle = [&] {
    while (waiting.load() > 0) {
      event.Set();
      event.Clear();
      std::this_thread::yield();
    }
  };
  RunConcurrently(1, wait, wait, toggle, toggle);
}

}  // namespace
}  // namespace heddle
