#include "heddle/futures/executor.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <forward_list>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/futures/future.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/map_results.h"
#include "heddle/futures/progress.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/task.h"
#include "heddle/sync/event.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using ::testing::ElementsAre;

// An endless input: 0, 1, 2, ...
class Naturals {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = int;
    int operator*() const { return *next_; }
    iterator& operator++() {
      ++*next_;
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return false; }

   private:
    friend class Naturals;
    explicit iterator(int* next) : next_(next) {}
    int* next_;
  };
  // Counts in `next`, which tells a test how much of the input was read.
  explicit Naturals(int& next) : next_(&next) {}
  iterator begin() { return iterator(next_); }
  std::default_sentinel_t end() { return {}; }

 private:
  int* next_;
};

// An iterator without a category and without most of the old members.
struct Counted {
  struct iterator {
    using value_type = size_t;
    using difference_type = std::ptrdiff_t;
    size_t operator*() const { return at; }
    iterator& operator++() {
      ++at;
      return *this;
    }
    void operator++(int) { ++at; }
    bool operator==(const iterator&) const = default;
    size_t at;
  };
  iterator begin() const { return {first}; }
  iterator end() const { return {last}; }
  size_t first;
  size_t last;
};

// The numbers in a text; throws where there is something else.
struct Numbers {
  std::istream_iterator<int> begin() const {
    return std::istream_iterator<int>(*in);
  }
  std::istream_iterator<int> end() const { return {}; }
  std::istringstream* in;
};

template <typename Results>
auto Collect(Results results) {
  std::vector<typename Results::iterator::value_type> all;
  for (auto&& result : results) all.push_back(std::move(result));
  return all;
}

TEST(SubmitTest, PassesArgumentsMovedInAndMovedOut) {
  ManualExecutor executor;
  const Future<int> sum =
      executor.Submit([](std::unique_ptr<int> a, int b) { return *a + b; },
                      std::make_unique<int>(3), 4);
  executor.RunAll();
  EXPECT_EQ(sum.Result(), 7);
}

TEST(SubmitTest, TakesMembersAndReferences) {
  ManualExecutor executor;
  std::string text = "abc";
  const Future<size_t> size =
      executor.Submit(&std::string::size, std::ref(text));
  const Future<void> grown =
      executor.Submit([](std::string& s) { s += "d"; }, std::ref(text));
  executor.RunAll();
  EXPECT_EQ(size.Result(), 3);
  grown.Result();
  EXPECT_EQ(text, "abcd");
}

TEST(SubmitTest, CopiesLvaluesIn) {
  ManualExecutor executor;
  std::string text = "before";
  const Future<std::string> copy =
      executor.Submit([](std::string s) { return s; }, text);
  text = "after";
  executor.RunAll();
  EXPECT_EQ(copy.Result(), "before");
}

TEST(MapTest, ResultsComeInTheOrderOfTheElements) {
  ThreadPoolExecutor executor(4);
  std::vector<int> numbers(500);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<int> expected;
  for (const int n : numbers) expected.push_back(n * n);
  EXPECT_EQ(Collect(executor.Map([](int n) { return n * n; }, numbers)),
            expected);
}

TEST(MapTest, EverythingIsSubmittedAtTheCall) {
  ManualExecutor executor;
  const std::vector<int> numbers = {1, 2, 3};
  auto results = executor.Map([](int n) { return n; }, numbers);
  EXPECT_EQ(executor.size(), 3);
  executor.RunAll();
  EXPECT_THAT(Collect(std::move(results)), ElementsAre(1, 2, 3));
}

TEST(MapTest, EmptyInputGivesAnEmptyRange) {
  ManualExecutor executor;
  auto results = executor.Map([](int n) { return n; }, std::vector<int>());
  EXPECT_TRUE(results.begin() == results.end());
}

TEST(MapTest, TakesInputRangesOfEveryKind) {
  ThreadPoolExecutor executor(2);
  const auto twice = [](int n) { return 2 * n; };
  EXPECT_THAT(Collect(executor.Map(twice, std::forward_list<int>{1, 2, 3})),
              ElementsAre(2, 4, 6));
  const int array[] = {4, 5};
  EXPECT_THAT(Collect(executor.Map(twice, array)), ElementsAre(8, 10));
  EXPECT_THAT(Collect(executor.Map([](bool b) { return b ? 1 : 0; },
                                   std::vector<bool>{true, false, true})),
              ElementsAre(1, 0, 1));
}

