#include "heddle/queue/simple_queue.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/queue/internal/testing.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;

using GettingThread = queue_internal::GettingThread<SimpleQueue<int>>;
using queue_internal::Counted;
using queue_internal::OnlyMovable;

TEST(SimpleQueueTest, GivesBackWhatWasPut) {
  SimpleQueue<std::string> queue;
  queue.Put("hello");
  EXPECT_EQ(queue.Get(), "hello");
  EXPECT_EQ(queue.TryGet(), std::nullopt);
}

TEST(SimpleQueueTest, FirstInFirstOut) {
  SimpleQueue<int> queue;
  for (int i = 0; i < 1000; ++i) queue.Put(i);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(queue.Get(), i);
  for (int i = 1000; i < 1500; ++i) queue.Put(i);
  for (int i = 500; i < 1500; ++i) EXPECT_EQ(queue.TryGet(), i);
  EXPECT_EQ(queue.TryGet(), std::nullopt);
}

TEST(SimpleQueueTest, SizeAndEmptyTellHowManyItemsThereAre) {
  SimpleQueue<int> queue;
  EXPECT_TRUE(queue.Empty());
  EXPECT_EQ(queue.Size(), 0u);
  queue.Put(1);
  queue.Put(2);
  EXPECT_FALSE(queue.Empty());
  EXPECT_EQ(queue.Size(), 2u);
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.TryGet(), 2);
  EXPECT_TRUE(queue.Empty());
  EXPECT_EQ(queue.Get(absl::ZeroDuration()), std::nullopt);
  EXPECT_EQ(queue.Size(), 0u);
}

TEST(SimpleQueueTest, TakesMoveOnlyItems) {
  SimpleQueue<std::unique_ptr<int>> queue;
  queue.Put(std::make_unique<int>(7));
  std::optional<std::unique_ptr<int>> item = queue.Get();
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(**item, 7);
}

TEST(SimpleQueueTest, NeedsNothingOfAnItemButAMoveConstructor) {
  SimpleQueue<OnlyMovable> queue;
  queue.Put(OnlyMovable(3));
  EXPECT_EQ(queue.Get()->value, 3);
  queue.Put(OnlyMovable(4));
  EXPECT_EQ(queue.TryGet()->value, 4);
}

TEST(SimpleQueueTest, ZeroAndNegativeLimitsMeanOneLook) {
  SimpleQueue<int> queue;
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Nanoseconds(1), -absl::Seconds(1),
        -absl::InfiniteDuration()}) {
    EXPECT_EQ(queue.Get(timeout), std::nullopt) << timeout;
    queue.Put(5);
    EXPECT_EQ(queue.Get(timeout), 5) << timeout;
  }
}

