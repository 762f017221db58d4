// A queue may be destroyed by a thread that has seen what the last calls did,
// while those may not have returned. For AddressSanitizer and ThreadSanitizer
// above all.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/select.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/run_concurrently.h"

namespace heddle {
namespace {

using internal::RunConcurrently;

constexpr int kIterations = 500;

// In each iteration `other` uses a queue made by `make`, against `owner`, which
// destroys it when it returns.
template <typename Make, typename Owner, typename Other>
void RunToItsEnd(Make make, Owner owner, Other other) {
  using Queue = typename decltype(make())::element_type;
  std::atomic<Queue*> current{nullptr};
  std::atomic<bool> taken{false};
  int round = 0;
  RunConcurrently(
      kIterations,
      [&] {
        auto queue = make();
        taken = false;
        current = queue.get();
        // Early and late.
        if (++round % 2 == 0) {
          while (!taken) std::this_thread::yield();
        }
        owner(*queue);
        while (!taken) std::this_thread::yield();
        current = nullptr;
      },
      [&] {
        Queue* queue = nullptr;
        while ((queue = current.exchange(nullptr)) == nullptr) {
          std::this_thread::yield();
        }
        taken = true;
        other(*queue);
      });
}

template <typename Queue>
class LifetimeTest : public testing::Test {};

using Queues = testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>,
                              SimpleQueue<int>>;
TYPED_TEST_SUITE(LifetimeTest, Queues);

TYPED_TEST(LifetimeTest, WhoGotTheLastItemMayDestroyIt) {
  RunToItsEnd([] { return std::make_unique<TypeParam>(); },
              [](TypeParam& queue) { EXPECT_EQ(queue.Get(), 1); },
              [](TypeParam& queue) { queue.Put(1); });
}

TYPED_TEST(LifetimeTest, WhoGotTheLastOfManyMayDestroyIt) {
  RunToItsEnd([] { return std::make_unique<TypeParam>(); },
              [](TypeParam& queue) {
                std::vector<int> got;
                while (got.size() != 3)
                  static_cast<void>(queue.GetMany(std::back_inserter(got), 3));
              },
              [](TypeParam& queue) {
                queue.PutMany(std::vector<int>{1, 2, 3});
              });
}

TYPED_TEST(LifetimeTest, WhoSelectedTheLastItemMayDestroyIt) {
  RunToItsEnd([] { return std::make_unique<TypeParam>(); },
              [](TypeParam& queue) {
                Queue<int> another;
                EXPECT_EQ(SelectGet(another, queue)->index(), 1u);
              },
              [](TypeParam& queue) { queue.Put(1); });
}

template <typename Queue>
class LifetimeWithABoundTest : public testing::Test {};

using QueuesWithABound =
    testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>>;
TYPED_TEST_SUITE(LifetimeWithABoundTest, QueuesWithABound);

TYPED_TEST(LifetimeWithABoundTest, WhoGotTheLastOfWhatWaitedMayDestroyIt) {
  RunToItsEnd([] { return std::make_unique<TypeParam>(1); },
              [](TypeParam& queue) {
                for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.Get(), i);
              },
              [](TypeParam& queue) {
                for (int i = 0; i < 3; ++i) queue.Put(i);
              });
}

TYPED_TEST(LifetimeWithABoundTest, WhoPutInPlaceOfTheLastThatWasGotMay) {
  RunToItsEnd([] { return std::make_unique<TypeParam>(1); },
              [](TypeParam& queue) {
                for (int i = 0; i < 3; ++i) queue.Put(i);
              },
              [](TypeParam& queue) {
                for (int i = 0; i < 2; ++i) EXPECT_EQ(queue.Get(), i);
              });
}

TYPED_TEST(LifetimeWithABoundTest, WhoWasToldOfTheEndMayDestroyIt) {
  RunToItsEnd([] { return std::make_unique<TypeParam>(); },
              [](TypeParam& queue) { EXPECT_FALSE(queue.Get().has_value()); },
              [](TypeParam& queue) { queue.Shutdown(); });
}

TYPED_TEST(LifetimeWithABoundTest, WhoJoinedMayDestroyIt) {
  RunToItsEnd(
      [] {
        auto queue = std::make_unique<TypeParam>();
        queue->Put(1);
        return queue;
      },
      [](TypeParam& queue) { EXPECT_TRUE(queue.Join()); },
      [](TypeParam& queue) {
        EXPECT_EQ(queue.Get(), 1);
        queue.TaskDone();
      });
}

// What is destroyed of one of these waits until its queue is gone.
class Lingering {
 public:
  enum Part { kNothing, kLeftOver, kWhole };
  struct Ends {
    std::atomic<bool> armed{false};  // once it is in the queue
    Event begun;
    Event queue_gone;
  };