TEST(MapTest, ResultsMayBeVoidMoveOnlyOrReferences) {
  ThreadPoolExecutor executor(2);
  std::vector<int> numbers = {1, 2, 3};
  std::atomic<int> sum{0};
  auto nothing = executor.Map([&sum](int n) { sum += n; }, numbers);
  int steps = 0;
  for (auto it = nothing.begin(); it != nothing.end(); ++it) {
    *it;
    ++steps;
  }
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(sum, 6);

  int total = 0;
  for (std::unique_ptr<int>& p :
       executor.Map([](int n) { return std::make_unique<int>(n); }, numbers)) {
    const std::unique_ptr<int> mine = std::move(p);
    total += *mine;
  }
  EXPECT_EQ(total, 6);

  for (int& n : executor.Map(
           [&numbers](int i) -> int& {
             return numbers[static_cast<size_t>(i) - 1];
           },
           std::vector<int>{1, 2, 3})) {
    n *= 10;
  }
  EXPECT_THAT(numbers, ElementsAre(10, 20, 30));
}

TEST(MapTest, BuffersizeBoundsWhatIsOnItsWay) {
  ManualExecutor executor;
  int read = 0;
  auto results =
      executor.Map([](int n) { return n; }, Naturals(read), {.buffersize = 4});
  EXPECT_EQ(read, 3);  // the last of four that it has given
  auto it = results.begin();
  for (int n = 0; n < 100; ++n, ++it) {
    executor.RunAll();
    EXPECT_EQ(*it, n);
    EXPECT_EQ(read, n + 3);
  }
}

TEST(MapTest, DroppingTheResultsCancelsWhatHasNotBegun) {
  ManualExecutor executor;
  int ran = 0;
  {
    auto results =
        executor.Map([&ran](int) { ++ran; }, std::vector<int>{1, 2, 3, 4});
    executor.RunOne();
    auto it = results.begin();
    *it;
    ++it;
  }
  executor.RunAll();
  EXPECT_EQ(ran, 1);
}

TEST(MapTest, ResultsMayBeMoved) {
  ManualExecutor executor;
  auto results = executor.Map([](int n) { return n; },
                              std::vector<int>{1, 2, 3}, {.buffersize = 1});
  auto moved = std::move(results);
  std::vector<int> all;
  for (auto it = moved.begin(); it != moved.end(); ++it) {
    executor.RunAll();
    all.push_back(*it);
  }
  EXPECT_THAT(all, ElementsAre(1, 2, 3));
}

TEST(MapTest, ResultsAreGivenBackAsTheIterationGoesOn) {
  ManualExecutor executor;
  std::vector<std::weak_ptr<int>> made;
  auto results = executor.Map(
      [&made](int n) {
        auto result = std::make_shared<int>(n);
        made.push_back(result);
        return result;
      },
      std::vector<int>{1, 2, 3});
  executor.RunAll();
  auto it = results.begin();
  *it;
  ++it;
  EXPECT_TRUE(made[0].expired());
  EXPECT_FALSE(made[1].expired());
}

TEST(MapTest, TheFunctionIsSharedNotCopied) {
  ManualExecutor executor;
  int copies = 0;
  struct CountsCopies {
    explicit CountsCopies(int& count) : copies(&count) {}
    CountsCopies(const CountsCopies& other) : copies(other.copies) {
      ++*copies;
    }
    int operator()(int n) const { return n; }
    int* copies;
  };
  const CountsCopies function(copies);
  auto results = executor.Map(function, std::vector<int>{1, 2, 3});
  EXPECT_EQ(copies, 1);
}

TEST(MapTest, ReadsNoMoreOfTheInputThanItSchedules) {
  // The input may have to wait for its next element.
  struct Source {
    struct iterator {
      using iterator_category = std::input_iterator_tag;
      using value_type = int;
      using difference_type = std::ptrdiff_t;
      using pointer = void;
      using reference = int;
      int operator*() const { return *at; }
      iterator& operator++() {
        ++*at;
        return *this;
      }
      bool operator==(std::default_sentinel_t) const { return *at == 5; }
      int* at;
    };
    iterator begin() { return iterator{at}; }
    std::default_sentinel_t end() { return {}; }
    int* at;
  };
  ManualExecutor executor;
  int at = 0;
  auto results =
      executor.Map([](int n) { return n; }, Source{&at}, {.buffersize = 2});
  EXPECT_EQ(at, 1);
  auto it = results.begin();
  for (int n = 0; n < 5; ++n, ++it) {
    EXPECT_EQ(at, std::min(n + 1, 5));
    executor.RunAll();
    EXPECT_EQ(*it, n);
  }
  EXPECT_TRUE(it == results.end());
}