TEST(SimpleQueueTest, GetReturnsNulloptWhenTheLimitPassesAndNotBefore) {
  ManualClock clock;
  SimpleQueue<int> queue;
  GettingThread getter(queue, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(getter.Result(), std::nullopt);
}

TEST(SimpleQueueTest, GetterThatTimedOutTakesNothing) {
  ManualClock clock;
  SimpleQueue<int> queue;
  GettingThread gone(queue, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(gone.Result(), std::nullopt);
  GettingThread stays(queue, absl::Hours(1));
  clock.AwaitSleepers(1);
  queue.Put(1);
  EXPECT_EQ(stays.Result(), 1);
  queue.Put(2);
  EXPECT_EQ(queue.TryGet(), 2);
}

TEST(SimpleQueueTest, HugeLimitsDoNotEndTheWait) {
  for (const absl::Duration timeout :
       {absl::InfiniteDuration(), absl::Hours(1e300),
        absl::Nanoseconds(INT64_MAX), absl::Nanoseconds(INT64_MAX - 1)}) {
    SimpleQueue<int> queue;
    GettingThread getter(queue, timeout);
    queue.Put(1);
    EXPECT_EQ(getter.Result(), 1) << timeout;
  }
}

TEST(SimpleQueueTest, StopRequestedBeforeEndsTheWaitAtOnce) {
  SimpleQueue<int> queue;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(queue.Get(stop.get_token()), std::nullopt);
}

TEST(SimpleQueueTest, ItemWinsOverAStopThatWasRequestedBefore) {
  SimpleQueue<int> queue;
  std::stop_source stop;
  stop.request_stop();
  queue.Put(1);
  EXPECT_EQ(queue.Get(stop.get_token()), 1);
  queue.Put(2);
  EXPECT_EQ(queue.Get({-absl::Seconds(1), stop.get_token()}), 2);
}

TEST(SimpleQueueTest, StopRequestedDuringEndsTheWait) {
  ManualClock clock;
  SimpleQueue<int> queue;
  std::stop_source stop;
  GettingThread stopped(queue, {absl::Hours(1), stop.get_token()});
  clock.AwaitSleepers(1);
  stop.request_stop();
  EXPECT_EQ(stopped.Result(), std::nullopt);
  queue.Put(1);
  EXPECT_EQ(queue.TryGet(), 1);
}

TEST(SimpleQueueTest, WhoWaitedLongestIsWokenFirst) {
  ManualClock clock;
  SimpleQueue<int> queue;
  std::deque<GettingThread> getters;
  for (int i = 0; i < 5; ++i) {
    getters.emplace_back(queue, absl::Hours(1));
    clock.AwaitSleepers(static_cast<size_t>(i) + 1);
  }
  for (int i = 0; i < 5; ++i) {
    queue.Put(i);
    EXPECT_EQ(getters[static_cast<size_t>(i)].Result(), i);
  }
}

TEST(SimpleQueueTest, EachPutReleasesOneOfManyGetters) {
  ManualClock clock;
  SimpleQueue<int> queue;
  constexpr int kGetters = 20;
  std::deque<GettingThread> getters;
  for (int i = 0; i < kGetters; ++i)
    getters.emplace_back(queue, absl::Hours(1));
  clock.AwaitSleepers(kGetters);
  for (int i = 0; i < kGetters; ++i) queue.Put(i);
  std::set<int> seen;
  for (GettingThread& getter : getters) {
    const std::optional<int> item = getter.Result();
    ASSERT_TRUE(item.has_value());
    seen.insert(*item);
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kGetters));
  EXPECT_TRUE(queue.Empty());
}

TEST(SimpleQueueTest, EveryItemIsDestroyedExactlyOnce) {
  {
    SimpleQueue<Counted> queue;
    for (int i = 0; i < 10; ++i) queue.Put(Counted(i));
    EXPECT_EQ(Counted::live, 10);
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(queue.Get().has_value());
      EXPECT_EQ(Counted::live, 9 - i);
    }
    EXPECT_EQ(Counted::live, 6);
  }
  EXPECT_EQ(Counted::live, 0);
}

// Puts other items into its queue when it is destroyed.
struct Replanting {
  Replanting(SimpleQueue<Replanting>& q, int n) : queue(&q), left(n) {}
  Replanting(Replanting&& other) noexcept
      : queue(std::exchange(other.queue, nullptr)), left(other.left) {}
  Replanting& operator=(Replanting&&) = delete;
  ~Replanting() {
    if (queue != nullptr && left > 0) queue->Put(Replanting(*queue, left - 1));
  }
  SimpleQueue<Replanting>* queue;
  int left;
};

TEST(SimpleQueueTest, DestructorOfAnItemMayUseTheQueue) {
  SimpleQueue<Replanting> queue;
  queue.Put(Replanting(queue, 3));
  EXPECT_EQ(queue.Size(), 1u);
  static_cast<void>(queue.Get());  // dropped here: puts the next
  EXPECT_EQ(queue.Size(), 1u);
  EXPECT_EQ(queue.TryGet()->left, 2);
  EXPECT_EQ(queue.Size(), 1u);
}

TEST(SimpleQueueTest, DestructorOfTheQueueDestroysWhatItsItemsPutMeanwhile) {
  auto queue = std::make_unique<SimpleQueue<Replanting>>();
  queue->Put(Replanting(*queue, 100));
  queue.reset();  // AddressSanitizer sees it if one is left
}

// What is left of an item that was moved out is an item too.
struct GettingWhenGone {
  explicit GettingWhenGone(SimpleQueue<GettingWhenGone>& q) : queue(&q) {}
  GettingWhenGone(GettingWhenGone&& other) noexcept : queue(other.queue) {}
  GettingWhenGone& operator=(GettingWhenGone&&) = delete;
  ~GettingWhenGone() { static_cast<void>(queue->Size() + got()); }
  // Not for ever: each of them would get another.
  size_t got() const {
    static thread_local bool is_getting = false;
    if (std::exchange(is_getting, true)) return 0;
    const bool got = queue->TryGet().has_value();
    is_getting = false;
    return got ? 1 : 0;
  }
  SimpleQueue<GettingWhenGone>* queue;
};

