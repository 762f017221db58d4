// What Map() of an executor takes, and what comes of it when something throws on
// the way. What all executors have in common is in executor_conformance.h.

#include "heddle/futures/map_results.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/inline_executor.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/fuse.h"
#include "heddle/pool/task.h"

// Before 16, clang does not compile the views of libstdc++.
#if !defined(__clang__) || __clang_major__ >= 16
#define HEDDLE_TEST_VIEWS
#endif

namespace heddle {
namespace {

using pool_internal::Fuse;
using pool_internal::Fused;
using pool_internal::FusedRange;
using ::testing::ElementsAre;

std::vector<std::unique_ptr<int>> Boxes(int size) {
  std::vector<std::unique_ptr<int>> boxes;
  for (int i = 0; i < size; ++i) boxes.push_back(std::make_unique<int>(i));
  return boxes;
}

std::vector<int> UpTo(int size) {
  std::vector<int> numbers;
  for (int i = 0; i < size; ++i) numbers.push_back(i);
  return numbers;
}

TEST(MapResultsTest, MovesTheElementsOfAContainerThatIsItsOwn) {
  InlineExecutor executor;
  const auto add = [](std::unique_ptr<int> box) {
    ++*box;
    return box;
  };
  for (const size_t buffersize : {size_t{0}, size_t{2}}) {
    for (const size_t chunksize : {size_t{1}, size_t{3}}) {
      const ExecutorMapOptions options = {.buffersize = buffersize,
                                          .chunksize = chunksize};
      int sum = 0;
      for (const std::unique_ptr<int>& box :
           executor.Map(add, executor.Map(add, Boxes(10), options), options)) {
        sum += *box;
      }
      EXPECT_EQ(sum, 65);
    }
  }
  std::array<std::unique_ptr<int>, 1> array = {std::make_unique<int>(7)};
  EXPECT_EQ(**executor.Map(add, std::move(array)).begin(), 8);
}

TEST(MapResultsTest, LeavesTheElementsOfOthersAlone) {
  InlineExecutor executor;
  std::vector<std::string> words = {"one", "two"};
  const auto take = [](std::string word) { return word; };
  EXPECT_THAT(executor.Map(take, words).ToVector(), ElementsAre("one", "two"));
  EXPECT_THAT(executor.Map(take, std::span(words)).ToVector(),
              ElementsAre("one", "two"));
#ifdef HEDDLE_TEST_VIEWS
  EXPECT_THAT(executor.Map(take, std::views::reverse(words)).ToVector(),
              ElementsAre("two", "one"));
#endif
  // References to what the elements of the inner map refer to.
  const auto refer = [&words](size_t i) -> std::string& { return words[i]; };
  EXPECT_THAT(
      executor.Map(take, executor.Map(refer, std::array<size_t, 2>{0, 1}))
          .ToVector(),
      ElementsAre("one", "two"));
  EXPECT_THAT(words, ElementsAre("one", "two"));
}

TEST(MapResultsTest, TakesElementsThatAreMadeWhenTheyAreLookedAt) {
  InlineExecutor executor;
  const auto same = [](auto x) { return x; };
  std::vector<bool> bits = {true, false, true};
  EXPECT_THAT(executor.Map(same, bits).ToVector(),
              ElementsAre(true, false, true));
  EXPECT_THAT(executor.Map(same, std::move(bits)).ToVector(),
              ElementsAre(true, false, true));
#ifdef HEDDLE_TEST_VIEWS
  const auto boxed = std::views::iota(0, 4) | std::views::transform([](int i) {
                       return std::make_unique<int>(i);
                     });
  int sum = 0;
  for (const auto& box : executor.Map(same, boxed, {.buffersize = 2}))
    sum += *box;
  EXPECT_EQ(sum, 6);
#endif
}

TEST(MapResultsTest, TakesMembersAndWhatReturnsAnRvalueReference) {
  struct Point {
    int x;
    std::string name;
  };
  InlineExecutor executor;
  std::vector<Point> points = {{1, "a"}, {2, "b"}};
  EXPECT_THAT(executor.Map(&Point::x, points).ToVector(), ElementsAre(1, 2));
  EXPECT_THAT(executor.Map(&Point::name, points).ToVector(),
              ElementsAre("a", "b"));
  EXPECT_THAT(
      executor.Map(std::identity(), std::vector<std::string>{"x"}).ToVector(),
      ElementsAre("x"));
}

TEST(MapResultsTest, IsAnInputRange) {
  InlineExecutor executor;
  const auto twice = [](int x) { return 2 * x; };
  using Results = decltype(executor.Map(twice, std::vector<int>()));
  static_assert(std::ranges::input_range<Results>);
#ifdef HEDDLE_TEST_VIEWS
  std::vector<int> got;
  for (const int x :
       executor.Map(twice, std::views::iota(0, 10)) | std::views::take(2)) {
    got.push_back(x);
  }
  EXPECT_THAT(got, ElementsAre(0, 2));
#endif
  Results results = executor.Map(twice, std::vector<int>{1});
  results = executor.Map(twice, std::vector<int>{2, 3});
  EXPECT_THAT(results.ToVector(), ElementsAre(4, 6));
  EXPECT_THAT(results.ToVector(), ElementsAre());
}

TEST(MapResultsTest, OfAVoidFunctionIsWaitedFor) {
  ThreadPoolExecutor executor(2);
  std::atomic<int> calls{0};
  const auto count = [&calls](int) { ++calls; };
  executor.Map(count, UpTo(10), {.buffersize = 3}).Wait();
  EXPECT_EQ(calls, 10);
  int seen = 0;
  for ([[maybe_unused]] const auto& nothing : executor.Map(count, UpTo(10))) {
    ++seen;
  }
  EXPECT_EQ(calls, 20);
  EXPECT_EQ(seen, 10);
}

#ifdef ABSL_HAVE_EXCEPTIONS

// Elements 0 to 7; one step to the fourth fails.
class FailsOnce {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = int;
    int operator*() const { return at_; }
    Iterator& operator++() {
      if (at_ == 2 && !std::exchange(*failed_, true))
        throw std::runtime_error("not yet");
      ++at_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return at_ == 8; }

