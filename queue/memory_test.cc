// What the queues allocate, and what they do when that fails.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/thread/internal/failing_new.h"

namespace heddle {
namespace {

using internal::AllocationsOfThisThread;
using internal::LiveBytesOfThisThread;

// As large an item as a queue is likely to see, so that a segment has the fewest.
struct Large {
  explicit Large(int v) : value(v) {}
  bool operator<(const Large& other) const { return value < other.value; }
  int value;
  char bytes[500] = {};
};

// One that has to be destroyed.
struct Destroyed {
  explicit Destroyed(int v) : value(v) {}
  Destroyed(Destroyed&& other) noexcept
      : value(std::exchange(other.value, 0)) {}
  Destroyed& operator=(Destroyed&& other) noexcept {
    value = std::exchange(other.value, 0);
    return *this;
  }
  ~Destroyed() { value = -1; }
  bool operator<(const Destroyed& other) const { return value < other.value; }
  int value;
};

template <typename Queue>
class MemoryTest : public ::testing::Test {};

using Queues =
    ::testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>,
                     SimpleQueue<int>, Queue<Large>, LifoQueue<Large>,
                     PriorityQueue<Large>, SimpleQueue<Large>, Queue<Destroyed>,
                     LifoQueue<Destroyed>, PriorityQueue<Destroyed>,
                     SimpleQueue<Destroyed>>;
TYPED_TEST_SUITE(MemoryTest, Queues);

template <typename Queue>
void PutItem(Queue& queue, int value) {
  using Item = typename decltype(queue.TryGet())::value_type;
  queue.Put(static_cast<Item>(value));
}

TYPED_TEST(MemoryTest, AnAllocationServes32ItemsOnAverage) {
  TypeParam queue;
  constexpr int kItems = 20'000;
  const int64_t before = AllocationsOfThisThread();
  for (int i = 0; i < kItems; ++i) PutItem(queue, kItems - i);
  EXPECT_LE(AllocationsOfThisThread() - before, kItems / 32);
  for (int i = 0; i < kItems; ++i) ASSERT_TRUE(queue.TryGet().has_value());
  EXPECT_LE(AllocationsOfThisThread() - before, kItems / 32);
}

TYPED_TEST(MemoryTest, NothingIsAllocatedInASteadyState) {
  TypeParam queue;
  for (int i = 0; i < 100; ++i) PutItem(queue, i);
  const auto turn_over = [&queue] {
    for (int i = 0; i < 10'000; ++i) {
      PutItem(queue, i);
      ASSERT_TRUE(queue.TryGet().has_value());
    }
  };
  turn_over();
  const int64_t before = AllocationsOfThisThread();
  turn_over();
  EXPECT_EQ(AllocationsOfThisThread(), before);
}

TYPED_TEST(MemoryTest, MemoryGoesBackAfterABurst) {
  TypeParam queue;
  const int64_t before = LiveBytesOfThisThread();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 50'000; ++i) PutItem(queue, i);
    ASSERT_GT(LiveBytesOfThisThread() - before, 200'000);
    while (queue.TryGet().has_value()) {
    }
    // Two pages, or as many items as a segment has at least.
    EXPECT_LE(LiveBytesOfThisThread() - before, 70'000);
  }
}

template <typename Queue>
void FillAndDrainWithoutAllocation() {
  Queue queue(1000);
  const int64_t before = AllocationsOfThisThread();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000; ++i) PutItem(queue, i);
    ASSERT_TRUE(queue.Full());
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(queue.TryGet().has_value());
  }
  queue.Shutdown();
  EXPECT_EQ(AllocationsOfThisThread(), before);
}

TEST(MemoryTest, QueuesWithABoundAllocateOnlyWhenTheyAreMade) {
  FillAndDrainWithoutAllocation<Queue<int>>();
  FillAndDrainWithoutAllocation<LifoQueue<int>>();
  FillAndDrainWithoutAllocation<PriorityQueue<int>>();
  FillAndDrainWithoutAllocation<Queue<Large>>();
  FillAndDrainWithoutAllocation<LifoQueue<Large>>();
  FillAndDrainWithoutAllocation<PriorityQueue<Large>>();
}

#ifdef ABSL_HAVE_EXCEPTIONS
TYPED_TEST(MemoryTest, PutWithoutMemoryHasChangedNothing) {
  TypeParam queue;
  int size = 0;
  int failures = 0;
  while (failures < 5) {
    bool failed = false;
    const bool put =
        internal::WithoutMemoryAfter(0, failed, [&] { PutItem(queue, size); });
    EXPECT_EQ(put, !failed);
    if (failed) {
      ++failures;
      ASSERT_EQ(queue.Size(), static_cast<size_t>(size));
      PutItem(queue, size);
    }
    ++size;
  }
  EXPECT_EQ(queue.Size(), static_cast<size_t>(size));
  int64_t sum = 0;
  while (auto item = queue.TryGet()) {
    if constexpr (std::is_same_v<decltype(queue.TryGet()),
                                 std::optional<int>>) {
      sum += *item;
    } else {
      sum += item->value;
    }
  }
  EXPECT_EQ(sum, int64_t{size} * (size - 1) / 2);
}
#endif

}  // namespace
}  // namespace heddle
