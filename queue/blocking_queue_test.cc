// What all queues with a bound promise, whatever their order.

#include "heddle/queue/blocking_queue.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <list>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/queue/internal/testing.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;
using queue_internal::Aligned;
using queue_internal::Counted;
using queue_internal::GettingThread;
using queue_internal::OnlyCopyable;
using queue_internal::OnlyMovable;
using queue_internal::PuttingThread;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// A kind says which queue, and the order in which it gives out 1, 2, 3.
struct Fifo {
  template <typename T>
  using Of = Queue<T>;
  static constexpr int kOrder[] = {1, 2, 3};
};
struct Lifo {
  template <typename T>
  using Of = LifoQueue<T>;
  static constexpr int kOrder[] = {3, 2, 1};
};
struct Priority {
  template <typename T>
  using Of = PriorityQueue<T>;
  static constexpr int kOrder[] = {1, 2, 3};
};

template <typename Kind>
class BlockingQueueTest : public ::testing::Test {
 protected:
  using IntQueue = typename Kind::template Of<int>;
  using Getter = GettingThread<IntQueue>;
  using Putter = PuttingThread<IntQueue>;
};

struct KindNames {
  template <typename Kind>
  static std::string GetName(int) {
    if (std::is_same_v<Kind, Fifo>) return "Queue";
    return std::is_same_v<Kind, Lifo> ? "LifoQueue" : "PriorityQueue";
  }
};

using Kinds = ::testing::Types<Fifo, Lifo, Priority>;
TYPED_TEST_SUITE(BlockingQueueTest, Kinds, KindNames);

constexpr absl::Duration kNoWait = absl::ZeroDuration();

template <typename Queue>
std::vector<int> Rest(Queue& queue) {
  std::vector<int> items;
  static_cast<void>(
      queue.GetMany(std::back_inserter(items), 1'000'000, kNoWait));
  return items;
}

TYPED_TEST(BlockingQueueTest, GivesOutInItsOrder) {
  for (const int maxsize : {0, 3, 100}) {
    typename TestFixture::IntQueue queue(maxsize);
    for (const int item : {1, 2, 3}) EXPECT_TRUE(queue.Put(item));
    for (const int item : TypeParam::kOrder) EXPECT_EQ(queue.Get(), item);
    EXPECT_EQ(queue.TryGet(), std::nullopt);
    queue.PutMany(std::vector<int>{1, 2, 3});
    EXPECT_THAT(Rest(queue), ::testing::ElementsAreArray(TypeParam::kOrder));
  }
}

TYPED_TEST(BlockingQueueTest, ZeroAndNegativeMaxsizeMeanNoBound) {
  for (const int64_t maxsize : {int64_t{0}, int64_t{-1}, INT64_MIN}) {
    typename TestFixture::IntQueue queue(maxsize);
    EXPECT_EQ(queue.maxsize(), 0u);
    for (int i = 0; i < 5000; ++i) ASSERT_TRUE(queue.TryPut(i));
    EXPECT_FALSE(queue.Full());
    EXPECT_EQ(queue.Size(), 5000u);
  }
}

TYPED_TEST(BlockingQueueTest, PutIsRefusedWhenFullAndLeavesTheItem) {
  typename TypeParam::template Of<std::unique_ptr<int>> queue(1);
  EXPECT_EQ(queue.maxsize(), 1u);
  ASSERT_TRUE(queue.TryPut(std::make_unique<int>(1)));
  EXPECT_TRUE(queue.Full());
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.TryPut(std::move(second)));
  EXPECT_FALSE(queue.Put(std::move(second), kNoWait));
  EXPECT_FALSE(queue.Put(std::move(second), -absl::Seconds(1)));
  ASSERT_NE(second, nullptr);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(**queue.Get(), 1);
  EXPECT_TRUE(queue.Put(std::move(second), kNoWait));
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(**queue.Get(), 2);
}

TYPED_TEST(BlockingQueueTest, SizeEmptyFullAndMaxsizeTellHowItStands) {
  typename TestFixture::IntQueue queue(2);
  EXPECT_EQ(queue.maxsize(), 2u);
  EXPECT_TRUE(queue.Empty());
  EXPECT_FALSE(queue.Full());
  queue.Put(1);
  EXPECT_EQ(queue.Size(), 1u);
  EXPECT_FALSE(queue.Empty());
  EXPECT_FALSE(queue.Full());
  queue.Put(2);
  EXPECT_EQ(queue.Size(), 2u);
  EXPECT_TRUE(queue.Full());
  EXPECT_FALSE(queue.is_shutdown());
}

