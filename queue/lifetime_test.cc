// A queue may be destroyed by a thread that has seen what the last calls did,
// while those may not have returned. For AddressSanitizer and ThreadSanitizer
// above all.

#include <atomic>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/select.h"
#include "heddle/queue/simple_queue.h"
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

}  // namespace
}  // namespace heddle
