// A hundred million items through each queue, with their sum and, where there is
// one, their order. Not part of `//...`:
//
//   tools/bazel test -c opt //queue:large_test

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/thread/internal/failing_new.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

constexpr int64_t kItems = 100'000'000;
constexpr int64_t kProducers = 2;
constexpr int64_t kConsumers = 2;
constexpr int64_t kEach = kItems / kProducers;

// An item says who put it, in its lowest bit, and as its how-many-eth.
int64_t Item(int64_t producer, int64_t number) {
  return number * kProducers + producer;
}

// Each consumer takes its share. `is_fifo`: what one producer put comes to each
// consumer in the order in which it went in.
template <typename Queue>
void PassAll(Queue& queue, bool is_fifo) {
  std::vector<int64_t> sums(kConsumers);
  std::atomic<int64_t> disorders{0};
  std::deque<Thread> threads;
  for (int64_t& sum : sums) {
    threads.emplace_back([&queue, &sum, &disorders, is_fifo] {
      int64_t last[kProducers] = {-1, -1};
      int64_t mine = 0;
      for (int64_t i = 0; i < kItems / kConsumers; ++i) {
        const std::optional<int64_t> item = queue.Get();
        if (!item.has_value()) break;
        mine += *item;
        int64_t& previous = last[*item % kProducers];
        if (is_fifo && *item <= previous) ++disorders;
        previous = *item;
      }
      sum = mine;
    });
  }
  for (int64_t producer = 0; producer < kProducers; ++producer) {
    threads.emplace_back([&queue, producer] {
      for (int64_t i = 0; i < kEach; ++i) queue.Put(Item(producer, i));
    });
  }
  for (Thread& thread : threads) thread.Start();
  for (Thread& thread : threads) thread.Join();
  EXPECT_TRUE(queue.Empty());
  EXPECT_EQ(disorders, 0);
  EXPECT_EQ(sums[0] + sums[1], kItems * (kItems - 1) / 2);
}

// Ten million items lie in a queue and are taken again: the memory goes back.
template <typename Queue>
void FillAndDrain(Queue& queue) {
  constexpr int64_t kBurst = 10'000'000;
  const int64_t before = internal::LiveBytesOfThisThread();
  for (int64_t i = 0; i < kBurst; ++i) queue.Put(i);
  EXPECT_GE(internal::LiveBytesOfThisThread() - before, 8 * kBurst);
  while (queue.TryGet().has_value()) {
  }
  EXPECT_LE(internal::LiveBytesOfThisThread() - before, 3 * 4096);
}

TEST(LargeTest, MemoryGoesBackAfterABurst) {
  Queue<int64_t> queue;
  FillAndDrain(queue);
  SimpleQueue<int64_t> simple;
  FillAndDrain(simple);
  LifoQueue<int64_t> lifo;
  FillAndDrain(lifo);
  PriorityQueue<int64_t> priority;
  FillAndDrain(priority);
}

TEST(LargeTest, Queue) {
  Queue<int64_t> queue;
  PassAll(queue, /*is_fifo=*/true);
}
TEST(LargeTest, QueueWithABound) {
  Queue<int64_t> queue(1024);
  PassAll(queue, /*is_fifo=*/true);
}
TEST(LargeTest, SimpleQueue) {
  SimpleQueue<int64_t> queue;
  PassAll(queue, /*is_fifo=*/true);
}
TEST(LargeTest, LifoQueue) {
  LifoQueue<int64_t> queue(1024);
  PassAll(queue, /*is_fifo=*/false);
}
TEST(LargeTest, PriorityQueue) {
  PriorityQueue<int64_t> queue(1024);
  PassAll(queue, /*is_fifo=*/false);
}

}  // namespace
}  // namespace heddle