  explicit Lingering(Ends& ends, Part part = kNothing)
      : ends_(&ends), part_(part) {}
  Lingering(Lingering&& other) noexcept
      : ends_(other.ends_),
        part_(other.part_),
        is_whole_(std::exchange(other.is_whole_, false)) {}
  Lingering& operator=(Lingering&& other) noexcept {
    part_ = other.part_;
    is_whole_ = std::exchange(other.is_whole_, false);
    return *this;
  }
  ~Lingering() {
    if (!ends_->armed || part_ != (is_whole_ ? kWhole : kLeftOver)) return;
    ends_->begun.Set();
    ends_->queue_gone.Wait();
  }
  bool operator<(const Lingering& other) const { return part_ > other.part_; }

 private:
  Ends* ends_;
  Part part_;
  bool is_whole_ = true;
};

// One gets the first of many, and before what is left of it has ended, the last
// is got, and the queue destroyed.
template <typename Queue>
void DestroyBeforeTheLeftOverEnds(size_t others) {
  Lingering::Ends ends;
  auto queue = std::make_unique<Queue>();
  queue->Put(Lingering(ends, Lingering::kLeftOver));
  for (size_t i = 0; i < others; ++i) queue->Put(Lingering(ends));
  ends.armed = true;
  std::thread other(
      [&queue = *queue] { EXPECT_TRUE(queue.Get().has_value()); });
  ends.begun.Wait();
  for (size_t i = 0; i < others; ++i) EXPECT_TRUE(queue->Get().has_value());
  queue.reset();
  ends.queue_gone.Set();
  other.join();
}

TEST(LifetimeOfRemainsTest, WhatIsLeftOfAnItemTouchesNoQueue) {
  DestroyBeforeTheLeftOverEnds<Queue<Lingering>>(1);
  DestroyBeforeTheLeftOverEnds<Queue<Lingering>>(1000);
  DestroyBeforeTheLeftOverEnds<SimpleQueue<Lingering>>(1);
  DestroyBeforeTheLeftOverEnds<SimpleQueue<Lingering>>(1000);
}

template <typename Queue>
void DestroyBeforeTheDroppedEnd(size_t maxsize, size_t before, size_t after) {
  Lingering::Ends ends;
  auto queue = std::make_unique<Queue>(static_cast<int64_t>(maxsize));
  // Not at the beginning of a ring.
  for (size_t i = 0; i < before; ++i) {
    queue->Put(Lingering(ends));
    EXPECT_TRUE(queue->Get().has_value());
    queue->TaskDone();
  }
  queue->Put(Lingering(ends, Lingering::kWhole));
  for (size_t i = 0; i < after; ++i) queue->Put(Lingering(ends));
  ends.armed = true;
  std::thread other([&queue = *queue, after] {
    EXPECT_EQ(queue.Shutdown(QueueShutdown::kImmediate), after + 1);
  });
  ends.begun.Wait();
  EXPECT_FALSE(queue->Get().has_value());
  EXPECT_TRUE(queue->Join());
  queue.reset();
  ends.queue_gone.Set();
  other.join();
}

template <typename Queue>
void DestroyBeforeTheDroppedEnd() {
  DestroyBeforeTheDroppedEnd<Queue>(/*maxsize=*/0, 0, 1);
  DestroyBeforeTheDroppedEnd<Queue>(/*maxsize=*/0, 30, 1000);
  DestroyBeforeTheDroppedEnd<Queue>(/*maxsize=*/1, 0, 0);
  DestroyBeforeTheDroppedEnd<Queue>(/*maxsize=*/3, 2, 2);
}

TEST(LifetimeOfRemainsTest, WhatAShutdownDropsTouchesNoQueue) {
  DestroyBeforeTheDroppedEnd<Queue<Lingering>>();
  DestroyBeforeTheDroppedEnd<LifoQueue<Lingering>>();
  DestroyBeforeTheDroppedEnd<PriorityQueue<Lingering>>();
}

}  // namespace
}  // namespace heddle
