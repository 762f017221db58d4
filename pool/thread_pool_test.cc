#include "heddle/pool/thread_pool.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <exception>
#include <forward_list>
#include <functional>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/pool/async_result.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/imap_results.h"
#include "heddle/pool/pool_stats.h"
#include "heddle/queue/queue.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/this_thread.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

int Square(int x) { return x * x; }

std::vector<int> UpTo(int n) {
  std::vector<int> numbers;
  for (int i = 0; i < n; ++i) numbers.push_back(i);
  return numbers;
}

// --- Apply -------------------------------------------------------------------

TEST(ThreadPoolTest, ApplyReturnsWhatTheFunctionDoes) {
  ThreadPool pool(2);
  EXPECT_EQ(pool.Apply(Square, 7), 49);
  EXPECT_EQ(pool.Apply([] { return std::string("text"); }), "text");
  pool.Apply([] {});
}

TEST(ThreadPoolTest, ApplyAsyncGivesAResultThatIsReadyInTheEnd) {
  ThreadPool pool(2);
  Event go;
  AsyncResult<int> result = pool.ApplyAsync(
      [&go](int x) {
        go.Wait();
        return x + 1;
      },
      41);
  EXPECT_TRUE(result.valid());
  EXPECT_FALSE(result.Ready());
  EXPECT_FALSE(result.Wait(absl::ZeroDuration()));
  go.Set();
  EXPECT_TRUE(result.Wait());
  EXPECT_TRUE(result.Ready());
  EXPECT_TRUE(result.Successful());
  EXPECT_EQ(result.Get(), 42);
  EXPECT_EQ(result.Get(), 42);
}