TEST(SimpleQueueTest, DestructorOfWhatIsLeftOfAnItemMayUseTheQueue) {
  SimpleQueue<GettingWhenGone> queue;
  for (int i = 0; i < 100; ++i) queue.Put(GettingWhenGone(queue));
  while (queue.TryGet().has_value()) {
  }
  EXPECT_TRUE(queue.Empty());
}

#ifdef ABSL_HAVE_EXCEPTIONS
using queue_internal::Throwing;

TEST(SimpleQueueTest, PutWhoseMoveThrowsLeavesTheQueueAsItWas) {
  {
    SimpleQueue<Throwing> queue;
    queue.Put(Throwing(1));
    Throwing::moves_left = 0;
    EXPECT_THROW(queue.Put(Throwing(2)), std::runtime_error);
    EXPECT_EQ(queue.Size(), 1u);
    queue.Put(Throwing(3));
    EXPECT_EQ(queue.Get()->value, 1);
    EXPECT_EQ(queue.Get()->value, 3);
    EXPECT_TRUE(queue.Empty());
  }
  EXPECT_EQ(Throwing::live, 0);
}

TEST(SimpleQueueTest, GetWhoseMoveThrowsLeavesTheItemInTheQueue) {
  {
    SimpleQueue<Throwing> queue;
    for (int i = 1; i <= 4; ++i) queue.Put(Throwing(i));
    Throwing::moves_left = 0;
    EXPECT_THROW(static_cast<void>(queue.Get()), std::runtime_error);
    EXPECT_EQ(queue.Size(), 4u);
    EXPECT_EQ(queue.Get()->value, 1);
    Throwing::moves_left = 0;
    EXPECT_THROW(static_cast<void>(queue.TryGet()), std::runtime_error);
    EXPECT_EQ(queue.Get()->value, 2);
  }
  EXPECT_EQ(Throwing::live, 0);
}

TEST(SimpleQueueTest, PutWhoseMoveThrowsDoesNotSpendAWakeUp) {
  ManualClock clock;
  SimpleQueue<Throwing> queue;
  std::optional<int> got;
  Thread getter([&] {
    if (const auto item = queue.Get(absl::Hours(1))) got = item->value;
  });
  getter.Start();
  clock.AwaitSleepers(1);
  Throwing::moves_left = 0;
  EXPECT_THROW(queue.Put(Throwing(1)), std::runtime_error);
  queue.Put(Throwing(2));
  getter.Join();
  EXPECT_EQ(got, 2);
}
#endif

TEST(SimpleQueueTest, WhatCameBeforePutIsVisibleAfterGet) {
  constexpr int kIterations = 500;
  SimpleQueue<int*> queue;
  std::vector<int> values(kIterations, 0);
  size_t putting = 0;
  RunConcurrently(
      kIterations,
      [&] {
        int& value = values[putting++];
        value = 42;
        queue.Put(&value);
      },
      [&] { EXPECT_EQ(**queue.Get(), 42); });
}

// Several producers and consumers: each item once, and what one producer put
// comes out to each consumer in the order in which it went in.
void ExpectEachItemOnceAndInOrder(int producers, int consumers,
                                  const std::vector<WaitLimit>& limits) {
  constexpr int kPerProducer = 20000;
  struct Item {
    int producer;
    int number;
  };
  SimpleQueue<Item> queue;
  std::atomic<int64_t> sum{0};
  std::atomic<int> left{producers * kPerProducer};
  std::vector<std::function<void()>> functions;
  for (int p = 0; p < producers; ++p) {
    functions.emplace_back([&queue, p] {
      for (int i = 1; i <= kPerProducer; ++i) queue.Put({p, i});
    });
  }
  for (int c = 0; c < consumers; ++c) {
    const WaitLimit limit = limits[static_cast<size_t>(c) % limits.size()];
    functions.emplace_back([&, limit] {
      std::vector<int> last(static_cast<size_t>(producers), 0);
      int64_t mine = 0;
      // Who takes a ticket gets an item, so all end.
      while (left.fetch_sub(1) > 0) {
        std::optional<Item> item;
        while (!(item = queue.Get(limit))) {
        }
        int& previous = last[static_cast<size_t>(item->producer)];
        ASSERT_LT(previous, item->number);
        previous = item->number;
        mine += item->number;
      }
      sum += mine;
    });
  }
  RunConcurrently(1, functions);
  EXPECT_TRUE(queue.Empty());
  EXPECT_EQ(queue.TryGet().has_value(), false);
  EXPECT_EQ(sum.load(),
            int64_t{producers} * kPerProducer * (kPerProducer + 1) / 2);
}

