#include "heddle/queue/priority_queue.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/queue/internal/testing.h"

namespace heddle {
namespace {

using ::testing::ElementsAre;

template <typename Queue>
auto Drained(Queue& queue) {
  std::vector<int> items;
  while (auto item = queue.TryGet()) items.push_back(*item);
  return items;
}

TEST(PriorityQueueTest, GivesOutTheSmallestFirst) {
  PriorityQueue<int> queue;
  std::vector<int> numbers(3000);
  std::mt19937 random(7);
  for (int& number : numbers) number = static_cast<int>(random() % 1000);
  for (const int number : numbers) queue.Put(number);
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(Drained(queue), numbers);
}

TEST(PriorityQueueTest, StaysInOrderWhilePutsAndGetsAlternate) {
  PriorityQueue<int> queue;
  std::vector<int> model;  // the largest first
  std::mt19937 random(11);
  for (int i = 0; i < 20'000; ++i) {
    // Grows for a while, then shrinks: across changes of the array.
    const bool puts = random() % 100 < (i / 5000 % 2 == 0 ? 70u : 30u);
    if (puts) {
      const int number = static_cast<int>(random() % 5000);
      queue.Put(number);
      model.insert(std::upper_bound(model.begin(), model.end(), number,
                                    std::greater<>()),
                   number);
    } else if (model.empty()) {
      ASSERT_EQ(queue.TryGet(), std::nullopt);
    } else {
      ASSERT_EQ(queue.TryGet(), model.back());
      model.pop_back();
    }
  }
}

TEST(PriorityQueueTest, CompareSaysWhatComesFirst) {
  PriorityQueue<std::string, std::greater<>> largest;
  for (const char* word : {"b", "a", "c"}) largest.Put(word);
  EXPECT_EQ(largest.Get(), "c");
  EXPECT_EQ(largest.Get(), "b");

  const std::vector<int> rank = {2, 0, 1};
  const auto by_rank = [&rank](size_t a, size_t b) {
    return rank[a] < rank[b];
  };
  PriorityQueue<size_t, decltype(by_rank)> ranked(/*maxsize=*/3, by_rank);
  ranked.PutMany(std::vector<size_t>{0, 1, 2});
  EXPECT_EQ(ranked.Get(), 1u);
  EXPECT_EQ(ranked.Get(), 2u);
  EXPECT_EQ(ranked.Get(), 0u);
}

TEST(PriorityQueueTest, EqualItemsAllComeOut) {
  PriorityQueue<int> queue(100);
  for (int i = 0; i < 100; ++i) queue.Put(i % 3);
  std::vector<int> got = Drained(queue);
  EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
  EXPECT_EQ(std::count(got.begin(), got.end(), 0), 34);
}

#ifdef ABSL_HAVE_EXCEPTIONS
using queue_internal::Throwing;

// An item whose moves cannot throw, and whose comparison does when it is told.
struct Comparing {
  int value;
  bool operator<(const Comparing& other) const {
    if (Throwing::comparisons_left >= 0 && Throwing::comparisons_left-- == 0) {
      throw std::runtime_error("cannot be compared");
    }
    return value < other.value;
  }
};

// Each comparison of each call in turn fails; a second try does the work.
template <typename Item>
void FailEachComparison() {
  int failures = 0;
  PriorityQueue<Item> queue;
  const auto with_failures = [&failures](auto&& call) {
    for (int comparisons = 0;; ++comparisons) {
      Throwing::comparisons_left = comparisons;
      try {
        call();
        Throwing::comparisons_left = -1;
        return;
      } catch (const std::runtime_error&) {
        ++failures;
      }
    }
  };
  for (const int value : {5, 3, 8, 1, 9, 2, 7, 4, 6, 0}) {
    Item item{value};
    with_failures([&] {
      const size_t size = queue.Size();
      try {
        queue.Put(std::move(item));
      } catch (...) {
        EXPECT_EQ(item.value, value) << "the item was taken";
        EXPECT_EQ(queue.Size(), size);
        throw;
      }
    });
  }
  std::vector<int> got;
  for (int i = 0; i < 10; ++i) {
    with_failures([&] { got.push_back(queue.Get()->value); });
  }
  EXPECT_THAT(got, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_GT(failures, 20);
}

TEST(PriorityQueueTest, CompareThatThrowsHasChangedNothing) {
  FailEachComparison<Comparing>();
}

TEST(PriorityQueueTest, CompareThatThrowsHasChangedNothingWhereMovesMayThrow) {
  FailEachComparison<Throwing>();
  EXPECT_EQ(Throwing::live, 0);
}
#endif

}  // namespace
}  // namespace heddle