   private:
    friend class FailsOnce;
    explicit Iterator(bool* failed) : failed_(failed) {}
    bool* failed_;
    int at_ = 0;
  };
  Iterator begin() { return Iterator(&failed_); }
  static std::default_sentinel_t end() { return {}; }

 private:
  bool failed_ = false;
};

template <typename Results, typename Got>
int GoThrough(Results& results, Got& got) {
  int errors = 0;
  for (auto it = results.begin(); it != results.end();) {
    got.push_back(*it);
    try {
      ++it;
    } catch (const std::exception&) {
      ++errors;
    }
  }
  return errors;
}

TEST(MapResultsTest, AStepThatFailedIsTriedAgain) {
  InlineExecutor executor;
  for (const size_t buffersize : {1u, 2u}) {
    for (const size_t chunksize : {1u, 2u}) {
      FailsOnce input;
      auto results =
          executor.Map([](int x) { return x; }, input,
                       {.buffersize = buffersize, .chunksize = chunksize});
      std::vector<int> got;
      EXPECT_EQ(GoThrough(results, got), 1);
      EXPECT_THAT(got, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
    }
  }
}

// Refuses one task, and runs the others.
class RefusesOnce : public Executor {
 public:
  explicit RefusesOnce(int refused) : left_(refused) {}
  void Schedule(Task task) override {
    if (--left_ == 0) throw std::runtime_error("queue is full");
    static_cast<void>(std::move(task).Run());
  }

 private:
  int left_;
};

TEST(MapResultsTest, ARefusedElementIsHandedInAgainAsItWas) {
  for (const size_t buffersize : {1u, 2u, 4u}) {
    for (const size_t chunksize : {1u, 2u}) {
      const size_t on_their_way = std::max<size_t>(1, buffersize / chunksize);
      RefusesOnce executor(static_cast<int>(on_their_way) + 1);
      const auto read = [](std::unique_ptr<int> box) { return *box; };
      auto results = executor.Map(
          read, Boxes(8), {.buffersize = buffersize, .chunksize = chunksize});
      std::vector<int> got;
      EXPECT_EQ(GoThrough(results, got), 1);
      EXPECT_THAT(got, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
    }
  }
}

#ifdef HEDDLE_TEST_VIEWS
TEST(MapResultsTest, TheOtherRangesKeepTheirElementIfOneThrows) {
  InlineExecutor executor;
  int thrown = 0;
  auto fails = std::views::iota(0, 8) | std::views::transform([&](int i) {
                 if (i == 3 && thrown++ == 0) throw std::runtime_error("3");
                 return i;
               });
  auto results = executor.Map(
      [](const std::unique_ptr<int>& box, int x) { return *box + x; }, Boxes(8),
      fails, {.buffersize = 2});
  std::vector<int> got;
  EXPECT_EQ(GoThrough(results, got), 1);
  EXPECT_THAT(got, ElementsAre(0, 2, 4, 6, 8, 10, 12, 14));
}
#endif  // HEDDLE_TEST_VIEWS

TEST(MapResultsTest, MayOutliveTheExecutor) {
  auto executor = std::make_unique<ThreadPoolExecutor>(2);
  const auto same = [](int x) { return x; };
  auto bounded =
      executor->Map(same, std::vector<int>{0, 1, 2, 3, 4}, {.buffersize = 2});
  auto unbounded = executor->Map(same, std::vector<int>{0, 1, 2});
  executor.reset();
  EXPECT_THAT(unbounded.ToVector(), ElementsAre(0, 1, 2));
  auto it = bounded.begin();
  EXPECT_EQ(*it, 0);
  EXPECT_THROW(++it, ShutdownError);
  EXPECT_EQ(*it, 1);
  EXPECT_NO_THROW(++it);
  EXPECT_TRUE(it == bounded.end());
}

TEST(MapResultsTest, AShutdownIsSaidOnceAndThenTheRangeEnds) {
  ManualExecutor executor;
  auto results = executor.Map([](int x) { return x; },
                              std::vector<int>{0, 1, 2, 3}, {.buffersize = 1});
  executor.RunAll();
  executor.Shutdown();
  auto it = results.begin();
  EXPECT_EQ(*it, 0);
  EXPECT_THROW(++it, ShutdownError);
  EXPECT_TRUE(it == results.end());
}

TEST(MapResultsTest, WaitThrowsTheFirstErrorWhenAllHaveEnded) {
  ThreadPoolExecutor executor(2);
  std::atomic<int> calls{0};
  auto results = executor.Map(
      [&calls](int x) {
        ++calls;
        if (x == 3) throw std::runtime_error("three");
        if (x == 5) throw std::logic_error("five");
      },
      UpTo(10), {.buffersize = 2});
  EXPECT_THROW(results.Wait(), std::runtime_error);
  EXPECT_EQ(calls, 10);
}

// Lets each operation that may throw do so, in turn.
class FusedExecutor : public Executor {
 public:
  void Schedule(Task task) override {
    Fuse::Pass("schedule");
    static_cast<void>(std::move(task).Run());
  }
};

template <typename MakeRange>
void Sweep(const ExecutorMapOptions& options, const MakeRange& make_range) {
  constexpr int kSize = 7;
  int n = 1;
  for (; Fuse::Light(n); ++n) {
    SCOPED_TRACE(n);
    FusedExecutor executor;
    std::vector<int> calls(kSize, 0);
    std::vector<int> got;
    int errors = 0;
    {
      const auto call = [&calls](const Fused& x) {
        ++calls.at(static_cast<size_t>(x.number()));
        Fuse::Pass("call");
        return Fused(x.number());
      };
      try {
        auto results = executor.MapWith(options, call, make_range(kSize));
        for (auto it = results.begin(); it != results.end();) {
          try {
            got.push_back((*it).number());
          } catch (const Fuse::Blown&) {
            ++errors;
          }
          try {
            ++it;
          } catch (const Fuse::Blown&) {
            ++errors;
          }
        }
        EXPECT_GE(static_cast<int>(got.size()) + errors, kSize);
      } catch (const Fuse::Blown&) {
        ++errors;  // nothing has come of the map
      }
    }
    EXPECT_EQ(errors, Fuse::IsBlown() ? 1 : 0);
    EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
    EXPECT_EQ(std::adjacent_find(got.begin(), got.end()), got.end());
    for (const int count : calls) EXPECT_LE(count, 1);
    EXPECT_EQ(Fused::living, 0);
  }
  Fuse::PutOut();
  EXPECT_GT(n, 2 * kSize);
}

TEST(MapResultsTest, WhateverThrowsIsHadOnceAndTheRestIsRight) {
  for (const size_t buffersize : {0u, 1u, 2u, 5u}) {
    for (const size_t chunksize : {1u, 3u}) {
      const ExecutorMapOptions options = {.buffersize = buffersize,
                                          .chunksize = chunksize};
      SCOPED_TRACE(buffersize * 10 + chunksize);
      Sweep(options, [](int size) { return FusedRange(size); });
      Sweep(options, [](int size) {
        std::list<Fused> list;
        for (int i = 0; i < size; ++i) list.emplace_back(i);
        return list;
      });
    }
  }
}

#endif  // ABSL_HAVE_EXCEPTIONS

}  // namespace
}  // namespace heddle
