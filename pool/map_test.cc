// What ThreadPool's maps and loops take, and what comes of them when something
// throws on the way.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/pool/async_result.h"
#include "heddle/pool/imap_results.h"
#include "heddle/pool/internal/fuse.h"
#include "heddle/pool/thread_pool.h"

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
using ::testing::ElementsAreArray;
using ::testing::Pointee;

constexpr auto kSame = [](auto x) { return x; };

std::vector<std::unique_ptr<int>> Boxes(int size) {
  std::vector<std::unique_ptr<int>> boxes;
  for (int i = 0; i < size; ++i) boxes.push_back(std::make_unique<int>(i));
  return boxes;
}

TEST(MapTest, TakesElementsThatAreMadeWhenTheyAreLookedAt) {
  ThreadPool pool(2);
  std::vector<bool> bits(1000);
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = i % 3 == 0;
  EXPECT_THAT(pool.Map(kSame, bits), ElementsAreArray(bits));
  EXPECT_THAT(pool.Map(kSame, std::vector<bool>(bits)), ElementsAreArray(bits));
  EXPECT_THAT(pool.MapAsync(kSame, bits).Get(), ElementsAreArray(bits));
  EXPECT_THAT(pool.MapAsync(kSame, std::vector<bool>(bits)).Get(),
              ElementsAreArray(bits));
  EXPECT_THAT(pool.IMap(kSame, std::vector<bool>(bits)).ToVector(),
              ElementsAreArray(bits));
#ifdef HEDDLE_TEST_VIEWS
  const auto words = std::views::iota(0, 3) | std::views::transform([](int i) {
                       return std::string(20, static_cast<char>('a' + i));
                     });
  const std::vector<std::string> expected(words.begin(), words.end());
  EXPECT_THAT(pool.Map(kSame, words), ElementsAreArray(expected));
  EXPECT_THAT(pool.MapAsync(kSame, words).Get(), ElementsAreArray(expected));
  EXPECT_THAT(pool.IMap(kSame, words).ToVector(), ElementsAreArray(expected));
#endif
}

TEST(MapTest, MovesTheElementsOfAContainerThatIsItsOwn) {
  ThreadPool pool(2);
  const auto box = [](std::unique_ptr<int> x) { return x; };
  const auto are = ElementsAre(Pointee(0), Pointee(1), Pointee(2));
  EXPECT_THAT(pool.Map(box, Boxes(3)), are);
  EXPECT_THAT(pool.MapAsync(box, Boxes(3)).Get(), are);
  EXPECT_THAT(pool.IMap(box, Boxes(3)).ToVector(), are);
  std::list<std::unique_ptr<int>> list;
  for (int i = 0; i < 3; ++i) list.push_back(std::make_unique<int>(i));
  EXPECT_THAT(pool.Map(box, std::move(list)), are);
  std::vector<std::tuple<std::unique_ptr<int>, int>> pairs;
  pairs.emplace_back(std::make_unique<int>(3), 4);
  EXPECT_THAT(pool.StarMap([](std::unique_ptr<int> x, int y) { return *x + y; },
                           std::move(pairs)),
              ElementsAre(7));
}

TEST(MapTest, LeavesTheElementsOfOthersAlone) {
  ThreadPool pool(2);
  std::vector<std::string> words = {"one", "two"};
  const auto take = [](std::string word) { return word; };
  const auto are = ElementsAre("one", "two");
  EXPECT_THAT(pool.Map(take, words), are);
  EXPECT_THAT(pool.Map(take, std::span(words)), are);
  EXPECT_THAT(pool.MapAsync(take, std::span(words)).Get(), are);
  EXPECT_THAT(pool.IMap(take, std::span(words)).ToVector(), are);
  EXPECT_THAT(words, are);
}

TEST(MapTest, ElementsOfAnRvalueMayBeTakenByReference) {
  ThreadPool pool(2);
  EXPECT_THAT(pool.Map([](int& x) { return ++x; }, std::vector<int>{1, 2}),
              ElementsAre(2, 3));
}

TEST(MapTest, ResultsOfIMapMayBeAssigned) {
  ThreadPool pool(2);
  auto results = pool.IMap(kSame, std::vector<int>{1});
  results = pool.IMap(kSame, std::vector<int>{2, 3});
  EXPECT_THAT(results.ToVector(), ElementsAre(2, 3));
#ifdef HEDDLE_TEST_VIEWS
  std::vector<int> first;
  for (const int x :
       pool.IMap(kSame, std::views::iota(0, 9)) | std::views::take(2)) {
    first.push_back(x);
  }
  EXPECT_THAT(first, ElementsAre(0, 1));
#endif
}

// Nobody else would: the one worker is at the task that wants them.
TEST(MapTest, AnIMapInsideAPoolOfOneIsMadeByWhoWantsIt) {
  ThreadPool pool({.workers = 1, .max_spares = 0});
  for (const bool ordered : {true, false}) {
    const int sum = pool.Apply([&] {
      const std::vector<int> numbers = {1, 2, 3, 4, 5};
      const IMapOptions options = {.chunksize = 2, .buffersize = 4};
      auto results = ordered ? pool.IMap(kSame, numbers, options)
                             : pool.IMapUnordered(kSame, numbers, options);
      int total = 0;
      for (const int x : results) total += x;
      return total;
    });
    EXPECT_EQ(sum, 15);
  }
}