TYPED_TEST(BlockingQueueTest, TakesWhateverCanBeMovedOrCopied) {
  typename TypeParam::template Of<OnlyMovable> movable;
  movable.Put(OnlyMovable(3));
  EXPECT_EQ(movable.Get()->value, 3);
  typename TypeParam::template Of<OnlyCopyable> copyable(2);
  const OnlyCopyable item(4);
  copyable.Put(item);
  EXPECT_EQ(copyable.TryGet()->value, 4);
}

// Looks where the items lie that it is given.
struct AlignmentOutput {
  AlignmentOutput& operator*() { return *this; }
  AlignmentOutput& operator++(int) { return *this; }
  AlignmentOutput& operator=(Aligned&& item) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(&item) % alignof(Aligned), 0u);
    return *this;
  }
};

TYPED_TEST(BlockingQueueTest, GetIntoAnObjectAssignsOnce) {
  struct Assigned {
    explicit Assigned(int v) : value(v) {}
    Assigned(Assigned&& other) noexcept
        : value(other.value), moves(other.moves + 1) {}
    Assigned& operator=(Assigned&& other) noexcept {
      value = other.value;
      moves = other.moves + 1;
      return *this;
    }
    bool operator<(const Assigned& other) const { return value < other.value; }
    int value;
    int moves = 0;
  };
  typename TypeParam::template Of<Assigned> queue;
  queue.Put(Assigned(1));
  Assigned into(0);
  EXPECT_TRUE(queue.Get(into));
  EXPECT_EQ(into.value, 1);
  EXPECT_LE(into.moves, 2);  // in, and out
  EXPECT_FALSE(queue.Get(into, kNoWait));
  EXPECT_EQ(into.value, 1);
}

TYPED_TEST(BlockingQueueTest, WhatIsALimitIsNoObjectToGetInto) {
  typename TypeParam::template Of<absl::Duration> queue;
  queue.Put(absl::Seconds(5));
  absl::Duration timeout = kNoWait;
  EXPECT_EQ(queue.Get(timeout), absl::Seconds(5));
  EXPECT_EQ(queue.Get(timeout), std::nullopt);
}

TYPED_TEST(BlockingQueueTest, ItemsLieWhereTheirAlignmentSays) {
  std::vector<Aligned> items;
  for (int i = 0; i < 100; ++i) items.emplace_back(i);
  for (const int maxsize : {0, 100}) {
    typename TypeParam::template Of<Aligned> queue(maxsize);
    queue.PutMany(items);
    EXPECT_EQ(queue.GetMany(AlignmentOutput(), items.size()), items.size());
  }
}