TEST(ThreadPoolTest, ArgumentsAndResultsMayBeMoveOnlyReferencesOrVoid) {
  ThreadPool pool(1);
  AsyncResult<std::unique_ptr<int>> moved = pool.ApplyAsync(
      [](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(3));
  EXPECT_EQ(*moved.Get(), 3);
  EXPECT_EQ(*std::move(moved).Get(), 3);
  int x = 0;
  AsyncResult<int&> reference =
      pool.ApplyAsync([](int& i) -> int& { return ++i; }, std::ref(x));
  EXPECT_EQ(&reference.Get(), &x);
  EXPECT_EQ(x, 1);
  AsyncResult<void> nothing = pool.ApplyAsync([] {});
  nothing.Get();
  EXPECT_TRUE(nothing.Successful());
}

TEST(ThreadPoolTest, WorkersHaveTheirNumbersAndAllStartAtOnce) {
  std::atomic<int> started{0};
  ThreadPool pool({.workers = 3,
                   .initializer = [&started] { ++started; },
                   .name_prefix = "crew"});
  EXPECT_EQ(pool.workers(), 3);
  const PoolStats stats = pool.Stats();
  EXPECT_EQ(stats.running + stats.idle, 3);
  EXPECT_THAT(pool.Apply([] { return CurrentThread().name(); }),
              StartsWith("crew_"));
  pool.Close();
  pool.Join();
  EXPECT_EQ(started, 3);
}

TEST(ThreadPoolTest, DestructorDoesWhatWasAccepted) {
  std::atomic<int> done{0};
  {
    ThreadPool pool(2);
    for (int i = 0; i < 100; ++i) pool.ApplyAsync([&done] { ++done; });
  }
  EXPECT_EQ(done, 100);
}

// --- Callbacks ---------------------------------------------------------------

TEST(ThreadPoolTest, CallbacksHaveRunBeforeTheResultIsReady) {
  ThreadPool pool(1);
  Event go;
  bool ready_inside = true;
  int told = 0;
  AsyncResult<int> result;
  AsyncResult<int>* const handle = &result;
  result = pool.ApplyAsync(
      Callbacks{[&](const int& value) {
        told = value;
        ready_inside = handle->Ready();
      }},
      [&go](int x) {
        go.Wait();
        return x;
      },
      5);
  go.Set();
  EXPECT_EQ(result.Get(), 5);
  EXPECT_EQ(told, 5);
  EXPECT_FALSE(ready_inside);
}

TEST(ThreadPoolTest, ACallbackGetsTheReferenceThatACallReturns) {
  ThreadPool pool(1);
  int x = 0;
  pool.ApplyAsync(Callbacks{[](int& value) { value = 7; }},
                  [&x]() -> int& { return x; })
      .Wait();
  EXPECT_EQ(x, 7);
}

TEST(ThreadPoolTest, CallbacksAreToldOfAStarMapToo) {
  ThreadPool pool(1);
  const std::vector<std::pair<int, int>> pairs = {{1, 2}, {3, 4}};
  std::vector<int> told;
  pool.StarMapAsync(
          Callbacks{[&](const std::vector<int>& sums) { told = sums; }},
          std::plus<>(), pairs)
      .Wait();
  EXPECT_THAT(told, ElementsAre(3, 7));
}

// --- Map ---------------------------------------------------------------------

TEST(ThreadPoolTest, MapGivesResultsInOrder) {
  ThreadPool pool(3);
  for (const int n : {0, 1, 2, 11, 12, 13, 1000}) {
    const std::vector<int> squares = pool.Map(Square, UpTo(n));
    ASSERT_EQ(squares.size(), static_cast<size_t>(n));
    for (int i = 0; i < n; ++i)
      EXPECT_EQ(squares[static_cast<size_t>(i)], i * i);
  }
}

TEST(ThreadPoolTest, MapTakesEveryKindOfRange) {
  ThreadPool pool(2);
  const int array[] = {1, 2, 3};
  EXPECT_THAT(pool.Map(Square, array), ElementsAre(1, 4, 9));
  EXPECT_THAT(pool.Map(Square, std::list<int>{1, 2, 3}), ElementsAre(1, 4, 9));
  EXPECT_THAT(pool.Map(Square, std::forward_list<int>{4, 5}),
              ElementsAre(16, 25));
  EXPECT_THAT(
      pool.Map([](bool b) { return !b; }, std::vector<bool>{true, false, true}),
      ElementsAre(false, true, false));
  EXPECT_THAT(
      pool.Map([](const std::pair<const int, int>& p) { return p.second; },
               std::map<int, int>{{1, 10}, {2, 20}}),
      ElementsAre(10, 20));
  struct Input {  // to be gone through once
    std::istream_iterator<int> begin() const {
      return std::istream_iterator<int>(*stream);
    }
    static std::istream_iterator<int> end() { return {}; }
    std::istringstream* stream;
  };
  std::istringstream stream("1 2 3");
  EXPECT_THAT(pool.Map(Square, Input{&stream}), ElementsAre(1, 4, 9));
}

TEST(ThreadPoolTest, MapMayChangeTheElementsOfAnLvalue) {
  ThreadPool pool(2);
  std::vector<int> numbers = UpTo(100);
  pool.Map([](int& x) { x *= 2; }, numbers);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(numbers[static_cast<size_t>(i)], 2 * i);
}

TEST(ThreadPoolTest, MapResultsMayBeOfEveryKind) {
  ThreadPool pool(2);
  struct NoDefault {
    explicit NoDefault(int n) : value(n) {}
    int value;
  };
  const std::vector<NoDefault> made =
      pool.Map([](int x) { return NoDefault(x); }, UpTo(50));
  EXPECT_EQ(made[49].value, 49);
  std::vector<std::unique_ptr<int>> moved =
      pool.Map([](int x) { return std::make_unique<int>(x); }, UpTo(50));
  EXPECT_EQ(*moved[49], 49);
  std::atomic<int> calls{0};
  static_assert(std::is_void_v<decltype(pool.Map([](int) {}, UpTo(1)))>);
  pool.Map([&calls](int) { ++calls; }, UpTo(50));
  EXPECT_EQ(calls, 50);
}

TEST(ThreadPoolTest, AChunkIsOneThreadsAndInOrder) {
  ThreadPool pool(3);
  Lock lock;
  std::map<int, std::vector<int>> by_chunk;
  std::map<int, std::set<uint64_t>> threads;
  pool.Map(
      [&](int x) {
        LockGuard guard(lock);
        by_chunk[x / 7].push_back(x);
        threads[x / 7].insert(GetIdent());
      },
      UpTo(100), {.chunksize = 7});
  EXPECT_EQ(by_chunk.size(), 15u);
  for (const auto& [chunk, elements] : by_chunk) {
    EXPECT_EQ(threads[chunk].size(), 1u);
    for (size_t i = 0; i < elements.size(); ++i)
      EXPECT_EQ(elements[i], 7 * chunk + static_cast<int>(i));
  }
}

TEST(ThreadPoolTest, MapAsyncOwnsWhatItNeeds) {
  ThreadPool pool(2);
  Event go;
  AsyncResult<std::vector<int>> result;
  {
    std::vector<int> numbers = UpTo(100);
    auto offset = std::make_unique<int>(1);
    result = pool.MapAsync(
        [&go, offset = std::move(offset)](int x) {
          go.Wait();
          return x + *offset;
        },
        numbers);
    numbers.assign(100, -1);
  }
  EXPECT_FALSE(result.Ready());
  go.Set();
  EXPECT_EQ(result.Get()[99], 100);
  std::vector<std::unique_ptr<int>> sources;
  sources.push_back(std::make_unique<int>(8));
  AsyncResult<std::vector<std::unique_ptr<int>>> moved = pool.MapAsync(
      [](std::unique_ptr<int> p) { return p; }, std::move(sources));
  EXPECT_EQ(*moved.Get()[0], 8);
}

TEST(ThreadPoolTest, MapAsyncTellsOnceForAll) {
  ThreadPool pool(2);
  int told = 0;
  size_t results = 0;
  const Callbacks callbacks{[&](const std::vector<int>& all) {
    ++told;
    results = all.size();
  }};
  pool.MapAsync(callbacks, Square, UpTo(20)).Get();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(results, 20u);
  EXPECT_THAT(pool.MapAsync(callbacks, Square, UpTo(0)).Get(), IsEmpty());
  EXPECT_EQ(told, 1) << "no callback for no elements";
}

TEST(ThreadPoolTest, StarMapUnpacksTuples) {
  ThreadPool pool(2);
  const std::vector<std::pair<int, int>> pairs = {{1, 2}, {3, 4}};
  EXPECT_THAT(pool.StarMap([](int a, int b) { return a * b; }, pairs),
              ElementsAre(2, 12));
  EXPECT_THAT(
      pool.StarMapAsync([](int a, int b) { return a + b; }, pairs).Get(),
      ElementsAre(3, 7));
  EXPECT_THAT(pool.StarMap([](int a, int b, int c) { return a + b + c; },
                           std::vector<std::array<int, 3>>{{1, 2, 3}}),
              ElementsAre(6));
}

// --- IMap --------------------------------------------------------------------

TEST(ThreadPoolTest, IMapGivesResultsInOrder) {
  ThreadPool pool(3);
  for (const size_t chunksize : {size_t{1}, size_t{3}, size_t{7}}) {
    std::vector<int> squares;
    for (const int square :
         pool.IMap(Square, UpTo(50), {.chunksize = chunksize})) {
      squares.push_back(square);
    }
    ASSERT_EQ(squares.size(), 50u);
    for (int i = 0; i < 50; ++i)
      EXPECT_EQ(squares[static_cast<size_t>(i)], i * i);
  }
}

TEST(ThreadPoolTest, IMapUnorderedGivesResultsAsTheyCome) {
  ThreadPool pool(2);
  Event go;
  auto results = pool.IMapUnordered(
      [&go](int x) {
        if (x == 0) go.Wait();
        return x;
      },
      UpTo(4));
  std::vector<int> first;
  for (int i = 0; i < 3; ++i) first.push_back(*results.Next());
  EXPECT_THAT(first, UnorderedElementsAre(1, 2, 3));
  go.Set();
  EXPECT_EQ(results.Next(), 0);
  EXPECT_EQ(results.Next(), std::nullopt);
  EXPECT_EQ(results.Next(), std::nullopt);
}

// Numbers without end, unless one of them throws; they say how far they have been
// read.
struct Endless {
  struct Iterator {
    using iterator_category = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using pointer = const int*;
    using reference = int;
    int operator*() const { return *read; }
    Iterator& operator++() {
      if (++*read == throws_at) internal::Throw(std::runtime_error("no more"));
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator&, std::default_sentinel_t) {
      return false;
    }
    int* read;
    int throws_at;
  };
  Iterator begin() const { return {read, throws_at}; }
  static std::default_sentinel_t end() { return {}; }
  int* read;
  int throws_at = -1;
};

TEST(ThreadPoolTest, IMapReadsOnlyAsFarAheadAsItsBound) {
  ThreadPool pool(2);
  for (const bool ordered : {true, false}) {
    int read = 0;
    auto results =
        ordered ? pool.IMap(Square, Endless{&read}, {.buffersize = 5})
                : pool.IMapUnordered(Square, Endless{&read}, {.buffersize = 5});
    EXPECT_EQ(read, 4) << "number 4 is the fifth";
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(results.Next().has_value());
      EXPECT_LE(read, i + 5);
    }
  }
  int read = 0;
  auto by_default = pool.IMap(Square, Endless{&read});
  EXPECT_EQ(read, 64 - 1);
}

