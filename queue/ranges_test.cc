// PutMany() of ranges that run code of their own: what they may do meanwhile.

#include <array>
#include <cstddef>
#include <iterator>
#include <list>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/sync/event.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

template <typename Queue>
class RangesTest : public testing::Test {};

using Queues = testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>,
                              SimpleQueue<int>>;
TYPED_TEST_SUITE(RangesTest, Queues);

// As long as a test waits for what must come before it says that it does not.
constexpr absl::Duration kLong = absl::Minutes(1);

// The numbers from 1 on: each is made by `next`, which may wait; it says nullopt
// at the end.
template <typename Next>
class Generated : public std::ranges::view_base {
 public:
  explicit Generated(Next next) : next_(next) {}

  class Iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(Generated& range) : range_(&range) { ++*this; }
    int operator*() const { return *item_; }
    Iterator& operator++() {
      item_ = range_->next_();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) {
      return !iterator.item_.has_value();
    }

   private:
    Generated* range_ = nullptr;
    std::optional<int> item_;
  };
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  Next next_;
};

TYPED_TEST(RangesTest, NothingIsHeldWhileTheRangeWaits) {
  TypeParam queue;
  Event waits;
  Event goes_on;
  int made = 0;
  Generated range([&]() -> std::optional<int> {
    if (made == 2) {
      waits.Set();
      goes_on.Wait();
      return std::nullopt;
    }
    return ++made;
  });
  Thread putter([&] { queue.PutMany(range); });
  putter.Start();
  ASSERT_TRUE(waits.Wait(kLong));
  // What was read is there, and every other call goes through.
  Event others_done;
  std::vector<int> got;
  Thread others([&] {
    static_cast<void>(queue.GetMany(std::back_inserter(got), 2));
    queue.Put(3);
    EXPECT_EQ(queue.Size(), 1u);
    EXPECT_EQ(queue.TryGet(), 3);
    others_done.Set();
  });
  others.Start();
  EXPECT_TRUE(others_done.Wait(kLong));
  goes_on.Set();
  putter.Join();
  others.Join();
  EXPECT_EQ(got.size(), 2u);
}

TYPED_TEST(RangesTest, TheRangeMayUseTheQueueItself) {
  TypeParam queue;
  int made = 0;
  Generated range([&]() -> std::optional<int> {
    EXPECT_EQ(queue.Size(), static_cast<size_t>(made));
    if (made == 3) return std::nullopt;
    queue.Put(100);
    EXPECT_TRUE(queue.TryGet().has_value());
    return ++made;
  });
  queue.PutMany(range);
  EXPECT_EQ(queue.Size(), 3u);
}

template <typename AnyQueue>
class PipeTest : public testing::Test {};

using QueuesWithAnEnd =
    testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>>;
TYPED_TEST_SUITE(PipeTest, QueuesWithAnEnd);

TYPED_TEST(PipeTest, AQueueOfItemsGoesIntoAnotherAsTheyCome) {
  TypeParam from;
  TypeParam into(1);
  size_t count = 0;
  Thread pump([&] { count = into.PutMany(from); });
  pump.Start();
  for (int i = 0; i < 10; ++i) {
    from.Put(i);
    EXPECT_EQ(into.Get(kLong), i);
  }
  EXPECT_TRUE(into.Put(100, kLong));
  from.Shutdown();
  pump.Join();
  EXPECT_EQ(count, 10u);
}

TYPED_TEST(PipeTest, ALimitIsForAllItemsTogether) {
  TypeParam queue(2);
  int made = 0;
  Generated range([&]() -> std::optional<int> { return ++made; });
  EXPECT_EQ(queue.PutMany(range, absl::ZeroDuration()), 2u);
  queue.Shutdown();
  EXPECT_EQ(queue.PutMany(range), 0u);
}

#ifdef ABSL_HAVE_EXCEPTIONS
// As the views of <ranges> are, in what counts here: one has a base().
template <typename Base>
struct Over {
  auto begin() { return range->begin(); }
  auto end() { return range->end(); }
  Base& base() const { return *range; }
  Base* range;
};

TYPED_TEST(PipeTest, AQueueIsNotPutIntoItself) {
  TypeParam queue;
  queue.Put(1);
  Over<TypeParam> view{&queue};
  Over<Over<TypeParam>> view_of_view{&view};
  const auto expect_refusal = [&queue](auto& range) {
    try {
      queue.PutMany(range);
      ADD_FAILURE() << "was not refused";
    } catch (const std::logic_error& error) {
      EXPECT_NE(std::string(error.what()).find("the queue they are put into"),
                std::string::npos)
          << error.what();
    }
  };
  expect_refusal(queue);
  expect_refusal(view);
  expect_refusal(view_of_view);
  EXPECT_EQ(queue.Size(), 1u);
  TypeParam another;
  another.Shutdown();
  EXPECT_EQ(queue.PutMany(another), 0u);
}
#endif

// Shows what is somebody else's, and does not say that it is a view.
template <typename Container>
class Window {
 public:
  explicit Window(Container& container) : container_(&container) {}
  auto begin() const { return container_->begin(); }
  auto end() const { return container_->end(); }

 private:
  Container* container_;
};

template <typename Queue>
class OwnedElementsTest : public testing::Test {};

using StringQueues =
    testing::Types<Queue<std::string>, LifoQueue<std::string>,
                   PriorityQueue<std::string>, SimpleQueue<std::string>>;
TYPED_TEST_SUITE(OwnedElementsTest, StringQueues);

TYPED_TEST(OwnedElementsTest, WhatARangeShowsOfAnothersIsCopied) {
  TypeParam queue;
  const std::vector<std::string> before = {"first", "second"};
  std::vector<std::string> mine = before;
  queue.PutMany(absl::MakeSpan(mine));
  EXPECT_EQ(mine, before);
  queue.PutMany(absl::Span<std::string>(mine));
  EXPECT_EQ(mine, before);
  queue.PutMany(std::span<std::string>(mine));
  EXPECT_EQ(mine, before);
  queue.PutMany(Window<std::vector<std::string>>(mine));
  EXPECT_EQ(mine, before);
  std::list<std::string> listed(before.begin(), before.end());
  queue.PutMany(Window<std::list<std::string>>(listed));
  EXPECT_EQ(listed, std::list<std::string>(before.begin(), before.end()));
  queue.PutMany(mine);
  EXPECT_EQ(mine, before);
  EXPECT_EQ(queue.Size(), 12U);
}

TYPED_TEST(OwnedElementsTest, ContainersThatNobodyElseHasAreMovedFrom) {
  TypeParam queue;
  std::vector<std::string> vector = {"first"};
  queue.PutMany(std::move(vector));
  // NOLINTNEXTLINE(bugprone-use-after-move): what is left is looked at
  EXPECT_EQ(vector.at(0), "");
  std::list<std::string> list = {"second"};
  queue.PutMany(std::move(list));
  // NOLINTNEXTLINE(bugprone-use-after-move): what is left is looked at
  EXPECT_EQ(list.front(), "");
  std::array<std::string, 1> array = {"third"};
  queue.PutMany(std::move(array));
  // NOLINTNEXTLINE(bugprone-use-after-move): what is left is looked at
  EXPECT_EQ(array[0], "");
  std::string built_in[] = {"fourth"};
  queue.PutMany(std::move(built_in));
  // NOLINTNEXTLINE(bugprone-use-after-move): what is left is looked at
  EXPECT_EQ(built_in[0], "");
  EXPECT_EQ(queue.Size(), 4U);
}

}  // namespace
}  // namespace heddle
