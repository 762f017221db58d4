#include "heddle/sync/event.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <sstream>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;
using sync_internal::AwaitWaiters;
using sync_internal::Background;

// What all blocking waits promise is tested in blocking_wait_test.cc, that an
// event may go as soon as its waiters know in lifetime_test.cc.

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

TEST(EventTest, SetThenClearStillReleasesEverybodyWhoWaited) {
  ManualClock clock;
  Event event;
  // Many rounds, because who is awake before the Clear() proves nothing.
  for (int round = 0; round < 20; ++round) {
    std::deque<Background> threads;
    for (int i = 0; i < 10; ++i) {
      threads.emplace_back([&] { return event.Wait(absl::Hours(1)); });
    }
    clock.AwaitSleepers(10);
    event.Set();
    event.Clear();
    for (Background& thread : threads) EXPECT_TRUE(thread.Result());
    EXPECT_FALSE(event.IsSet());
  }
}

TEST(EventTest, WaitThatBeginsAfterTheClearIsNotReleasedByAnEarlierSet) {
  ManualClock clock;
  Event event;
  event.Set();
  event.Clear();
  Background thread([&] { return event.Wait(absl::Hours(1)); });
  clock.AwaitSleepers(1);
  clock.Advance(absl::Hours(1));
  EXPECT_FALSE(thread.Result());
}

TEST(EventTest, SetThatFindsTheEventSetReleasesThoseWhoCameSinceTheClear) {
  ManualClock clock;
  Event event;
  for (int round = 0; round < 3; ++round) {
    Background thread([&] { return event.Wait(absl::Hours(1)); });
    clock.AwaitSleepers(1);
    event.Set();
    event.Set();
    EXPECT_TRUE(thread.Result());
    event.Clear();
  }
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

TEST(EventTest, DebugStringTellsTheFlagAndHowManyWait) {
  Event event;
  EXPECT_EQ(event.DebugString(), "Event(unset, waiters=0)");
  Background thread([&] { return event.Wait(); });
  AwaitWaiters(event, 1);
  EXPECT_EQ(event.DebugString(), "Event(unset, waiters=1)");
  event.Set();
  EXPECT_TRUE(thread.Result());
  std::ostringstream out;
  out << event;
  EXPECT_EQ(out.str(), "Event(set, waiters=0)");
}

}  // namespace
}  // namespace heddle