#ifdef ABSL_HAVE_EXCEPTIONS

TEST(MapTest, ALoopOverAllNumbersBeginsWithTheLowest) {
  ThreadPool pool(2);
  constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
  constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();
  for (const int64_t grain : {int64_t{1}, int64_t{1} << 40, kHighest}) {
    std::atomic<int64_t> lowest{kHighest};
    const auto body = [&lowest](int64_t i) {
      lowest = std::min(lowest.load(), i);
      throw std::runtime_error("enough");
    };
    EXPECT_THROW(pool.ForRange(kLowest, kHighest, body, grain),
                 std::runtime_error);
    EXPECT_EQ(lowest, kLowest);
  }
}

// go(call, make_range) maps, and returns the numbers of the results; it throws
// what comes out, and adds to `errors` what it has caught by itself.
template <typename Go>
void Sweep(const Go& go) {
  constexpr int kSize = 7;
  ThreadPool pool(2);
  int n = 1;
  for (; Fuse::Light(n); ++n) {
    SCOPED_TRACE(n);
    std::array<std::atomic<int>, kSize> calls = {};
    std::vector<int> got;
    int errors = 0;
    const auto call = [&calls](const Fused& x) {
      ++calls.at(static_cast<size_t>(x.number()));
      Fuse::Pass("call");
      return Fused(x.number());
    };
    try {
      go(pool, call, kSize, got, errors);
      if (errors == 0) {
        EXPECT_EQ(got.size(), static_cast<size_t>(kSize));
      }
    } catch (const Fuse::Blown&) {
      ++errors;
    }
    EXPECT_EQ(errors, Fuse::IsBlown() ? 1 : 0);
    std::sort(got.begin(), got.end());
    EXPECT_EQ(std::adjacent_find(got.begin(), got.end()), got.end());
    for (const auto& count : calls) EXPECT_LE(count, 1);
    // What a call was given may be destroyed just after its result is there.
    pool.Apply([] {});
    while (Fused::living != 0) std::this_thread::yield();
  }
  Fuse::PutOut();
  EXPECT_GT(n, 2 * kSize);
}

std::list<Fused> FusedList(int size) {
  std::list<Fused> list;
  for (int i = 0; i < size; ++i) list.emplace_back(i);
  return list;
}

TEST(MapTest, WhateverThrowsInAMapIsHadOnce) {
  const auto add = [](const std::vector<Fused>& results,
                      std::vector<int>& got) {
    for (const Fused& result : results) got.push_back(result.number());
  };
  for (const int64_t chunksize : {1, 3}) {
    const MapOptions options = {.chunksize = chunksize};
    Sweep([&](auto& pool, auto& call, int size, auto& got, int&) {
      add(pool.Map(call, FusedRange(size), options), got);
    });
    Sweep([&](auto& pool, auto& call, int size, auto& got, int&) {
      add(pool.MapAsync(call, FusedRange(size), options).Get(), got);
    });
    Sweep([&](auto& pool, auto& call, int size, auto& got, int&) {
      add(pool.Map(call, FusedList(size), options), got);
    });
  }
}

TEST(MapTest, WhateverThrowsInAnIMapIsHadOnce) {
  for (const bool ordered : {true, false}) {
    for (const size_t buffersize : {1u, 5u}) {
      for (const size_t chunksize : {1u, 3u}) {
        const IMapOptions options = {.chunksize = chunksize,
                                     .buffersize = buffersize};
        Sweep([&](auto& pool, auto& call, int size, auto& got, int& errors) {
          auto results =
              ordered ? pool.IMap(call, FusedRange(size), options)
                      : pool.IMapUnordered(call, FusedRange(size), options);
          for (;;) {
            try {
              const auto next = results.Next();
              if (!next.has_value()) break;
              got.push_back(next->number());
            } catch (const Fuse::Blown&) {
              ++errors;
            }
          }
        });
      }
    }
  }
}

TEST(MapTest, AResultOfAnIMapThatCouldNotBeMovedIsStillTheNext) {
  for (const bool ordered : {true, false}) {
    ThreadPool pool(1);
    const auto make = [](int i) { return Fused(i); };
    const std::vector<int> numbers = {0, 1};
    auto results =
        ordered ? pool.IMap(make, numbers) : pool.IMapUnordered(make, numbers);
    pool.Close();
    pool.Join();
    Fuse::Light(1);
    EXPECT_THROW(static_cast<void>(results.Next()), Fuse::Blown);
    Fuse::PutOut();
    EXPECT_EQ(results.Next()->number(), 0);
    EXPECT_EQ(results.Next()->number(), 1);
    EXPECT_FALSE(results.Next().has_value());
  }
}

#endif  // ABSL_HAVE_EXCEPTIONS

}  // namespace
}  // namespace heddle