TEST(MapTest, TakesRangesThatOnlyTheNewIteratorsDescribe) {
  ManualExecutor executor;
  const auto twice = [](size_t n) { return 2 * n; };
  auto doubled = executor.Map(twice, Counted{1, 4});
  executor.RunAll();
  auto again = executor.Map(twice, std::move(doubled));  // and results
  executor.RunAll();
  EXPECT_THAT(Collect(std::move(again)), ElementsAre(4, 8, 12));
}

TEST(MapTest, DroppedBeforeTheFirstStepItCancelsAll) {
  ManualExecutor executor;
  int ran = 0;
  {
    auto results = executor.Map([&ran](int) { ++ran; }, std::vector<int>{1, 2});
    EXPECT_EQ(executor.size(), 2);
  }
  executor.RunAll();
  EXPECT_EQ(ran, 0);
}

TEST(MapTest, SeveralRangesAreReadSideBySideUpToTheShortest) {
  ManualExecutor executor;
  const std::vector<std::string> words = {"a", "b", "c"};
  const std::vector<size_t> counts = {1, 2};
  auto results = executor.Map(
      [](const std::string& word, size_t count, int number) {
        return std::string(count, word[0]) + std::to_string(number);
      },
      words, counts, std::vector<int>{7, 8, 9});
  executor.RunAll();
  EXPECT_THAT(Collect(std::move(results)), ElementsAre("a7", "bb8"));
  EXPECT_EQ(words[0], "a") << "copied from an lvalue";
}

TEST(MapTest, SeveralRangesWithOptions) {
  ManualExecutor executor;
  const auto add = [](int a, int b) { return a + b; };
  const std::vector<int> tens = {10, 20, 30};
  int read = 0;
  auto two = executor.Map(add, tens, Naturals(read), {.buffersize = 1});
  EXPECT_EQ(executor.size(), 1);
  auto it = two.begin();
  executor.RunAll();
  EXPECT_EQ(*it, 10);
  auto three = executor.MapWith(
      {.chunksize = 2}, [](int a, int b, int c) { return a * b * c; }, tens,
      tens, tens);
  executor.RunAll();
  EXPECT_THAT(Collect(std::move(three)), ElementsAre(1000, 8000, 27000));
  auto shorter = executor.Map(add, tens, std::vector<int>{1, 2, 3, 4, 5},
                              {.chunksize = 2});
  executor.RunAll();
  EXPECT_THAT(Collect(std::move(shorter)), ElementsAre(11, 22, 33));
}

