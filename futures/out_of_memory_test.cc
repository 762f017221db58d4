// Memory runs out at each allocation in turn: an error is thrown, nothing is
// lost or wedged, and nothing runs that nobody can ask for.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/futures/as_completed.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/future.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/map_results.h"
#include "heddle/futures/progress.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/block_cache.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/failing_new.h"
#include "heddle/thread/internal/manual_clock.h"

#ifdef ABSL_HAVE_EXCEPTIONS
namespace heddle {
namespace {

using internal::WithoutMemoryAfter;

// So large that no cache has a block for a task with it.
struct Large {
  explicit Large(int n) : number(n) {}
  int number;
  char bytes[1000] = {};
};

std::vector<Large> LargeNumbers(int count) {
  std::vector<Large> all;
  for (int n = 0; n < count; ++n) all.emplace_back(n);
  return all;
}

TEST(OutOfMemoryTest, SubmitIsRefusedAsAWhole) {
  auto held = std::make_shared<int>(1);
  bool failed = true;
  for (int n = 0; failed; ++n) {
    ManualExecutor executor;
    Future<int> future;
    const bool submitted = WithoutMemoryAfter(n, failed, [&] {
      future = executor.Submit(
          [](const Large& large, const std::shared_ptr<int>& one) {
            return large.number + *one;
          },
          Large(4), held);
    });
    EXPECT_EQ(submitted, !failed);
    EXPECT_EQ(executor.size(), submitted ? 1 : 0);
    EXPECT_EQ(held.use_count(), submitted ? 2 : 1);
    executor.RunAll();
    EXPECT_EQ(held.use_count(), 1);
    if (submitted) {
      EXPECT_EQ(future.Result(), 5);
    }
  }
}

TEST(OutOfMemoryTest, AnExecutorThatGotNoThreadMayBeUsedAgain) {
  bool failed = true;
  for (int n = 0; failed; ++n) {
    ThreadPoolExecutor executor(2);
    Future<int> future;
    if (!WithoutMemoryAfter(n, failed, [&] {
          future = executor.Submit(
              [](const Large& large) { return large.number; }, Large(6));
        })) {
      EXPECT_FALSE(future.valid());
      future = executor.Submit([] { return 6; });
    }
    EXPECT_EQ(future.Result(), 6);
  }
}

TEST(OutOfMemoryTest, MapThatFailsCancelsWhatItScheduled) {
  const std::vector<Large> numbers = LargeNumbers(200);
  bool failed = true;
  for (int n = 0; failed; ++n) {
    ManualExecutor executor;
    int ran = 0;
    const bool mapped = WithoutMemoryAfter(n, failed, [&] {
      auto results = executor.Map([&ran](const Large&) { ++ran; }, numbers);
      internal::FailAllocationAfter(-1);
      failed = false;
      executor.RunAll();
    });
    if (mapped) {
      EXPECT_EQ(ran, 200);
      break;
    }
    executor.RunAll();
    EXPECT_EQ(ran, 0) << n;
  }
}

TEST(OutOfMemoryTest, AChunkThatCannotKeepAnErrorLosesNoResult) {
  const auto held = std::make_shared<int>(1);
  bool failed = true;
  for (int n = 0; failed; ++n) {
    ManualExecutor executor;
    {
      auto results = executor.Map(
          [&held](int number) {
            if (number == 2) throw number;
            return held;
          },
          std::vector<int>{1, 2, 3}, {.chunksize = 3});
      EXPECT_TRUE(WithoutMemoryAfter(n, failed, [&] { executor.RunAll(); }));
      auto it = results.begin();
      if (failed) {
        EXPECT_THROW(*it, std::bad_alloc);
      } else {
        EXPECT_EQ(*it, held);
        EXPECT_THROW(*++it, int);
        EXPECT_EQ(*++it, held);
      }
    }
    EXPECT_EQ(held.use_count(), 1) << n;
  }
}

TEST(OutOfMemoryTest, AStepOfMapThatFailsIsMadeAndTheNextGoesOn) {
  constexpr int kCount = 300;
  const std::vector<Large> numbers = LargeNumbers(kCount);
  for (int n = 0; n < 4; ++n) {
    ManualExecutor executor;
    int ran = 0;
    auto results = executor.Map(
        [&ran](const Large& large) {
          ++ran;
          return large.number;
        },
        numbers, {.buffersize = 200});
    int expected = 0;
    int failures = 0;
    for (auto it = results.begin(); it != results.end();) {
      executor.RunAll();
      EXPECT_EQ(*it, expected);
      ++expected;
      // Only now and then, so that something is always on its way.
      bool failed = false;
      if (!WithoutMemoryAfter(expected % 2 == 0 ? n : -1, failed,
                              [&] { ++it; })) {
        ++failures;
      }
    }
    EXPECT_EQ(expected, kCount);
    EXPECT_EQ(ran, kCount);
    if (n == 0) {
      EXPECT_GT(failures, 0);
    }
  }
}

TEST(OutOfMemoryTest, MovingResultsAndHandlesNeedsNone) {
  ManualExecutor executor;
  auto results =
      executor.Map([](int n) { return n; }, std::vector<int>{1, 2, 3});
  executor.RunAll();
  int sum = 0;
  bool failed = true;
  EXPECT_TRUE(WithoutMemoryAfter(0, failed, [&] {
    auto moved = std::move(results);
    for (const int n : moved) sum += n;
  }));
  EXPECT_FALSE(failed);
  EXPECT_EQ(sum, 6);
}

TEST(OutOfMemoryTest, WaitingAndCancellingNeedNone) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 1; });
  const Future<int> other = executor.Submit([] { return 2; });
  bool failed = true;
  EXPECT_TRUE(WithoutMemoryAfter(0, failed, [&] {
    EXPECT_FALSE(future.Wait(absl::ZeroDuration()));
    EXPECT_TRUE(other.Cancel());
    executor.RunAll();
    EXPECT_EQ(future.Result(), 1);
  }));
  EXPECT_FALSE(failed);
}