TEST(SimpleQueueTest, EachItemOnceAndInOrderOneToOne) {
  ExpectEachItemOnceAndInOrder(1, 1, {WaitLimit()});
}
TEST(SimpleQueueTest, EachItemOnceAndInOrderOneToMany) {
  ExpectEachItemOnceAndInOrder(1, 4, {WaitLimit()});
}
TEST(SimpleQueueTest, EachItemOnceAndInOrderManyToOne) {
  ExpectEachItemOnceAndInOrder(4, 1, {WaitLimit()});
}
TEST(SimpleQueueTest, EachItemOnceAndInOrderManyToMany) {
  ExpectEachItemOnceAndInOrder(4, 4, {WaitLimit()});
}
TEST(SimpleQueueTest, EachItemOnceAndInOrderAmongGettersWhoseLimitsPass) {
  ExpectEachItemOnceAndInOrder(
      3, 4,
      {WaitLimit(), WaitLimit(absl::Microseconds(1)),
       WaitLimit(absl::ZeroDuration()), WaitLimit(absl::Microseconds(20))});
}

// Getters wait while the queue's own lock is waited for: what is meant for the
// ones must not wake the others.
TEST(SimpleQueueTest, NoGetterIsStrandedWhileOthersWaitForTheQueuesLock) {
  constexpr int kIterations = 500;
  SimpleQueue<int> queue;
  const auto put = [&] { queue.Put(1); };
  const auto get = [&] { EXPECT_EQ(queue.Get(), 1); };
  RunConcurrently(kIterations, get, put, get, put, get, put, get, put);
  EXPECT_TRUE(queue.Empty());
}

TEST(SimpleQueueTest, PutAgainstStopAtTheSameMomentLosesNoItem) {
  constexpr int kIterations = 500;
  struct Case {
    SimpleQueue<int> queue;
    std::stop_source stop;
  };
  std::vector<Case> cases(kIterations);
  size_t getting = 0;
  size_t putting = 0;
  size_t stopping = 0;
  RunConcurrently(
      kIterations,
      [&] {
        Case& c = cases[getting++];
        const bool got = c.queue.Get(c.stop.get_token()).has_value();
        // Either way the item is somewhere.
        if (!got) {
          EXPECT_EQ(c.queue.Get(), 1);
        }
        EXPECT_TRUE(c.queue.Empty());
      },
      [&] { cases[putting++].queue.Put(1); },
      [&] { cases[stopping++].stop.request_stop(); });
}

TEST(SimpleQueueTest, NoWakeUpIsLostToGettersThatAreStopped) {
  constexpr int kIterations = 500;
  SimpleQueue<int> queue;
  std::vector<std::stop_source> stops(kIterations);
  size_t stoppable = 0;
  size_t stopping = 0;
  RunConcurrently(
      kIterations, [&] { queue.Put(1); },
      [&] {
        // What the stoppable one took it puts back, for the other.
        if (queue.Get(stops[stoppable++].get_token())) queue.Put(1);
      },
      [&] { EXPECT_EQ(queue.Get(), 1); },
      [&] { stops[stopping++].request_stop(); });
  EXPECT_TRUE(queue.Empty());
}

TEST(SimpleQueueTest, ServesAsAConveyorBetweenThreadsThatAnswerEachOther) {
  constexpr int kRounds = 5000;
  SimpleQueue<int> there;
  SimpleQueue<int> back;
  Thread echo([&] {
    for (int i = 0; i < kRounds; ++i) back.Put(*there.Get() + 1);
  });
  echo.Start();
  for (int i = 0; i < kRounds; ++i) {
    there.Put(i);
    EXPECT_EQ(back.Get(), i + 1);
  }
  echo.Join();
}

TEST(SimpleQueueTest, IsNeitherCopiedNorMoved) {
  EXPECT_FALSE(std::is_copy_constructible_v<SimpleQueue<int>>);
  EXPECT_FALSE(std::is_move_constructible_v<SimpleQueue<int>>);
  EXPECT_FALSE(std::is_copy_assignable_v<SimpleQueue<int>>);
}

}  // namespace
}  // namespace heddle
