#include "heddle/queue/select.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/queue/internal/testing.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;

constexpr absl::Duration kNoWait = absl::ZeroDuration();

TEST(SelectTest, TakesFromTheOneThatHasSomething) {
  Queue<int> fifo;
  LifoQueue<std::string> lifo;
  PriorityQueue<double> priority;
  SimpleQueue<std::unique_ptr<int>> simple;
  Event event;
  const auto select = [&] {
    return SelectGet(fifo, lifo, priority, simple, event, kNoWait);
  };
  using Result = decltype(select());
  static_assert(std::is_same_v<
                Result,
                std::optional<std::variant<int, std::string, double,
                                           std::unique_ptr<int>, EventIsSet>>>);
  EXPECT_FALSE(select().has_value());
  fifo.Put(1);
  EXPECT_EQ(std::get<0>(*select()), 1);
  lifo.Put("two");
  EXPECT_EQ(std::get<1>(*select()), "two");
  priority.Put(3.0);
  EXPECT_EQ(std::get<2>(*select()), 3.0);
  simple.Put(std::make_unique<int>(4));
  EXPECT_EQ(*std::get<3>(*select()), 4);
  event.Set();
  EXPECT_EQ(select()->index(), 4u);
  EXPECT_TRUE(event.IsSet());
  EXPECT_TRUE(fifo.Empty() && lifo.Empty() && priority.Empty() &&
              simple.Empty());
}

TEST(SelectTest, OneSourceIsEnoughAndTheLimitMayBeLeftOut) {
  Queue<int> queue;
  queue.Put(1);
  EXPECT_EQ(std::get<0>(*SelectGet(queue)), 1);
  Event event;
  event.Set();
  EXPECT_EQ(SelectGet(queue, event)->index(), 1u);
}

TEST(SelectTest, SeveralOfOneTypeAreToldApartByIndex) {
  Queue<int> first;
  Queue<int> second;
  second.Put(7);
  const auto got = SelectGet(first, second);
  ASSERT_EQ(got->index(), 1u);
  EXPECT_EQ(std::get<1>(*got), 7);
}

TEST(SelectTest, NoneStarvesOfThoseThatAreReady) {
  Queue<int> queues[3];
  size_t counts[3] = {};
  for (Queue<int>& queue : queues) {
    for (int i = 0; i < 3000; ++i) queue.Put(i);
  }
  for (int i = 0; i < 3000; ++i) {
    ++counts[SelectGet(queues[0], queues[1], queues[2])->index()];
  }
  for (const size_t count : counts) EXPECT_GT(count, 700u);
}

template <size_t... i>
size_t IndexTaken(Queue<int> (&queues)[sizeof...(i)],
                  std::index_sequence<i...>) {
  return SelectGet(queues[i]...)->index();
}

TEST(SelectTest, TakesEachOfThoseThatAreReadyAsOften) {
  constexpr int kRounds = 4000;
  const std::vector<std::vector<size_t>> some = {
      {6, 7}, {0, 15}, {3, 4, 5}, {0, 1, 2, 3, 4, 5, 6, 7}};
  for (const std::vector<size_t>& ready : some) {
    Queue<int> queues[16];
    for (const size_t i : ready) {
      queues[i].PutMany(std::vector<int>(kRounds, 1));
    }
    std::vector<int> counts(16);
    for (int i = 0; i < kRounds; ++i) {
      ++counts[IndexTaken(queues, std::make_index_sequence<16>())];
    }
    // A third is seven standard deviations, where eight are ready.
    const int fair = kRounds / static_cast<int>(ready.size());
    for (const size_t i : ready) EXPECT_NEAR(counts[i], fair, fair / 3) << i;
  }
}

TEST(SelectTest, ThreadsChooseIndependently) {
  const auto choices = [] {
    Queue<int> first;
    Queue<int> second;
    first.PutMany(std::vector<int>(64, 1));
    second.PutMany(std::vector<int>(64, 1));
    std::vector<size_t> taken;
    for (int i = 0; i < 64; ++i) {
      taken.push_back(SelectGet(first, second)->index());
    }
    return taken;
  };
  std::vector<size_t> taken[2];
  for (std::vector<size_t>& indices : taken) {
    Thread thread([&] { indices = choices(); });
    thread.Start();
    thread.Join();
  }
  EXPECT_NE(taken[0], taken[1]);
}

// Waiting.

TEST(SelectTest, WaitsForTheFirstThatComes) {
  for (size_t which = 0; which < 3; ++which) {
    ManualClock clock;
    Queue<int> first;
    SimpleQueue<int> second;
    Event third;
    size_t index = 9;
    Thread selecting([&] {
      const auto got = SelectGet(first, second, third, absl::Hours(1));
      index = got.has_value() ? got->index() : 8;
    });
    selecting.Start();
    clock.AwaitSleepers(1);
    if (which == 0) first.Put(1);
    if (which == 1) second.Put(1);
    if (which == 2) third.Set();
    selecting.Join();
    EXPECT_EQ(index, which);
    EXPECT_TRUE(first.Empty() && second.Empty());
  }
}

TEST(SelectTest, EventThatIsSetAndClearedAtOnceIsStillTold) {
  ManualClock clock;
  Queue<int> queue;
  Event event;
  size_t index = 9;
  Thread selecting([&] {
    const auto got = SelectGet(queue, event, absl::Hours(1));
    index = got.has_value() ? got->index() : 8;
  });
  selecting.Start();
  clock.AwaitSleepers(1);
  event.Set();
  event.Clear();
  selecting.Join();
  EXPECT_EQ(index, 1u);
}