// What a callback cannot be added to for want of memory is as it was.
TEST(OutOfMemoryTest, ACallbackIsAddedOrItIsNot) {
  struct LargeCallback {
    void operator()(const Future<int>& /*done*/) const { ++*called; }
    int* called;
    char bytes[2000] = {};  // so that no cache has a block for it
  };
  ManualExecutor executor;
  int called = 0;
  const Future<int> future = executor.Submit([] { return 1; });
  bool failed = false;
  EXPECT_FALSE(WithoutMemoryAfter(
      0, failed, [&] { future.AddDoneCallback(LargeCallback{&called}); }));
  EXPECT_TRUE(failed);
  future.AddDoneCallback(LargeCallback{&called});
  executor.RunAll();
  EXPECT_EQ(called, 1);
}

TEST(OutOfMemoryTest, APromiseIsMadeOrItIsNot) {
  using LargeResult = std::array<char, 3000>;
  bool failed = false;
  EXPECT_FALSE(
      WithoutMemoryAfter(0, failed, [] { Promise<LargeResult> promise; }));
  EXPECT_TRUE(failed);
}

// Watching several either works as a whole or leaves nothing at any of them.
TEST(OutOfMemoryTest, AsCompletedWatchesAllOrNone) {
  ManualExecutor executor;
  const std::vector<Future<int>> futures = {executor.Submit([] { return 1; }),
                                            executor.Submit([] { return 2; })};
  bool failed = true;
  int failures = 0;
  for (int n = 0; failed; ++n) {
    if (!WithoutMemoryAfter(n, failed, [&] {
          static_cast<void>(AsCompleted(futures, absl::ZeroDuration()));
        })) {
      ++failures;
    }
  }
  EXPECT_GT(failures, 3);
  executor.RunAll();  // would call what is left
  EXPECT_EQ(futures[1].Result(), 2);
}

TEST(OutOfMemoryTest, ALimitThatPassedIsAnErrorOfOneKindOrTheOther) {
  ManualExecutor executor;
  const std::array<Future<int>, 1> futures = {
      executor.Submit([] { return 1; })};
  bool failed = true;
  for (int n = 0; failed; ++n) {
    auto completed = AsCompleted(futures, absl::ZeroDuration());
    bool late = false;
    const bool told = WithoutMemoryAfter(n, failed, [&] {
      try {
        static_cast<void>(completed.begin());
      } catch (const TimeoutError&) {
        late = true;
      }
    });
    EXPECT_EQ(told, late);
    EXPECT_EQ(told, !failed);
  }
}

TEST(OutOfMemoryTest, AProgressCountsOnAndDrawsWhatItCan) {
  internal::ManualClock clock;
  std::FILE* const to = std::fopen("/dev/null", "w");
  bool failed = true;
  for (int n = 0; failed; ++n) {
    bool any = false;
    {
      // Its line is longer than a string that needs no memory.
      Progress progress({.what = "what takes memory to be said",
                         .total = 100,
                         .to = to,
                         .show = Progress::Show::kAlways});
      EXPECT_TRUE(WithoutMemoryAfter(n, any, [&] { progress.Add(1); }));
      EXPECT_EQ(progress.done(), 1);
      clock.Advance(absl::Seconds(1));
      progress.Add(1);
      EXPECT_EQ(progress.done(), 2);
      failed = any;
      bool told = WithoutMemoryAfter(
          n, any, [&] { static_cast<void>(progress.Line()); });
      EXPECT_EQ(told, !any);
      failed |= any;
      internal::FailAllocationAfter(n);
    }
    failed |= !internal::FailureIsAhead();
    internal::FailAllocationAfter(-1);
  }
  std::fclose(to);
}

// --- None needed ---------------------------------------------------------------

// Submit(), its run, callbacks, waits and the result, when all memory that they
// take has been had once.
TEST(NoAllocationTest, InItsStrideAnExecutorAllocatesNothing) {
  if (pool_internal::MaxCachedBytesPerThread() == 0)
    GTEST_SKIP() << "sanitizers see every block";
  ManualExecutor executor;
  const auto round = [&] {
    std::array<Future<int>, 100> futures;
    int called = 0;
    for (Future<int>& future : futures) {
      future = executor.Submit([](int x) { return x; }, 1);
      future.AddDoneCallback([&called](const Future<int>&) { ++called; });
    }
    executor.RunAll();
    int sum = 0;
    for (const Future<int>& future : futures) sum += future.Result();
    EXPECT_EQ(sum, 100);
    EXPECT_EQ(called, 100);
  };
  // A slab is used again when all that was in it has gone: in the next rounds.
  for (int i = 0; i < 4; ++i) round();
  const int64_t before = internal::AllocationsOfThisThread();
  round();
  EXPECT_EQ(internal::AllocationsOfThisThread(), before);
}

// A future costs 96 bytes at most, besides the callable and the result.
TEST(NoAllocationTest, AFutureIsSmall) {
  struct Callable {
    int64_t operator()() { return data[0]; }
    int64_t data[4];
  };
  using State = pool_internal::ResultTask<int64_t, Callable>;
  EXPECT_LE(sizeof(State), 96 + sizeof(Callable) + sizeof(int64_t));
  RecordProperty("bytes", static_cast<int>(sizeof(State) - sizeof(Callable) -
                                           sizeof(int64_t)));
}

}  // namespace
}  // namespace heddle
#endif
