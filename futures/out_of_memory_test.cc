// Memory runs out at each allocation in turn: an error is thrown, nothing is
// lost or wedged, and nothing runs that nobody can ask for.

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/future.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/map_results.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/thread/internal/failing_new.h"

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

}  // namespace
}  // namespace heddle
#endif