TEST(SelectTest, LimitAndStopEndTheWaitAndLeaveNoTrace) {
  ManualClock clock;
  Queue<int> first;
  Queue<int> second;
  std::stop_source stop;
  bool timed_out = false;
  bool stopped = false;
  Thread by_limit([&] {
    timed_out = !SelectGet(first, second, absl::Seconds(1)).has_value();
  });
  by_limit.Start();
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1));
  by_limit.Join();
  EXPECT_TRUE(timed_out);
  Thread by_stop([&] {
    stopped =
        !SelectGet(first, second, WaitLimit(absl::Hours(1), stop.get_token()))
             .has_value();
  });
  by_stop.Start();
  clock.AwaitSleepers(1);
  stop.request_stop();
  by_stop.Join();
  EXPECT_TRUE(stopped);
  // Whoever waits now gets what is put: nobody else stands in the queue.
  queue_internal::GettingThread<Queue<int>> getter(second, absl::Hours(1));
  clock.AwaitSleepers(1);
  second.Put(1);
  EXPECT_EQ(getter.Result(), 1);
}

// A wake-up of the queue that was not taken from goes to the next in line.
TEST(SelectTest, WhatItDoesNotTakeIsLeftToOthers) {
  ManualClock clock;
  Queue<int> first;
  Queue<int> second;
  Thread selecting([&] {
    EXPECT_TRUE(SelectGet(first, second, absl::Hours(1)).has_value());
  });
  selecting.Start();
  clock.AwaitSleepers(1);
  queue_internal::GettingThread<Queue<int>> getter(second, absl::Hours(1));
  clock.AwaitSleepers(2);
  first.Put(1);
  selecting.Join();
  second.Put(2);
  EXPECT_EQ(getter.Result(), 2);
}

// Ending.

TEST(SelectTest, EndsWhenAllQueuesAreShutDownAndDrained) {
  Queue<int> first;
  Queue<int> second;
  first.Put(1);
  second.Put(2);
  first.Shutdown();
  second.Shutdown();
  EXPECT_TRUE(SelectGet(first, second).has_value());
  EXPECT_TRUE(SelectGet(first, second).has_value());
  EXPECT_FALSE(SelectGet(first, second).has_value());
}

TEST(SelectTest, QueueThatIsShutDownIsPassedOverWhileOthersLive) {
  ManualClock clock;
  Queue<int> over;
  Queue<int> live;
  over.Shutdown();
  EXPECT_FALSE(SelectGet(over, live, kNoWait).has_value());
  std::optional<int> got;
  Thread selecting([&] {
    if (auto item = SelectGet(over, live, absl::Hours(1))) {
      got = std::get<1>(*item);
    }
  });
  selecting.Start();
  clock.AwaitSleepers(1);
  live.Put(5);
  selecting.Join();
  EXPECT_EQ(got, 5);
}

TEST(SelectTest, ShutdownWhileItWaitsEndsIt) {
  ManualClock clock;
  Queue<int> first;
  Queue<int> second;
  bool ended = false;
  Thread selecting(
      [&] { ended = !SelectGet(first, second, absl::Hours(1)).has_value(); });
  selecting.Start();
  clock.AwaitSleepers(1);
  first.Shutdown();
  clock.AwaitSleepers(1);
  second.Shutdown();
  selecting.Join();
  EXPECT_TRUE(ended);
}

// Threads against each other.

TEST(SelectTest, NothingIsLostOrDoubled) {
  constexpr int kEach = 3000;
  Queue<int> bounded(3);
  PriorityQueue<int> priority;
  SimpleQueue<int> simple;
  Event done;
  int64_t sums[3] = {};
  std::deque<Thread> threads;
  for (int64_t& sum : sums) {
    threads.emplace_back([&] {
      while (const auto got = SelectGet(bounded, priority, simple, done)) {
        if (got->index() == 3) break;
        std::visit(
            [&sum](const auto& item) {
              if constexpr (std::is_same_v<std::decay_t<decltype(item)>, int>) {
                sum += item;
              }
            },
            *got);
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 1; i <= kEach; ++i) bounded.Put(i);
  });
  threads.emplace_back([&] {
    for (int i = 1; i <= kEach; ++i) priority.Put(i);
  });
  threads.emplace_back([&] {
    for (int i = 1; i <= kEach; ++i) simple.Put(i);
  });
  for (Thread& thread : threads) thread.Start();
  for (size_t i = 3; i < 6; ++i) threads[i].Join();
  // What is left is taken here, against those who still select.
  int64_t rest = 0;
  while (const auto got = SelectGet(bounded, priority, simple, kNoWait)) {
    rest += std::visit([](int item) { return item; }, *got);
  }
  done.Set();
  for (size_t i = 0; i < 3; ++i) threads[i].Join();
  EXPECT_EQ(sums[0] + sums[1] + sums[2] + rest, 3ll * kEach * (kEach + 1) / 2);
}

TEST(SelectTest, PutsToBothAtTheSameMomentServeBothWhoWait) {
  Queue<int> first;
  Queue<int> second;
  RunConcurrently(
      500, [&] { EXPECT_TRUE(SelectGet(first, second).has_value()); },
      [&] { EXPECT_TRUE(SelectGet(second, first).has_value()); },
      [&] { first.Put(1); }, [&] { second.Put(2); });
  EXPECT_TRUE(first.Empty() && second.Empty());
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(SelectTest, MoveThatThrowsLeavesTheItemInItsQueue) {
  using queue_internal::Throwing;
  Queue<int> first;
  Queue<Throwing> second;
  second.Put(Throwing(4));
  Throwing::moves_left = 0;
  EXPECT_THROW(static_cast<void>(SelectGet(first, second)), std::runtime_error);
  EXPECT_EQ(second.Size(), 1u);
  EXPECT_EQ(second.Get()->value, 4);
}
#endif

}  // namespace
}  // namespace heddle