TEST(MapTest, AChunkIsOneTask) {
  ManualExecutor executor;
  std::vector<int> numbers(10);
  std::iota(numbers.begin(), numbers.end(), 0);
  auto results = executor.Map([](int n) { return std::to_string(n); }, numbers,
                              {.chunksize = 4});
  EXPECT_EQ(executor.size(), 3);
  executor.RunAll();
  EXPECT_THAT(Collect(std::move(results)),
              ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"));
}

TEST(MapTest, ChunksWithABoundReadAsFarAsThat) {
  ManualExecutor executor;
  int read = 0;
  auto results = executor.Map([](int n) { return n; }, Naturals(read),
                              {.buffersize = 6, .chunksize = 3});
  EXPECT_EQ(executor.size(), 2);
  EXPECT_EQ(read, 5);  // the last of six that it has given
  auto it = results.begin();
  for (int n = 0; n < 100; ++n, ++it) {
    executor.RunAll();
    EXPECT_EQ(*it, n);
    EXPECT_LE(read, n + 6);
  }
  int more = 0;
  auto least = executor.Map([](int n) { return n; }, Naturals(more),
                            {.buffersize = 1, .chunksize = 5});
  EXPECT_EQ(more, 4) << "one chunk at least";
}

TEST(MapTest, ResultsOfChunksMayBeVoidMoveOnlyOrReferences) {
  ManualExecutor executor;
  std::vector<int> numbers = {1, 2, 3};
  int sum = 0;
  auto nothing =
      executor.Map([&sum](int n) { sum += n; }, numbers, {.chunksize = 2});
  auto pointers = executor.Map([](int n) { return std::make_unique<int>(n); },
                               numbers, {.chunksize = 2});
  auto places = executor.Map(
      [&numbers](int n) -> int& { return numbers[static_cast<size_t>(n) - 1]; },
      std::vector<int>{1, 2, 3}, {.chunksize = 2});
  executor.RunAll();
  for (auto it = nothing.begin(); it != nothing.end(); ++it) *it;
  EXPECT_EQ(sum, 6);
  for (std::unique_ptr<int>& p : pointers) sum -= *p;
  EXPECT_EQ(sum, 0);
  for (int& place : places) place *= 10;
  EXPECT_THAT(numbers, ElementsAre(10, 20, 30));
}

TEST(MapTest, DrivesAProgress) {
  ManualExecutor executor;
  Progress progress({.show = Progress::Show::kNever});
  auto results = executor.Map([](int n) { return n; }, std::vector<int>{1, 2},
                              {.progress = &progress});
  executor.RunAll();
  EXPECT_EQ(progress.done(), 0);
  auto it = results.begin();
  ++it;
  EXPECT_EQ(progress.done(), 1);
  ++it;
  EXPECT_EQ(progress.done(), 2);
}

TEST(MapTest, OneElementWithEveryBound) {
  for (const size_t bound : {size_t{0}, size_t{1}, size_t{2}}) {
    ManualExecutor executor;
    auto results = executor.Map([](int n) { return n; }, std::vector<int>{7},
                                {.buffersize = bound});
    EXPECT_EQ(executor.size(), 1);
    executor.RunAll();
    EXPECT_THAT(Collect(std::move(results)), ElementsAre(7));
  }
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(MapTest, AStopEndsTheRange) {
  ManualExecutor executor;
  std::stop_source stop;
  int ran = 0;
  auto results = executor.Map([&ran](int) { ++ran; }, std::vector<int>{1, 2},
                              {.limit = stop.get_token()});
  executor.RunOne();
  stop.request_stop();
  auto it = results.begin();
  *it;  // what is there is given
  ++it;
  EXPECT_THROW(*it, TimeoutError);
  EXPECT_TRUE(it == results.end());
  executor.RunAll();
  EXPECT_EQ(ran, 1);
}

TEST(MapTest, AStepAfterTheLimitStaysAtTheEndAndSchedulesNothing) {
  ManualExecutor executor;
  int read = 0;
  auto results = executor.Map([](int n) { return n; }, Naturals(read),
                              {.limit = absl::ZeroDuration(), .buffersize = 1});
  int timeouts = 0;
  int steps = 0;
  // What a loop does that catches every error of an element.
  for (auto it = results.begin(); it != results.end() && steps < 10;
       ++it, ++steps) {
    try {
      *it;
    } catch (const std::exception&) {
      ++timeouts;
    }
  }
  EXPECT_EQ(timeouts, 1);
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(executor.size(), 1);
  EXPECT_TRUE(results.begin() == results.end());
}

TEST(MapTest, AnInputThatThrowsInAStepLeavesWhatIsOnItsWay) {
  ManualExecutor executor;
  std::istringstream text("1 2 three");
  text.exceptions(std::ios::failbit);
  auto results =
      executor.Map([](int n) { return n; }, Numbers{&text}, {.buffersize = 2});
  EXPECT_EQ(executor.size(), 2);
  executor.RunAll();
  auto it = results.begin();
  EXPECT_EQ(*it, 1);
  EXPECT_THROW(++it, std::ios::failure);
  EXPECT_EQ(*it, 2);  // the step was made
  EXPECT_EQ(executor.size(), 0);
}

TEST(MapTest, AFunctionWhoseDestructorThrowsGoesToTheExceptHook) {
  int reported = 0;
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  struct Bomb {
    explicit Bomb(bool on) : armed(on) {}
    Bomb(Bomb&& other) noexcept : armed(std::exchange(other.armed, false)) {}
    ~Bomb() noexcept(false) {
      if (armed) throw std::runtime_error("destructor");
    }
    int operator()(int n) const { return n; }
    bool armed;
  };
  ManualExecutor executor;
  {
    auto results = executor.Map(Bomb(true), std::vector<int>{1, 2});
    executor.RunAll();
  }
  SetExceptHook(nullptr);
  EXPECT_EQ(reported, 1);
}

TEST(MapTest, AnElementsExceptionComesOutAtItsPlaceAndTheRestGoesOn) {
  ThreadPoolExecutor executor(2);
  auto results = executor.Map(
      [](int n) {
        if (n % 3 == 0) throw std::runtime_error("multiple of 3");
        return n;
      },
      std::vector<int>{1, 2, 3, 4, 5, 6, 7});
  std::vector<int> good;
  int bad = 0;
  for (auto it = results.begin(); it != results.end(); ++it) {
    try {
      good.push_back(*it);
    } catch (const std::runtime_error&) {
      ++bad;
    }
  }
  EXPECT_THAT(good, ElementsAre(1, 2, 4, 5, 7));
  EXPECT_EQ(bad, 2);
}

TEST(MapTest, TheLimitCountsFromTheCallAndEndsTheRange) {
  internal::ManualClock clock;
  ManualExecutor executor;
  auto results =
      executor.Map([](int n) { return n; }, std::vector<int>{1, 2, 3},
                   {.limit = absl::Seconds(5)});
  executor.RunOne();
  clock.Advance(absl::Seconds(5));
  auto it = results.begin();
  EXPECT_EQ(*it, 1);  // what is there is given, also after the limit
  ++it;
  EXPECT_THROW(*it, TimeoutError);
  EXPECT_TRUE(it == results.end());
  EXPECT_EQ(executor.size(), 2);
  executor.RunAll();  // cancelled: nothing runs, nothing breaks
}

TEST(MapTest, WhatTheInputThrowsComesOutOfTheCallAndCancelsTheRest) {
  ManualExecutor executor;
  std::istringstream text("1 2 three");
  text.exceptions(std::ios::failbit);
  int ran = 0;
  EXPECT_THROW(
      static_cast<void>(executor.Map([&ran](int) { ++ran; }, Numbers{&text})),
      std::ios::failure);
  executor.RunAll();
  EXPECT_EQ(ran, 0);
}

TEST(MapTest, AnErrorInAChunkComesOutAtItsPlaceAndTheRestGoesOn) {
  ManualExecutor executor;
  auto results = executor.Map(
      [](int n) {
        if (n % 3 == 0) throw n;
        return n;
      },
      std::vector<int>{1, 2, 3, 4, 5, 6, 7}, {.chunksize = 3});
  executor.RunAll();
  std::vector<int> all;
  for (auto it = results.begin(); it != results.end(); ++it) {
    try {
      all.push_back(*it);
    } catch (int n) {
      all.push_back(-n);
    }
  }
  EXPECT_THAT(all, ElementsAre(1, 2, -3, 4, 5, -6, 7));
}

TEST(MapTest, AnErrorAmidAChunkComesOutAsOftenAsItIsAskedFor) {
  ManualExecutor executor;
  auto results = executor.Map(
      [](int n) {
        if (n % 3 == 0) throw n;
        return std::string(100, static_cast<char>('0' + n));
      },
      std::vector<int>{1, 2, 3, 4, 5, 6, 7}, {.chunksize = 5});
  executor.RunAll();
  std::string all;
  for (auto it = results.begin(); it != results.end(); ++it) {
    for (int times = 0; times < 2; ++times) {
      try {
        all += (*it)[0];
      } catch (int n) {
        all += static_cast<char>('a' + n);
      }
    }
  }
  EXPECT_EQ(all, "1122dd4455gg77");
}

TEST(MapTest, BeginIsWhereTheRangeHasGotToAmidAChunk) {
  ManualExecutor executor;
  auto results =
      executor.Map([](int n) { return 10 * n; },
                   std::vector<int>{1, 2, 3, 4, 5}, {.chunksize = 4});
  executor.RunAll();
  std::vector<int> all;
  for (auto it = results.begin(); it != results.end(); it = results.begin()) {
    all.push_back(*it);
    ++it;
    if (it != results.end()) all.push_back(*it);
  }
  EXPECT_EQ(all, (std::vector<int>{10, 20, 20, 30, 30, 40, 40, 50, 50}));
}

TEST(MapTest, ElementsOfAChunkMayBeSteppedOver) {
  ManualExecutor executor;
  auto results = executor.Map(
      [](int n) {
        if (n == 4) throw n;
        return n;
      },
      std::vector<int>{1, 2, 3, 4, 5, 6, 7}, {.chunksize = 5});
  executor.RunAll();
  auto it = results.begin();
  ++it;  // before any is asked for
  EXPECT_EQ(*it, 2);
  ++it;  // known to be there
  ++it;  // what threw, not asked for
  ++it;
  EXPECT_EQ(*it, 5);
  ++it;
  ++it;
  EXPECT_EQ(*it, 7);
  ++it;
  EXPECT_TRUE(it == results.end());
}

// They take the places of their elements.
TEST(MapTest, SmallResultsAreDestroyedOnceAndWithTheirChunk) {
  struct Token {
    explicit Token(int& count) : live(count) { ++live; }
    Token(const Token&) = delete;
    ~Token() { --live; }
    int& live;
  };
  int live = 0;
  ManualExecutor executor;
  const std::vector<int64_t> numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  {
    auto results = executor.Map(
        [&live](int64_t n) {
          if (n == 4) throw n;
          return Token(live);
        },
        numbers, {.chunksize = 3});
    executor.RunAll();
    EXPECT_EQ(live, 9);
    auto it = results.begin();
    EXPECT_EQ(&(*it).live, &live);
    for (int i = 0; i < 3; ++i) ++it;
    EXPECT_EQ(live, 6);
    EXPECT_EQ(&(*it).live, &live);
    ++it;
    EXPECT_THROW(*it, int64_t);
    ++it;
    EXPECT_EQ(live, 6);
    ++it;
    EXPECT_EQ(live, 4);
  }
  EXPECT_EQ(live, 0);
}

TEST(MapTest, AnInputThatThrowsInAChunkLosesNothingBeforeIt) {
  ManualExecutor executor;
  std::istringstream text("1 2 3 four");
  text.exceptions(std::ios::failbit);
  auto results = executor.Map([](int n) { return n; }, Numbers{&text},
                              {.buffersize = 2, .chunksize = 2});
  executor.RunAll();
  auto it = results.begin();
  EXPECT_EQ(*it, 1);
  ++it;
  EXPECT_EQ(*it, 2);
  EXPECT_THROW(++it, std::ios::failure);
  executor.RunAll();
  EXPECT_EQ(*it, 3);
}

TEST(MapTest, AChunkThatIsRefusedIsHandedInAgain) {
  // Refuses the third task.
  class Moody final : public Executor {
   public:
    void Schedule(Task task) override {
      if (++asked_ == 3) throw std::runtime_error("not now");
      std::move(task).Run();
    }

   private:
    int asked_ = 0;
  };
  Moody executor;
  auto results = executor.Map([](int n) { return n; },
                              std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8},
                              {.buffersize = 4, .chunksize = 2});
  std::vector<int> all;
  int refused = 0;
  for (auto it = results.begin(); it != results.end();) {
    all.push_back(*it);
    try {
      ++it;
    } catch (const std::runtime_error&) {
      ++refused;
    }
  }
  EXPECT_EQ(refused, 1);
  EXPECT_THAT(all, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(MapTest, AChunksizeOfZeroIsRefused) {
  ManualExecutor executor;
  EXPECT_THROW(
      static_cast<void>(executor.Map([](int n) { return n; },
                                     std::vector<int>{1}, {.chunksize = 0})),
      std::invalid_argument);
  EXPECT_EQ(executor.size(), 0);
}

TEST(MapTest, ARefusedSubmissionComesOutOfTheStep) {
  ThreadPoolExecutor executor(1);
  auto results = executor.Map([](int n) { return n; },
                              std::vector<int>{1, 2, 3}, {.buffersize = 1});
  executor.Shutdown();
  auto it = results.begin();
  EXPECT_EQ(*it, 1);
  EXPECT_THROW(++it, ShutdownError);
  EXPECT_THROW(static_cast<void>(
                   executor.Map([](int n) { return n; }, std::vector<int>{1})),
               ShutdownError);
}
#endif

}  // namespace
}  // namespace heddle