TYPED_TEST(BlockingQueueTest, ManyItemsComeBackEachOnce) {
  for (const int maxsize : {0, 10'000}) {
    typename TestFixture::IntQueue queue(maxsize);
    std::vector<int> all(10'000);
    std::iota(all.begin(), all.end(), 0);
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(queue.PutMany(all), all.size());
      std::vector<int> got = Rest(queue);
      std::sort(got.begin(), got.end());
      EXPECT_EQ(got, all);
    }
  }
}

TYPED_TEST(BlockingQueueTest, MaxsizeThatNoMemoryHoldsIsALengthError) {
#ifdef ABSL_HAVE_EXCEPTIONS
  try {
    typename TestFixture::IntQueue queue(std::numeric_limits<int64_t>::max());
    FAIL() << "was accepted";
  } catch (const std::length_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("9223372036854775807"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("Queue"));
  }
#endif
}

// Limits.

TYPED_TEST(BlockingQueueTest, GetReturnsNulloptWhenTheLimitPassesAndNotBefore) {
  ManualClock clock;
  typename TestFixture::IntQueue queue;
  typename TestFixture::Getter getter(queue, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(getter.Result(), std::nullopt);
}

TYPED_TEST(BlockingQueueTest, PutReturnsFalseWhenTheLimitPassesAndNotBefore) {
  ManualClock clock;
  typename TestFixture::IntQueue queue(1);
  queue.Put(1);
  typename TestFixture::Putter putter(queue, 2, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(putter.Result());
  EXPECT_THAT(Rest(queue), ElementsAre(1));
}

TYPED_TEST(BlockingQueueTest, WhatIsReadyWinsOverAStopAndOverALimitOfZero) {
  typename TestFixture::IntQueue queue(1);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(queue.Get(stop.get_token()), std::nullopt);
  EXPECT_TRUE(queue.Put(1, {-absl::Seconds(1), stop.get_token()}));
  EXPECT_FALSE(queue.Put(2, stop.get_token()));
  EXPECT_EQ(queue.Get({-absl::Seconds(1), stop.get_token()}), 1);
}

TYPED_TEST(BlockingQueueTest, StopEndsTheWaitItBelongsToAndNoOther) {
  ManualClock clock;
  typename TestFixture::IntQueue queue(1);
  std::stop_source stop;
  typename TestFixture::Getter stopped(queue,
                                       {absl::Hours(1), stop.get_token()});
  clock.AwaitSleepers(1);
  typename TestFixture::Getter other(queue, absl::Hours(1));
  clock.AwaitSleepers(2);
  stop.request_stop();
  EXPECT_EQ(stopped.Result(), std::nullopt);
  queue.Put(1);
  EXPECT_EQ(other.Result(), 1);

  queue.Put(2);
  std::stop_source stop_put;
  typename TestFixture::Putter stopped_put(
      queue, 3, {absl::Hours(1), stop_put.get_token()});
  clock.AwaitSleepers(1);
  typename TestFixture::Putter other_put(queue, 4, absl::Hours(1));
  clock.AwaitSleepers(2);
  stop_put.request_stop();
  EXPECT_FALSE(stopped_put.Result());
  EXPECT_EQ(queue.Get(), 2);
  EXPECT_TRUE(other_put.Result());
  EXPECT_THAT(Rest(queue), ElementsAre(4));
}

TYPED_TEST(BlockingQueueTest, HugeLimitsDoNotEndTheWait) {
  for (const absl::Duration timeout :
       {absl::InfiniteDuration(), absl::Hours(1e300),
        absl::Nanoseconds(INT64_MAX), absl::Nanoseconds(INT64_MAX - 1)}) {
    typename TestFixture::IntQueue queue;
    typename TestFixture::Getter getter(queue, timeout);
    queue.Put(1);
    EXPECT_EQ(getter.Result(), 1) << timeout;
  }
}

// Waking.

TYPED_TEST(BlockingQueueTest, WhoWaitedLongestIsWokenFirst) {
  ManualClock clock;
  typename TestFixture::IntQueue queue(1);
  std::deque<typename TestFixture::Getter> getters;
  for (size_t i = 1; i <= 4; ++i) {
    getters.emplace_back(queue, absl::Hours(1));
    clock.AwaitSleepers(i);
  }
  for (size_t i = 0; i < 4; ++i) {
    queue.Put(static_cast<int>(i));
    EXPECT_EQ(getters[i].Result(), static_cast<int>(i));
  }
  queue.Put(10);
  std::deque<typename TestFixture::Putter> putters;
  for (size_t i = 1; i <= 4; ++i) {
    putters.emplace_back(queue, 10 + static_cast<int>(i), absl::Hours(1));
    clock.AwaitSleepers(i);
  }
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(queue.Get(), 10 + static_cast<int>(i));
    EXPECT_TRUE(putters[i].Result());
  }
}

TYPED_TEST(BlockingQueueTest, PutManyWakesAsManyAsThereAreItems) {
  ManualClock clock;
  typename TestFixture::IntQueue queue;
  std::deque<typename TestFixture::Getter> getters;
  for (size_t i = 1; i <= 5; ++i) {
    getters.emplace_back(queue, absl::Hours(1));
    clock.AwaitSleepers(i);
  }
  queue.PutMany(std::vector<int>{1, 2, 3});
  std::vector<int> got;
  for (size_t i = 0; i < 3; ++i) got.push_back(*getters[i].Result());
  EXPECT_THAT(got, UnorderedElementsAre(1, 2, 3));
  clock.AwaitSleepers(2);
  queue.PutMany(std::vector<int>{4, 5});
  EXPECT_TRUE(getters[3].Result().has_value());
  EXPECT_TRUE(getters[4].Result().has_value());
}

TYPED_TEST(BlockingQueueTest, PutManyOfOneItemWakesAGetter) {
  ManualClock clock;
  typename TestFixture::IntQueue queue;
  typename TestFixture::Getter getter(queue, absl::Hours(1));
  clock.AwaitSleepers(1);
  queue.PutMany(std::vector<int>{7});
  EXPECT_EQ(getter.Result(), 7);
}

TYPED_TEST(BlockingQueueTest, GetManyLetsAsManyPutAsThereIsRoom) {
  ManualClock clock;
  typename TestFixture::IntQueue queue(3);
  queue.PutMany(std::vector<int>{1, 2, 3});
  std::deque<typename TestFixture::Putter> putters;
  for (size_t i = 1; i <= 3; ++i) {
    putters.emplace_back(queue, 3 + static_cast<int>(i), absl::Hours(1));
    clock.AwaitSleepers(i);
  }
  EXPECT_EQ(Rest(queue).size(), 3u);
  for (typename TestFixture::Putter& putter : putters) {
    EXPECT_TRUE(putter.Result());
  }
  EXPECT_THAT(Rest(queue), UnorderedElementsAre(4, 5, 6));
}

// Many at once.

TYPED_TEST(BlockingQueueTest, PutManyStopsWhereThereIsNoRoomWithinTheLimit) {
  typename TypeParam::template Of<std::unique_ptr<int>> queue(2);
  std::vector<std::unique_ptr<int>> items;
  for (int i = 0; i < 5; ++i) items.push_back(std::make_unique<int>(i));
  EXPECT_EQ(queue.PutMany(std::move(items), kNoWait), 2u);
  // NOLINTBEGIN(bugprone-use-after-move): the rest is still ours
  EXPECT_EQ(items[0], nullptr);
  EXPECT_EQ(items[1], nullptr);
  EXPECT_NE(items[2], nullptr);
  // NOLINTEND(bugprone-use-after-move)
}

TYPED_TEST(BlockingQueueTest, PutManyWaitsForRoomAgainAndAgain) {
  typename TestFixture::IntQueue queue(2);
  std::vector<int> all(1000);
  std::iota(all.begin(), all.end(), 0);
  size_t count = 0;
  Thread producer([&] {
    count = queue.PutMany(all);
    queue.Shutdown();
  });
  producer.Start();
  std::vector<int> got;
  while (queue.GetMany(std::back_inserter(got), 10) != 0) {
  }
  producer.Join();
  EXPECT_EQ(count, all.size());
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, all);
}

TYPED_TEST(BlockingQueueTest, PutManyCopiesFromWhatIsNotGivenAway) {
  typename TypeParam::template Of<std::string> queue;
  const std::string word = "a string that is too long to be stored in place";
  std::vector<std::string> lvalue = {word};
  queue.PutMany(lvalue);
  queue.PutMany(std::span(lvalue));
  queue.PutMany(std::span(lvalue).first(1));
  EXPECT_EQ(lvalue[0], word);
  queue.PutMany(std::list<std::string>{word});
  EXPECT_EQ(queue.Size(), 4u);
  EXPECT_EQ(queue.PutMany(std::vector<std::string>()), 0u);
}

TYPED_TEST(BlockingQueueTest, GetManyTakesNoMoreThanAskedForAndWaitsForOne) {
  ManualClock clock;
  typename TestFixture::IntQueue queue;
  std::vector<int> got;
  EXPECT_EQ(queue.GetMany(std::back_inserter(got), 0), 0u);
  EXPECT_EQ(queue.GetMany(std::back_inserter(got), 5, kNoWait), 0u);
  Thread getter([&] {
    static_cast<void>(
        queue.GetMany(std::back_inserter(got), 2, absl::Hours(1)));
  });
  getter.Start();
  clock.AwaitSleepers(1);
  queue.Put(7);
  getter.Join();
  EXPECT_THAT(got, ElementsAre(7));
  queue.PutMany(std::vector<int>{1, 2, 3});
  EXPECT_EQ(queue.GetMany(std::back_inserter(got), 2), 2u);
  EXPECT_EQ(queue.Size(), 1u);
}

// Shutting down.

TYPED_TEST(BlockingQueueTest, AfterShutdownPutsAreRefusedAndTheRestIsGivenOut) {
  typename TestFixture::IntQueue queue;
  queue.PutMany(std::vector<int>{1, 2, 3});
  EXPECT_EQ(queue.Shutdown(), 0u);
  EXPECT_TRUE(queue.is_shutdown());
  EXPECT_FALSE(queue.Put(4));
  EXPECT_FALSE(queue.TryPut(4));
  EXPECT_EQ(queue.PutMany(std::vector<int>{4, 5}), 0u);
  for (const int item : TypeParam::kOrder) EXPECT_EQ(queue.Get(), item);
  EXPECT_EQ(queue.Get(), std::nullopt);
  EXPECT_EQ(queue.TryGet(), std::nullopt);
  EXPECT_EQ(queue.Size(), 0u);
  EXPECT_EQ(queue.unfinished_tasks(), 3u);
}

TYPED_TEST(BlockingQueueTest, PutToAFullQueueThatIsShutDownDoesNotWait) {
  typename TestFixture::IntQueue queue(1);
  queue.Put(1);
  queue.Shutdown();
  EXPECT_FALSE(queue.Put(2));
}

TYPED_TEST(BlockingQueueTest, ShutdownWakesEveryGetterAndEveryPutter) {
  ManualClock clock;
  typename TestFixture::IntQueue empty;
  typename TestFixture::IntQueue full(1);
  full.Put(0);
  std::deque<typename TestFixture::Getter> getters;
  std::deque<typename TestFixture::Putter> putters;
  for (size_t i = 1; i <= 3; ++i) {
    getters.emplace_back(empty, absl::Hours(1));
    putters.emplace_back(full, 1, absl::Hours(1));
  }
  clock.AwaitSleepers(6);
  empty.Shutdown();
  full.Shutdown();
  for (auto& getter : getters) EXPECT_EQ(getter.Result(), std::nullopt);
  for (auto& putter : putters) EXPECT_FALSE(putter.Result());
  EXPECT_EQ(full.Get(), 0);
}

TYPED_TEST(BlockingQueueTest, ImmediateShutdownDestroysAndCountsWhatIsThere) {
  {
    typename TypeParam::template Of<Counted> queue;
    for (int i = 0; i < 1000; ++i) queue.Put(Counted(i));
    EXPECT_EQ(Counted::live, 1000);
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(queue.TryGet().has_value());
    EXPECT_EQ(queue.Shutdown(QueueShutdown::kImmediate), 700u);
    EXPECT_EQ(Counted::live, 0);
    EXPECT_EQ(queue.Get().has_value(), false);
    EXPECT_EQ(queue.unfinished_tasks(), 300u);
  }
  EXPECT_EQ(Counted::live, 0);
}

TYPED_TEST(BlockingQueueTest, ShutdownMayBeMadeImmediateLaterAndNotUndone) {
  typename TestFixture::IntQueue queue(10);
  queue.PutMany(std::vector<int>{1, 2, 3});
  EXPECT_EQ(queue.Shutdown(), 0u);
  EXPECT_EQ(queue.Shutdown(), 0u);
  EXPECT_EQ(queue.Shutdown(QueueShutdown::kImmediate), 3u);
  EXPECT_EQ(queue.Shutdown(QueueShutdown::kImmediate), 0u);
  EXPECT_EQ(queue.Shutdown(), 0u);
  EXPECT_TRUE(queue.is_shutdown());
  EXPECT_EQ(queue.Get(), std::nullopt);
}

TYPED_TEST(BlockingQueueTest, LoopEndsWhenShutDownAndDrained) {
  typename TestFixture::IntQueue queue;
  queue.PutMany(std::vector<int>{1, 2, 3});
  queue.Shutdown();
  std::vector<int> got;
  for (int& item : queue) got.push_back(item);
  EXPECT_THAT(got, ::testing::ElementsAreArray(TypeParam::kOrder));
  for (int& item : queue) ADD_FAILURE() << item;
}

TYPED_TEST(BlockingQueueTest, EachItemGoesToOneOfManyLoops) {
  typename TestFixture::IntQueue queue(7);
  std::vector<int> got[3];
  std::deque<Thread> threads;
  for (std::vector<int>& mine : got) {
    threads.emplace_back([&queue, &mine] {
      for (int& item : queue) mine.push_back(item);
    });
    threads.back().Start();
  }
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(queue.Put(i));
  queue.Shutdown();
  std::vector<int> all;
  for (size_t i = 0; i < 3; ++i) {
    threads[i].Join();
    all.insert(all.end(), got[i].begin(), got[i].end());
  }
  std::sort(all.begin(), all.end());
  std::vector<int> expected(3000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

// Unfinished tasks.

TYPED_TEST(BlockingQueueTest, JoinWaitsUntilEveryItemIsDone) {
  ManualClock clock;
  typename TestFixture::IntQueue queue;
  EXPECT_TRUE(queue.Join());  // nothing was ever put
  queue.PutMany(std::vector<int>{1, 2});
  EXPECT_EQ(queue.unfinished_tasks(), 2u);
  EXPECT_FALSE(queue.Join(kNoWait));
  bool joined = false;
  Thread joiner([&] { joined = queue.Join(absl::Hours(1)); });
  joiner.Start();
  clock.AwaitSleepers(1);
  EXPECT_EQ(Rest(queue).size(), 2u);
  queue.TaskDone();
  clock.AwaitSleepers(1);
  EXPECT_FALSE(queue.Join(kNoWait));
  queue.TaskDone();
  joiner.Join();
  EXPECT_TRUE(joined);
  EXPECT_TRUE(queue.Join(kNoWait));
  queue.Put(3);
  EXPECT_FALSE(queue.Join(kNoWait));
}

TYPED_TEST(BlockingQueueTest, EveryJoinerIsWoken) {
  ManualClock clock;
  typename TestFixture::IntQueue queue;
  queue.Put(1);
  bool joined[3] = {};
  std::deque<Thread> joiners;
  for (bool& mine : joined) {
    joiners.emplace_back(
        [&queue, &mine] { mine = queue.Join(absl::Hours(1)); });
    joiners.back().Start();
  }
  clock.AwaitSleepers(3);
  queue.TaskDone();  // whether it was taken does not matter
  for (Thread& joiner : joiners) joiner.Join();
  EXPECT_THAT(joined, ElementsAre(true, true, true));
}

TYPED_TEST(BlockingQueueTest, TaskDoneTooOftenIsALogicErrorAndChangesNothing) {
#ifdef ABSL_HAVE_EXCEPTIONS
  typename TestFixture::IntQueue queue;
  EXPECT_THROW(queue.TaskDone(), std::logic_error);
  queue.Put(1);
  queue.TaskDone();
  EXPECT_THROW(queue.TaskDone(), std::logic_error);
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
  queue.Put(2);
  EXPECT_EQ(queue.unfinished_tasks(), 1u);
#endif
}

TYPED_TEST(BlockingQueueTest, ImmediateShutdownLeavesToJoinWhatWasTaken) {
  ManualClock clock;
  typename TestFixture::IntQueue queue;
  queue.PutMany(std::vector<int>{1, 2, 3});
  EXPECT_TRUE(queue.Get().has_value());
  EXPECT_EQ(queue.Shutdown(QueueShutdown::kImmediate), 2u);
  EXPECT_EQ(queue.unfinished_tasks(), 1u);
  EXPECT_FALSE(queue.Join(kNoWait));
  queue.TaskDone();
  EXPECT_TRUE(queue.Join(kNoWait));

  typename TestFixture::IntQueue untouched;
  untouched.Put(1);
  bool joined = false;
  Thread joiner([&] { joined = untouched.Join(absl::Hours(1)); });
  joiner.Start();
  clock.AwaitSleepers(1);
  untouched.Shutdown(QueueShutdown::kImmediate);
  joiner.Join();
  EXPECT_TRUE(joined);
}

TYPED_TEST(BlockingQueueTest, ImmediateShutdownDoesNotCountBelowZero) {
  typename TestFixture::IntQueue queue;
  queue.PutMany(std::vector<int>{1, 2, 3});
  for (int i = 0; i < 3; ++i) queue.TaskDone();
  EXPECT_EQ(queue.Shutdown(QueueShutdown::kImmediate), 3u);
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
  EXPECT_TRUE(queue.Join(kNoWait));
}

// Items and their destruction.

TYPED_TEST(BlockingQueueTest, EveryItemIsDestroyedExactlyOnce) {
  for (const int maxsize : {0, 5000}) {
    {
      typename TypeParam::template Of<Counted> queue(maxsize);
      for (int i = 0; i < 5000; ++i) queue.Put(Counted(i));
      EXPECT_EQ(Counted::live, 5000);
      for (int i = 0; i < 2000; ++i) EXPECT_TRUE(queue.Get().has_value());
      EXPECT_EQ(Counted::live, 3000);
    }
    EXPECT_EQ(Counted::live, 0);
  }
}

// An item that uses its queue while it is destroyed.
template <typename Kind>
struct Asking {
  explicit Asking(typename Kind::template Of<Asking>& q) : queue(&q) {}
  Asking(Asking&& other) noexcept
      : queue(std::exchange(other.queue, nullptr)) {}
  Asking& operator=(Asking&& other) noexcept {
    std::swap(queue, other.queue);
    return *this;
  }
  ~Asking() {
    if (queue == nullptr) return;
    EXPECT_EQ(queue->PutMany(std::vector<Asking>()), 0u);
    EXPECT_FALSE(queue->TryGet().has_value());
  }
  bool operator<(const Asking&) const { return false; }
  typename Kind::template Of<Asking>* queue;
};

TYPED_TEST(BlockingQueueTest, ItemsThatAreDroppedAreDestroyedUnderNoLock) {
  for (const int maxsize : {0, 3}) {
    typename TypeParam::template Of<Asking<TypeParam>> queue(maxsize);
    for (int i = 0; i < 3; ++i) queue.Put(Asking<TypeParam>(queue));
    // Those destroyed ask the queue, which hangs if they are under its lock.
    EXPECT_EQ(queue.Shutdown(QueueShutdown::kImmediate), 3u);
  }
}

// Threads against each other.

TYPED_TEST(BlockingQueueTest, NothingIsLostOrDoubledBetweenManyThreads) {
  for (const int maxsize : {0, 1, 10}) {
    typename TestFixture::IntQueue queue(maxsize);
    constexpr int kEach = 3000;
    std::vector<int64_t> sums(3);
    std::deque<Thread> threads;
    for (int64_t& sum : sums) {
      threads.emplace_back([&queue, &sum] {
        for (int& item : queue) {
          sum += item;
          queue.TaskDone();
        }
      });
    }
    for (int p = 0; p < 3; ++p) {
      threads.emplace_back([&queue] {
        for (int i = 1; i <= kEach; ++i) queue.Put(i);
      });
    }
    for (Thread& thread : threads) thread.Start();
    for (size_t i = 3; i < 6; ++i) threads[i].Join();
    EXPECT_TRUE(queue.Join());
    queue.Shutdown();
    for (size_t i = 0; i < 3; ++i) threads[i].Join();
    EXPECT_EQ(sums[0] + sums[1] + sums[2], 3ll * kEach * (kEach + 1) / 2);
  }
}

TYPED_TEST(BlockingQueueTest, PutAgainstShutdownIsAcceptedOrRefused) {
  std::unique_ptr<typename TestFixture::IntQueue> queue;
  std::optional<bool> put;
  std::optional<int> got;
  for (int i = 0; i < 200; ++i) {
    queue = std::make_unique<typename TestFixture::IntQueue>(1);
    RunConcurrently(
        1, [&] { put = queue->Put(1); }, [&] { queue->Shutdown(); },
        [&] { got = queue->Get(); });
    const std::optional<int> left = queue->TryGet();
    EXPECT_EQ(*put, got.has_value() || left.has_value());
    EXPECT_FALSE(got.has_value() && left.has_value());
  }
}

TYPED_TEST(BlockingQueueTest, LimitAgainstPutLosesNothing) {
  typename TestFixture::IntQueue queue;
  constexpr int kRounds = 500;
  int got = 0;
  RunConcurrently(
      kRounds,
      [&] { got += queue.Get(absl::Microseconds(20)).has_value() ? 1 : 0; },
      [&] { queue.Put(1); });
  EXPECT_EQ(got + static_cast<int>(Rest(queue).size()), kRounds);
}

#ifdef ABSL_HAVE_EXCEPTIONS
using queue_internal::Throwing;

TYPED_TEST(BlockingQueueTest, PutWhoseMoveThrowsHasChangedNothing) {
  for (const int maxsize : {0, 4}) {
    {
      typename TypeParam::template Of<Throwing> queue(maxsize);
      queue.Put(Throwing(1));
      Throwing::moves_left = 0;
      EXPECT_THROW(queue.Put(Throwing(9)), std::runtime_error);
      EXPECT_EQ(queue.Size(), 1u);
      EXPECT_EQ(queue.unfinished_tasks(), 1u);
      queue.Put(Throwing(2));
      queue.Put(Throwing(3));
      for (const int item : TypeParam::kOrder) {
        EXPECT_EQ(queue.Get()->value, item);
      }
      EXPECT_TRUE(queue.Empty());
    }
    EXPECT_EQ(Throwing::live, 0);
  }
}

TYPED_TEST(BlockingQueueTest, GetWhoseMoveThrowsLeavesTheItemInTheQueue) {
  for (const int maxsize : {0, 4}) {
    {
      typename TypeParam::template Of<Throwing> queue(maxsize);
      for (const int item : {1, 2, 3}) queue.Put(Throwing(item));
      Throwing::moves_left = 0;
      EXPECT_THROW(static_cast<void>(queue.Get()), std::runtime_error);
      EXPECT_EQ(queue.Size(), 3u);
      for (const int item : TypeParam::kOrder) {
        EXPECT_EQ(queue.TryGet()->value, item);
      }
    }
    EXPECT_EQ(Throwing::live, 0);
  }
}

// The wake-up that was spent on a getter whose move then throws is passed on.
TYPED_TEST(BlockingQueueTest, GetterWhoseMoveThrowsLetsTheNextOneHaveTheItem) {
  using ThrowingQueue = typename TypeParam::template Of<Throwing>;
  ManualClock clock;
  ThrowingQueue queue;
  bool threw = false;
  Thread first([&] {
    try {
      static_cast<void>(queue.Get(absl::Hours(1)));
    } catch (const std::runtime_error&) {
      threw = true;
    }
  });
  first.Start();
  clock.AwaitSleepers(1);
  GettingThread<ThrowingQueue, Throwing> second(queue, absl::Hours(1));
  clock.AwaitSleepers(2);
  Throwing item(5);
  // One move into the queue; the next, out of it, throws. (A boxed item is moved
  // into its box.)
  Throwing::moves_left = 1;
  queue.Put(std::move(item));
  first.Join();
  EXPECT_TRUE(threw);
  EXPECT_EQ(second.Result()->value, 5);
}

TYPED_TEST(BlockingQueueTest, PutManyThatThrowsHasPutWhatCameBefore) {
  typename TestFixture::IntQueue queue;
  struct NotFour {
    int value;
    operator int() const {  // NOLINT(google-explicit-constructor)
      if (value == 4) throw std::runtime_error("no four");
      return value;
    }
  };
  const std::vector<NotFour> numbers = {{1}, {2}, {3}, {4}, {5}};
  EXPECT_THROW(queue.PutMany(numbers), std::runtime_error);
  EXPECT_THAT(Rest(queue), ::testing::ElementsAreArray(TypeParam::kOrder));
}

TYPED_TEST(BlockingQueueTest, GetManyThatThrowsLeavesTheRestInTheQueue) {
  typename TestFixture::IntQueue queue(4);
  queue.PutMany(std::vector<int>{1, 2, 3});
  struct Output {
    int* left;
    std::vector<int>* items;
    Output& operator*() { return *this; }
    Output& operator++(int) { return *this; }
    Output& operator=(int item) {
      if ((*left)-- == 0) throw std::runtime_error("no more");
      items->push_back(item);
      return *this;
    }
  };
  int left = 2;
  std::vector<int> got;
  EXPECT_THROW(static_cast<void>(queue.GetMany(Output{&left, &got}, 10)),
               std::runtime_error);
  EXPECT_EQ(queue.Size(), 1u);
  got.push_back(*queue.TryGet());
  EXPECT_THAT(got, ::testing::ElementsAreArray(TypeParam::kOrder));
}
#endif  // ABSL_HAVE_EXCEPTIONS

}  // namespace
}  // namespace heddle