TEST(ThreadPoolTest, DroppedResultsStopTheRest) {
  std::atomic<int> calls{0};
  {
    Event go;
    ThreadPool pool({.workers = 1, .max_spares = 0});
    {
      auto results = pool.IMap(
          [&](int x) {
            ++calls;
            go.Wait();
            return x;
          },
          UpTo(100), {.buffersize = 100});
      while (calls == 0) std::this_thread::yield();
    }
    go.Set();
  }
  EXPECT_EQ(calls, 1) << "the one that had begun";
}

TEST(ThreadPoolTest, IMapOfVoidCountsCalls) {
  ThreadPool pool(2);
  std::atomic<int> calls{0};
  auto results = pool.IMap([&calls](int) { ++calls; }, UpTo(10));
  int results_seen = 0;
  while (results.Next().has_value()) ++results_seen;
  EXPECT_EQ(results_seen, 10);
  EXPECT_EQ(calls, 10);
}

TEST(ThreadPoolTest, IMapTakesAnyChunksizeAndBuffersize) {
  ThreadPool pool(2);
  for (const size_t huge :
       {size_t{1} << 40, std::numeric_limits<size_t>::max()}) {
    for (const IMapOptions& options :
         {IMapOptions{.chunksize = huge}, IMapOptions{.buffersize = huge}}) {
      int sum = 0;
      for (const int x : pool.IMap(Square, UpTo(10), options)) sum += x;
      for (const int x : pool.IMapUnordered(Square, UpTo(10), options))
        sum += x;
      EXPECT_EQ(sum, 2 * 285);
    }
  }
}

// How long this thread has been on a processor.
double CpuSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

// What it costs to take `count` results that are all there.
double CostOfTaking(int count) {
  ThreadPool pool(2);
  auto results = pool.IMapUnordered([](int x) { return x; }, UpTo(count),
                                    {.buffersize = static_cast<size_t>(count)});
  pool.Close();
  pool.Join();
  const double begun = CpuSeconds();
  int64_t sum = 0;
  while (const std::optional<int> x = results.Next()) sum += *x;
  EXPECT_EQ(sum, int64_t{count} * (count - 1) / 2);
  return CpuSeconds() - begun;
}

// Of sixteen times as many, each may cost four times as much, and not sixteen
// times.
TEST(ThreadPoolTest, AResultCostsTheSameHoweverManyWaitToBeTaken) {
  double few = std::numeric_limits<double>::max();
  for (int i = 0; i < 3; ++i) few = std::min(few, CostOfTaking(5'000));
  EXPECT_LT(CostOfTaking(80'000), 64 * few);
}

// Also when they are dropped: what waits is no chain that ends itself link by
// link, on the stack.
TEST(ThreadPoolTest, ResultsThatNobodyTakesMayBeMany) {
  constexpr int kCount = 20'000;
  ThreadPool pool(2);
  auto results = std::make_unique<IMapResults<int (*)(int), std::vector<int>>>(
      pool.IMapUnordered(&Square, UpTo(kCount), {.buffersize = kCount}));
  pool.Close();
  pool.Join();
  Thread::Options options;
  options.stack_size = 64 * 1024;
  Thread dropper(options, [&results] { results.reset(); });
  dropper.Start();
  EXPECT_TRUE(dropper.Join());
}

TEST(ThreadPoolTest, IMapMovesTheElementsOfAContainerThatIsItsOwn) {
  ThreadPool pool(2);
  std::vector<std::unique_ptr<int>> numbers;
  for (int i = 0; i < 10; ++i) numbers.push_back(std::make_unique<int>(i));
  int sum = 0;
  for (const std::unique_ptr<int>& x : pool.IMap(
           [](std::unique_ptr<int> p) {
             *p *= 2;
             return p;
           },
           pool.IMap(
               [](std::unique_ptr<int> p) {
                 ++*p;
                 return p;
               },
               std::move(numbers)))) {
    sum += *x;
  }
  EXPECT_EQ(sum, 110);
}

// --- Loops -------------------------------------------------------------------

TEST(ThreadPoolTest, ForRangeCallsEachIndexOnce) {
  ThreadPool pool(3);
  for (const int64_t n : {0, 1, 2, 15, 16, 17, 1000, 100'000}) {
    for (const int64_t grain : {1, 10, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<size_t>(n));
      pool.ForRange(
          0, n, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; }, grain);
      for (const auto& count : calls) ASSERT_EQ(count, 1);
    }
  }
  pool.ForRange(5, -5, [](int64_t) { FAIL(); });
  std::atomic<int64_t> sum{0};
  const auto add = [&](int64_t i) { sum += i; };
  pool.ForRange(-10, 11, add);
  EXPECT_EQ(sum, 0);
}

std::atomic<int64_t> sum_of_numbers{0};
void AddNumber(int64_t i) { sum_of_numbers += i; }

TEST(ThreadPoolTest, ForRangeTakesFunctionsToo) {
  ThreadPool pool(2);
  pool.ForRange(0, 10, AddNumber);
  EXPECT_EQ(sum_of_numbers, 45);
  pool.ForRange(0, 10, &AddNumber, /*grain=*/2);
  EXPECT_EQ(sum_of_numbers, 90);
  pool.ForEach(std::vector<int64_t>(10, 1), AddNumber);
  EXPECT_EQ(sum_of_numbers, 100);
}

TEST(ThreadPoolTest, ALongLoopIsShared) {
  ThreadPool pool(2);
  Lock lock;
  std::set<uint64_t> threads;
  pool.ForRange(0, 400, [&](int64_t) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    LockGuard guard(lock);
    threads.insert(GetIdent());
  });
  EXPECT_GE(threads.size(), 2u);
  EXPECT_EQ(threads.count(GetIdent()), 1u) << "the caller does its part";
}

TEST(ThreadPoolTest, ForEachMayChangeTheElements) {
  ThreadPool pool(2);
  std::vector<double> numbers(10'000, 4);
  pool.ForEach(numbers, [](double& x) { x = std::sqrt(x); });
  for (const double x : numbers) ASSERT_EQ(x, 2);
}

TEST(ThreadPoolTest, ForEachCallsMembersToo) {
  struct Counter {
    void Increment() { ++count; }
    int count = 0;
  };
  ThreadPool pool(2);
  std::vector<Counter> counters(100);
  pool.ForEach(counters, &Counter::Increment);
  for (const Counter& counter : counters) ASSERT_EQ(counter.count, 1);
}

// Bits share words: their elements are read only.
TEST(ThreadPoolTest, BitsAreReadAsBools) {
  ThreadPool pool(2);
  std::vector<bool> bits(1000, true);
  const auto clear = [](auto&& bit) {
    const bool was = bit;
    bit = false;
    return was;
  };
  EXPECT_EQ(pool.Map(clear, bits), bits);
  EXPECT_EQ(bits, std::vector<bool>(1000, true));
  std::atomic<int> ones{0};
  pool.ForEach(std::as_const(bits), [&](bool bit) { ones += bit ? 1 : 0; });
  EXPECT_EQ(ones, 1000);
}

TEST(ThreadPoolTest, ALoopIsSharedAsSoonAsOneElementTakesLong) {
  ThreadPool pool(1);
  Event guest_came;
  const uint64_t caller = GetIdent();
  pool.ForRange(0, 10'000, [&](int64_t i) {
    if (GetIdent() != caller) {
      guest_came.Set();
    } else if (i == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    } else {
      guest_came.Wait();  // the second element waits for company
    }
  });
  EXPECT_TRUE(guest_came.IsSet());
}

// Calls loop(n) for n from 1 to 2000, one behind the other, in two threads: a
// worker watches for the next one meanwhile.
template <typename Loop>
void RunStreams(const Loop& loop) {
  const auto stream = [&] {
    for (int64_t n = 1; n <= 2000; ++n) loop(n);
  };
  Thread other(stream);
  other.Start();
  stream();
  other.Join();
}

TEST(ThreadPoolTest, ShortLoopsInAStreamCallEachIndexOnce) {
  ThreadPool pool(2);
  std::atomic<int> wrong{0};
  RunStreams([&](int64_t n) {
    std::vector<int> calls(static_cast<size_t>(n));
    pool.ForRange(0, n, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; });
    if (std::count(calls.begin(), calls.end(), 1) != n) ++wrong;
  });
  EXPECT_EQ(wrong, 0);
}

TEST(ThreadPoolTest, LoopsMayBeNested) {
  ThreadPool pool(2);
  std::atomic<int> calls{0};
  pool.ForRange(
      0, 50, [&](int64_t) { pool.ForRange(0, 50, [&](int64_t) { ++calls; }); });
  EXPECT_EQ(calls, 2500);
}

TEST(ThreadPoolTest, InvokeCallsAll) {
  ThreadPool pool(2);
  int a = 0;
  int b = 0;
  int c = 0;
  pool.Invoke([&] { a = 1; }, [&] { b = 2; }, [&] { c = 3; });
  EXPECT_EQ(a + b + c, 6);
  const std::function<int(int)> fib = [&](int n) {
    if (n < 2) return n;
    int x = 0;
    int y = 0;
    pool.Invoke([&] { x = fib(n - 1); }, [&] { y = fib(n - 2); });
    return x + y;
  };
  EXPECT_EQ(fib(18), 2584);
}

// --- The end -----------------------------------------------------------------

TEST(ThreadPoolTest, CloseDoesWhatWasAcceptedAndNoMore) {
  ThreadPool pool(1);
  Event go;
  AsyncResult<void> first = pool.ApplyAsync([&go] { go.Wait(); });
  AsyncResult<int> second = pool.ApplyAsync(Square, 3);
  pool.Close();
  pool.Close();
  go.Set();
  EXPECT_TRUE(pool.Join());
  EXPECT_TRUE(pool.Join());
  EXPECT_EQ(second.Get(), 9);
}

TEST(ThreadPoolTest, ATaskMayDestroyItsPool) {
  auto* const pool = new ThreadPool(1);
  Event done;
  pool->ApplyAsync([pool, &done] {
    delete pool;
    done.Set();
  });
  EXPECT_TRUE(done.Wait());
}

// --- Waiting inside ----------------------------------------------------------

TEST(ThreadPoolTest, ApplyInsideApplyToDepthOneHundredInAPoolOfOne) {
  ThreadPool pool(1);
  const std::function<int(int)> down = [&](int depth) {
    return depth == 0 ? 0 : 1 + pool.Apply(down, depth - 1);
  };
  EXPECT_EQ(pool.Apply(down, 100), 100);
}

TEST(ThreadPoolTest, MapInsideMapInAPoolOfOne) {
  ThreadPool pool(1);
  const std::vector<int> sums = pool.Map(
      [&](int x) {
        int sum = 0;
        for (const int y : pool.Map(Square, UpTo(x))) sum += y;
        return sum;
      },
      UpTo(10));
  EXPECT_EQ(sums[9], 204);
}

TEST(ThreadPoolTest, IMapInsideATaskOfAPoolOfOne) {
  ThreadPool pool(1);
  const int sum = pool.Apply([&] {
    int total = 0;
    for (const int x : pool.IMapUnordered(Square, UpTo(10))) total += x;
    return total;
  });
  EXPECT_EQ(sum, 285);
}

TEST(ThreadPoolTest, IMapsInsideTasksNestAsDeepAsTheyLike) {
  ThreadPool pool(2);
  for (const bool ordered : {true, false}) {
    std::function<int(int)> down = [&](int depth) {
      if (depth == 0) return 0;
      const std::vector<int> next = {depth - 1};
      auto results = ordered ? pool.IMap(std::ref(down), next)
                             : pool.IMapUnordered(std::ref(down), next);
      return *results.Next() + 1;
    };
    EXPECT_EQ(pool.Apply(std::ref(down), 16'000), 16'000);
  }
}

TEST(ThreadPoolTest, AWaitWithALimitInsideIsServedByASpare) {
  ThreadPool pool({.workers = 1, .max_spares = 1});
  EXPECT_EQ(pool.Apply([&] {
    return pool.ApplyAsync(Square, 5).Get(absl::Minutes(1));
  }),
            25);
}

TEST(ThreadPoolTest, ProducerAndConsumerTasksInAPoolOfOne) {
  ThreadPool pool({.workers = 1, .max_spares = 1});
  Queue<int> queue(2);
  AsyncResult<int> consumer = pool.ApplyAsync([&queue] {
    int sum = 0;
    for (const int x : queue) sum += x;
    return sum;
  });
  AsyncResult<void> producer = pool.ApplyAsync([&queue] {
    for (int i = 0; i < 100; ++i) queue.Put(i);
    queue.Shutdown();
  });
  EXPECT_EQ(consumer.Get(), 4950);
  producer.Get();
}

// A helper that ran a stranger's task on the stack of the waiter would want the
// lock that the waiter holds.
TEST(ThreadPoolTest, WhoWaitsForATaskHoldingALockRunsNoStranger) {
  ThreadPool pool(1);
  Lock lock;
  AsyncResult<int> outer = pool.ApplyAsync([&] {
    LockGuard guard(lock);
    AsyncResult<int> stranger = pool.ApplyAsync([&lock] {
      LockGuard inner(lock);
      return 1;
    });
    AsyncResult<int> wanted = pool.ApplyAsync(Square, 4);
    return wanted.Get();
  });
  EXPECT_EQ(outer.Get(), 16);
}

#ifdef ABSL_HAVE_EXCEPTIONS
// --- Errors ------------------------------------------------------------------

TEST(ThreadPoolTest, OfShortLoopsInAStreamTheLowestErrorComesOut) {
  ThreadPool pool(2);
  std::atomic<int> wrong{0};
  RunStreams([&](int64_t n) {
    std::vector<int> calls(static_cast<size_t>(n));
    try {
      pool.ForRange(0, n, [&](int64_t i) {
        ++calls[static_cast<size_t>(i)];
        if (i >= n / 2) throw i;
      });
      ++wrong;
    } catch (int64_t lowest) {
      if (lowest != n / 2) ++wrong;
    }
    if (std::count(calls.begin(), calls.begin() + n / 2, 1) != n / 2) ++wrong;
  });
  EXPECT_EQ(wrong, 0);
}

int ThrowAt(int wanted, int x) {
  if (x == wanted) throw std::runtime_error(absl::StrCat("at ", x));
  return x;
}

TEST(ThreadPoolTest, WhatACallThrowsComesOutOfGetEachTime) {
  ThreadPool pool(1);
  AsyncResult<int> result = pool.ApplyAsync(ThrowAt, 1, 1);
  EXPECT_THROW(static_cast<void>(result.Get()), std::runtime_error);
  EXPECT_THROW(static_cast<void>(result.Get()), std::runtime_error);
  EXPECT_FALSE(result.Successful());
  EXPECT_THROW(pool.Apply(ThrowAt, 2, 2), std::runtime_error);
}

TEST(ThreadPoolTest, SuccessfulBeforeItIsReadyIsAnError) {
  ThreadPool pool(1);
  Event go;
  AsyncResult<void> result = pool.ApplyAsync([&go] { go.Wait(); });
  EXPECT_THROW(static_cast<void>(result.Successful()), std::logic_error);
  EXPECT_THROW(result.Get(absl::Milliseconds(1)), TimeoutError);
  go.Set();
  result.Get();
  EXPECT_THROW(AsyncResult<int>().Get(), std::logic_error);
}

TEST(ThreadPoolTest, OfSeveralErrorsInAMapTheLowestComesOutWhenAllHasEnded) {
  ThreadPool pool(2);
  std::atomic<int> calls{0};
  try {
    pool.Map(
        [&calls](int x) {
          ++calls;
          if (x % 10 == 3) throw std::runtime_error(absl::StrCat("at ", x));
        },
        UpTo(100), {.chunksize = 5});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "at 3");
  }
  EXPECT_EQ(calls, 90) << "a chunk ends at its error, the others go on";
}

// For ThreadSanitizer: who looks at an exception is not to meet a worker that
// destroys it, though no handle is left.
TEST(ThreadPoolTest, WhatWasThrownIsTheCallersAloneWhenTheHandlesAreGone) {
  ThreadPool pool(2);
  const std::vector<int> elements = UpTo(20);
  const auto caught = [](auto call) {
    try {
      call();
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(caught([&] { pool.Apply(ThrowAt, 1, 1); }), "at 1");
    EXPECT_EQ(caught([&] { pool.ApplyAsync(ThrowAt, 2, 2).Get(); }), "at 2");
    const auto third = [](int x) { return ThrowAt(3, x); };
    EXPECT_EQ(caught([&] { pool.Map(third, elements); }), "at 3");
    EXPECT_EQ(caught([&] { pool.MapAsync(third, elements).Get(); }), "at 3");
    EXPECT_EQ(caught([&] {
                pool.ForRange(0, 1000, [](int64_t x) {
                  if (x == 999) throw std::runtime_error("at 999");
                });
              }),
              "at 999");
  }
}

// In its own pool's queue there is still a task that will find nothing to do.
TEST(ThreadPoolTest, AResultGoesWithItsLastHandle) {
  ThreadPool pool(1);
  const auto shared = std::make_shared<int>(1);
  pool.Apply([&] {
    auto result = pool.ApplyAsync([&] { return shared; });
    result.Wait();  // calls it here
    EXPECT_EQ(shared.use_count(), 2);
    result = {};
    EXPECT_EQ(shared.use_count(), 1);
  });
}

TEST(ThreadPoolTest, TheLowestErrorOfALoopComesOut) {
  ThreadPool pool(2);
  for (const int64_t wrong : {0, 5, 500, 99'999}) {
    try {
      pool.ForRange(0, 100'000, [&](int64_t i) {
        if (i >= wrong) throw std::runtime_error(absl::StrCat("at ", i));
      });
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), absl::StrCat("at ", wrong));
    }
  }
}

TEST(ThreadPoolTest, InvokeRethrowsTheFirstsErrorAndHasCalledBoth) {
  ThreadPool pool(2);
  bool called = false;
  EXPECT_THROW(pool.Invoke([] { throw std::runtime_error("f"); },
                           [&] {
                             called = true;
                             throw std::logic_error("g");
                           }),
               std::runtime_error);
  EXPECT_TRUE(called);
  EXPECT_THROW(pool.Invoke([] {}, [] { throw std::logic_error("g"); }),
               std::logic_error);
}

TEST(ThreadPoolTest, AnErrorOfIMapComesOutAtItsPlaceAndTheRestGoesOn) {
  ThreadPool pool(2);
  for (const size_t chunksize : {size_t{1}, size_t{4}}) {
    auto results = pool.IMap([](int x) { return ThrowAt(2, x); }, UpTo(4),
                             {.chunksize = chunksize});
    EXPECT_EQ(results.Next(), 0);
    EXPECT_EQ(results.Next(), 1);
    EXPECT_THROW(static_cast<void>(results.Next()), std::runtime_error);
    EXPECT_EQ(results.Next(), 3);
    EXPECT_EQ(results.Next(), std::nullopt);
  }
}

TEST(ThreadPoolTest, ResultsMayOutliveTheirPool) {
  for (const bool ordered : {true, false}) {
    auto pool = std::make_unique<ThreadPool>(2);
    auto map = pool->MapAsync(Square, UpTo(10));
    auto results =
        ordered ? pool->IMap(Square, UpTo(10), {.buffersize = 4})
                : pool->IMapUnordered(Square, UpTo(10), {.buffersize = 4});
    pool.reset();
    EXPECT_EQ(map.Get()[9], 81);
    std::vector<int> got;
    for (int i = 0; i < 4; ++i) got.push_back(*results.Next());
    EXPECT_THAT(got, UnorderedElementsAre(0, 1, 4, 9));
    EXPECT_THROW(static_cast<void>(results.Next()), ShutdownError);
    EXPECT_EQ(results.Next(), std::nullopt);
  }
}

TEST(ThreadPoolTest, AnIteratorThatCouldNotStepNeverShowsTheLastResultAgain) {
  ThreadPool pool(2);
  auto results = pool.IMap([](int x) { return ThrowAt(2, x); }, UpTo(5));
  std::vector<int> got;
  int thrown = 0;
  for (auto it = results.begin(); it != results.end();) {
    try {
      got.push_back(*it);
    } catch (const std::runtime_error&) {
      ++thrown;
    }
    try {
      ++it;
    } catch (const std::runtime_error&) {
      ++thrown;
    }
  }
  EXPECT_THAT(got, ElementsAre(0, 1, 3, 4));
  EXPECT_EQ(thrown, 2) << "by the step, and by the look at what it came to";
}

TEST(ThreadPoolTest, WhatTheInputOfIMapThrowsComesAfterTheResultsBeforeIt) {
  int read = 0;
  ThreadPool pool(2);
  auto results = pool.IMap(Square, Endless{&read, /*throws_at=*/3});
  EXPECT_EQ(results.Next(), 0);
  EXPECT_EQ(results.Next(), 1);
  EXPECT_EQ(results.Next(), 4);
  EXPECT_THROW(static_cast<void>(results.Next()), std::runtime_error);
  EXPECT_EQ(results.Next(), std::nullopt);
}

TEST(ThreadPoolTest, NextThrowsWhenItsLimitPassesAndMayBeCalledAgain) {
  ThreadPool pool(1);
  for (const bool ordered : {true, false}) {
    Event go;
    const auto wait = [&go](int x) {
      go.Wait();
      return x;
    };
    auto results =
        ordered ? pool.IMap(wait, UpTo(1)) : pool.IMapUnordered(wait, UpTo(1));
    EXPECT_THROW(static_cast<void>(results.Next(absl::Milliseconds(1))),
                 TimeoutError);
    go.Set();
    EXPECT_EQ(results.Next(), 0);
  }
}

TEST(ThreadPoolTest, BadOptionsAreRefused) {
  EXPECT_THROW(ThreadPool(0), std::invalid_argument);
  EXPECT_THROW(ThreadPool(-1), std::invalid_argument);
  ThreadPool pool(1);
  EXPECT_THROW(pool.Map(Square, UpTo(3), {.chunksize = 0}),
               std::invalid_argument);
  EXPECT_THROW(pool.Map(Square, UpTo(3), {.chunksize = -1}),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(pool.IMap(Square, UpTo(3), {.chunksize = 0})),
               std::invalid_argument);
  EXPECT_THROW(pool.ForRange(
                   0, 10, [](int64_t) {}, 0),
               std::invalid_argument);
}

TEST(ThreadPoolTest, AClosedPoolRefusesEverything) {
  ThreadPool pool(1);
  EXPECT_THROW(pool.Join(), std::logic_error);
  pool.Close();
  EXPECT_THROW(pool.Apply(Square, 1), ShutdownError);
  EXPECT_THROW(pool.ApplyAsync(Square, 1), ShutdownError);
  EXPECT_THROW(pool.Map(Square, UpTo(1)), ShutdownError);
  EXPECT_THROW(pool.Map(Square, UpTo(0)), ShutdownError);
  EXPECT_THROW(static_cast<void>(pool.IMap(Square, UpTo(1))), ShutdownError);
  EXPECT_THROW(pool.ForRange(0, 1, [](int64_t) {}), ShutdownError);
  EXPECT_THROW(pool.Invoke([] {}, [] {}), ShutdownError);
}

// A function that throws when it is copied, moved or destroyed.
struct Fragile {
  explicit Fragile(bool copy, bool move, bool end)
      : at_copy(copy), at_move(move), at_end(end) {}
  Fragile(const Fragile& other)
      : at_copy(other.at_copy), at_move(other.at_move), at_end(other.at_end) {
    if (at_copy) throw std::runtime_error("copy");
  }
  Fragile(Fragile&& other) noexcept(false)
      : at_copy(other.at_copy), at_move(other.at_move), at_end(other.at_end) {
    if (at_move) throw std::runtime_error("move");
    other.at_end = false;
  }
  ~Fragile() noexcept(false) {
    if (at_end) throw std::runtime_error("end");
  }
  int operator()(int x) const { return x; }

  bool at_copy;
  bool at_move;
  bool at_end;
};

TEST(ThreadPoolTest, AFunctionThatCannotBeTakenOverIsNotAccepted) {
  ThreadPool pool(1);
  const Fragile no_copy(true, false, false);
  EXPECT_THROW(pool.ApplyAsync(no_copy, 1), std::runtime_error);
  EXPECT_THROW(pool.MapAsync(no_copy, UpTo(3)), std::runtime_error);
  EXPECT_THROW(static_cast<void>(pool.IMap(no_copy, UpTo(3))),
               std::runtime_error);
  EXPECT_THROW(pool.ApplyAsync(Fragile(false, true, false), 1),
               std::runtime_error);
  EXPECT_THAT(pool.Map(no_copy, UpTo(3)), ElementsAre(0, 1, 2))
      << "Map only refers to it";
  EXPECT_EQ(pool.Apply(Square, 2), 4);
  pool.Close();
  pool.Join();  // a task counts as done when its worker goes on
  EXPECT_EQ(pool.Stats().submitted, pool.Stats().done);
}

TEST(ThreadPoolTest, AFunctionThatThrowsAtItsEndDoesNotHarmTheResult) {
  std::atomic<int> reported{0};
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  {
    ThreadPool pool(1);
    EXPECT_EQ(pool.ApplyAsync(Fragile(false, false, true), 7).Get(), 7);
    EXPECT_THAT(pool.MapAsync(Fragile(false, false, true), UpTo(3)).Get(),
                ElementsAre(0, 1, 2));
    EXPECT_EQ(pool.IMap(Fragile(false, false, true), UpTo(3)).Next(), 0);
  }
  SetExceptHook({});
  EXPECT_EQ(reported, 3);
}

// --- The five faults of Python's pool -----------------------------------------

// 1. A callback that raises.
TEST(ThreadPoolTest, ACallbackThatThrowsIsReportedAndHoldsUpNothing) {
  std::atomic<int> reported{0};
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  {
    ThreadPool pool(1);
    const auto fail = [](auto&&...) { throw std::runtime_error("callback"); };
    EXPECT_EQ(pool.ApplyAsync(Callbacks{fail, fail}, Square, 3).Get(), 9);
    EXPECT_THROW(pool.ApplyAsync(Callbacks{fail, fail}, ThrowAt, 1, 1).Get(),
                 std::runtime_error);
    EXPECT_EQ(pool.MapAsync(Callbacks{fail}, Square, UpTo(3)).Get()[2], 4);
    EXPECT_EQ(pool.Apply(Square, 4), 16);
  }
  SetExceptHook({});
  EXPECT_EQ(reported, 3);
}

// 2. An initializer that raises.
TEST(ThreadPoolTest, AnInitializerThatThrowsBreaksThePoolAndNothingHangs) {
  std::atomic<int> reported{0};
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  {
    Event go;
    ThreadPool pool({.workers = 1, .initializer = [&go] {
                       go.Wait();
                       throw std::runtime_error("initializer");
                     }});
    AsyncResult<int> pending = pool.ApplyAsync(Square, 3);
    AsyncResult<std::vector<int>> map = pool.MapAsync(Square, UpTo(10));
    auto imap = pool.IMap(Square, UpTo(3));
    auto unordered = pool.IMapUnordered(Square, UpTo(3));
    go.Set();
    EXPECT_THROW(pending.Get(), BrokenPool);
    EXPECT_THROW(map.Get(), BrokenPool);
    EXPECT_THROW(static_cast<void>(imap.Next()), BrokenPool);
    EXPECT_THROW(static_cast<void>(unordered.Next()), BrokenPool);
    EXPECT_THROW(pool.Apply(Square, 3), BrokenPool);
    EXPECT_THROW(pool.Invoke([] {}, [] {}), BrokenPool);
    EXPECT_TRUE(pool.Join());
  }
  SetExceptHook({});
  EXPECT_EQ(reported, 1);
}

// 3. A task raising what is no ordinary exception.
TEST(ThreadPoolTest, ACallMayThrowWhateverItLikes) {
  ThreadPool pool(1);
  AsyncResult<void> result = pool.ApplyAsync([] { throw 42; });
  EXPECT_THROW(result.Get(), int);
  EXPECT_EQ(pool.Apply(Square, 2), 4);
}

// 4. terminate() with results pending.
TEST(ThreadPoolTest, TerminateCancelsWhatHasNotBegun) {
  Event begun;
  Event go;
  ThreadPool pool({.workers = 1, .max_spares = 0});
  AsyncResult<int> running = pool.ApplyAsync([&] {
    begun.Set();
    go.Wait();
    return 1;
  });
  AsyncResult<int> pending = pool.ApplyAsync(Square, 3);
  AsyncResult<std::vector<int>> map = pool.MapAsync(Square, UpTo(10));
  auto imap = pool.IMap(Square, UpTo(3));
  auto unordered = pool.IMapUnordered(Square, UpTo(3));
  begun.Wait();
  pool.Terminate();
  EXPECT_THROW(pending.Get(), CancelledError);
  EXPECT_THROW(map.Get(), CancelledError);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(static_cast<void>(imap.Next()), CancelledError);
    EXPECT_THROW(static_cast<void>(unordered.Next()), CancelledError);
  }
  EXPECT_EQ(imap.Next(), std::nullopt);
  EXPECT_EQ(unordered.Next(), std::nullopt);
  EXPECT_FALSE(pending.Successful());
  EXPECT_FALSE(running.Ready());
  go.Set();
  EXPECT_EQ(running.Get(), 1);
  EXPECT_TRUE(pool.Join());
}

TEST(ThreadPoolTest, TerminateCancelsAMapThatIsHalfDone) {
  Event begun;
  Event go;
  std::atomic<int> calls{0};
  ThreadPool pool({.workers = 1, .max_spares = 0});
  AsyncResult<void> map = pool.MapAsync(
      [&](int) {
        ++calls;
        begun.Set();
        go.Wait();
      },
      UpTo(10), {.chunksize = 1});
  begun.Wait();
  pool.Terminate();
  EXPECT_FALSE(map.Ready());
  go.Set();
  EXPECT_THROW(map.Get(), CancelledError);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(pool.Join());
}

// 5. Apply from inside a full pool: ApplyInsideApply... above; and join() there.
TEST(ThreadPoolTest, JoinInAWorkerIsAnError) {
  ThreadPool pool(1);
  AsyncResult<void> result = pool.ApplyAsync([&pool] {
    pool.Close();
    pool.Join();
  });
  EXPECT_THROW(result.Get(), std::logic_error);
}
#endif

}  // namespace
}  // namespace heddle
