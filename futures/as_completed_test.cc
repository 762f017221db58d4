#include "heddle/futures/as_completed.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/futures/future.h"
#include "heddle/futures/inline_executor.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/progress.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/errors.h"
#include "heddle/thread/internal/manual_clock.h"

namespace heddle {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Promise<int>> SomePromises(size_t count) {
  return std::vector<Promise<int>>(count);
}

std::vector<Future<int>> FuturesOf(const std::vector<Promise<int>>& promises) {
  std::vector<Future<int>> futures;
  for (const Promise<int>& promise : promises)
    futures.push_back(promise.GetFuture());
  return futures;
}

TEST(AsCompletedTest, OfNoFuturesIsEmpty) {
  std::vector<Future<int>> given;
  for (Future<int>& future : AsCompleted(given)) given.push_back(future);
  EXPECT_THAT(given, IsEmpty());
}

TEST(AsCompletedTest, GivesEachOnceInTheOrderOfCompletion) {
  std::vector<Promise<int>> promises = SomePromises(4);
  const std::vector<Future<int>> futures = FuturesOf(promises);
  promises[2].SetResult(2);  // done before
  auto completed = AsCompleted(futures);
  std::vector<int> results;
  auto it = completed.begin();
  results.push_back(it->Result());
  promises[3].SetResult(3);
  promises[0].SetResult(0);
  ++it;
  results.push_back(it->Result());
  ++it;
  results.push_back(it->Result());
  promises[1].SetResult(1);
  ++it;
  results.push_back(it->Result());
  ++it;
  EXPECT_TRUE(it == completed.end());
  EXPECT_THAT(results, ElementsAre(2, 3, 0, 1));
}

TEST(AsCompletedTest, WaitsForTheNext) {
  ThreadPoolExecutor executor(2);
  std::vector<Future<int>> futures;
  for (int i = 0; i < 500; ++i)
    futures.push_back(executor.Submit([i] { return i; }));
  std::vector<int> results;
  for (const Future<int>& future : AsCompleted(futures)) {
    EXPECT_TRUE(future.Done());
    results.push_back(future.Result());
  }
  std::sort(results.begin(), results.end());
  ASSERT_EQ(results.size(), 500u);
  EXPECT_EQ(results.front(), 0);
  EXPECT_EQ(results.back(), 499);
}

TEST(AsCompletedTest, DuplicatesAreGivenOnce) {
  InlineExecutor executor;
  const Future<int> future = executor.Submit([] { return 7; });
  std::vector<Future<int>> given;
  for (Future<int>& done : AsCompleted(std::vector<Future<int>>(3, future)))
    given.push_back(done);
  EXPECT_THAT(given, ElementsAre(future));
}

TEST(AsCompletedTest, ACancelledOneIsDoneAtOnce) {
  std::vector<Promise<int>> promises = SomePromises(2);
  const std::vector<Future<int>> futures = FuturesOf(promises);
  auto completed = AsCompleted(futures);
  futures[1].Cancel();
  auto it = completed.begin();
  EXPECT_TRUE(it->Cancelled());
  futures[0].Cancel();
  ++it;
  EXPECT_EQ(*it, futures[0]);
}

TEST(AsCompletedTest, OverDifferentExecutors) {
  InlineExecutor at_once;
  ThreadPoolExecutor threads(1);
  Promise<int> promise;
  const std::vector<Future<int>> futures = {at_once.Submit([] { return 1; }),
                                            threads.Submit([] { return 2; }),
                                            promise.GetFuture()};
  promise.SetResult(3);
  int sum = 0;
  for (const Future<int>& future : AsCompleted(futures)) sum += future.Result();
  EXPECT_EQ(sum, 6);
}

TEST(AsCompletedTest, AFutureThatWasGivenIsNotHeld) {
  ManualExecutor executor;
  std::optional<std::vector<Future<std::shared_ptr<int>>>> futures;
  futures.emplace();
  for (int i = 0; i < 2; ++i)
    futures->push_back(
        executor.Submit([i] { return std::make_shared<int>(i); }));
  executor.RunAll();
  const std::weak_ptr<int> first = (*futures)[0].Result();
  auto completed = AsCompleted(*futures);
  futures.reset();
  auto it = completed.begin();
  EXPECT_FALSE(first.expired());
  ++it;
  EXPECT_TRUE(first.expired());
  const Future<std::shared_ptr<int>> kept = std::move(*it);
  ++it;
  EXPECT_EQ(*kept.Result(), 1);
}

TEST(AsCompletedTest, DroppedHalfWayItLeavesTheOthersAlone) {
  std::vector<Promise<int>> promises = SomePromises(3);
  const std::vector<Future<int>> futures = FuturesOf(promises);
  promises[0].SetResult(0);
  {
    auto completed = AsCompleted(futures);
    EXPECT_EQ(completed.begin()->Result(), 0);
  }
  EXPECT_FALSE(futures[1].Done());
  promises[1].SetResult(1);
  EXPECT_EQ(futures[1].Result(), 1);
}

TEST(AsCompletedTest, DroppedWhileTheyComplete) {
  for (int round = 0; round < 200; ++round) {
    ThreadPoolExecutor executor(2);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 20; ++i)
      futures.push_back(executor.Submit([i] { return i; }));
    int seen = 0;
    for (const Future<int>& future : AsCompleted(futures)) {
      EXPECT_TRUE(future.Done());
      if (++seen == round % 20) break;
    }
  }
}

TEST(AsCompletedTest, ResultsMayBeMovedInTheMiddle) {
  std::vector<Promise<int>> promises = SomePromises(2);
  auto completed = AsCompleted(FuturesOf(promises));
  promises[1].SetResult(1);
  EXPECT_EQ(completed.begin()->Result(), 1);
  auto moved = std::move(completed);
  promises[0].SetResult(0);
  auto it = moved.begin();  // where it has got to
  EXPECT_EQ(it->Result(), 1);
  ++it;
  EXPECT_EQ(it->Result(), 0);
}

TEST(AsCompletedTest, InATaskOfAFullPoolItEnds) {
  ThreadPoolExecutor executor(1);
  const Future<int> outer = executor.Submit([&] {
    const std::vector<Future<int>> inner = {executor.Submit([] { return 1; }),
                                            executor.Submit([] { return 2; })};
    int sum = 0;
    for (const Future<int>& future : AsCompleted(inner)) sum += future.Result();
    return sum;
  });
  EXPECT_EQ(outer.Result(), 3);
}

TEST(AsCompletedTest, DrivesAProgress) {
  InlineExecutor executor;
  const std::vector<Future<int>> futures = {executor.Submit([] { return 1; }),
                                            executor.Submit([] { return 2; })};
  Progress progress({.show = Progress::Show::kNever});
  auto completed = AsCompleted(futures, {.progress = &progress});
  EXPECT_EQ(progress.done(), 0);
  auto it = completed.begin();
  EXPECT_EQ(progress.done(), 1);
  ++it;
  ++it;
  EXPECT_EQ(progress.done(), 2);
}

TEST(AsCompletedTest, TakesAListAndNoOptions) {
  std::vector<Promise<int>> promises = SomePromises(2);
  const std::vector<Future<int>> futures = FuturesOf(promises);
  promises[1].SetResult(1);
  promises[0].SetResult(0);
  std::vector<int> given;
  for (const Future<int>& future : AsCompleted({futures[0], futures[1]}))
    given.push_back(future.Result());
  for (const Future<int>& future :
       AsCompleted({futures[0], futures[1]}, absl::Seconds(1))) {
    given.push_back(future.Result());
  }
  for (const Future<int>& future : AsCompleted(futures, {}))
    given.push_back(future.Result());
  EXPECT_THAT(given, ElementsAre(0, 1, 0, 1, 0, 1));
}

// Before 16, clang does not compile the views of libstdc++.
#if !defined(__clang__) || __clang_major__ >= 16
TEST(AsCompletedTest, GoesThroughViews) {
  std::vector<Promise<int>> promises = SomePromises(3);
  for (Promise<int>& promise : promises) promise.SetResult(1);
  int sum = 0;
  for (const Future<int>& future :
       AsCompleted(FuturesOf(promises)) | std::views::take(2)) {
    sum += future.Result();
  }
  EXPECT_EQ(sum, 2);
}
#endif

TEST(AsCompletedTest, AssignmentLeavesWhatWasThere) {
  std::vector<Promise<int>> first = SomePromises(2);
  std::vector<Promise<int>> second = SomePromises(2);
  first[0].SetResult(1);
  auto completed = AsCompleted(FuturesOf(first));
  EXPECT_EQ(completed.begin()->Result(), 1);
  second[1].SetResult(2);
  completed = AsCompleted(FuturesOf(second));
  first[1].SetResult(3);  // nobody is told any more
  auto it = completed.begin();
  EXPECT_EQ(it->Result(), 2);
  second[0].SetResult(4);
  ++it;
  EXPECT_EQ(it->Result(), 4);
  ++it;
  EXPECT_TRUE(it == completed.end());
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(AsCompletedTest, TheLimitCountsFromTheCall) {
  internal::ManualClock clock;
  std::vector<Promise<int>> promises = SomePromises(2);
  auto completed = AsCompleted(FuturesOf(promises), absl::Seconds(5));
  clock.Advance(absl::Seconds(5));
  promises[1].SetResult(1);
  auto it = completed.begin();  // what is done is given, also after the limit
  EXPECT_EQ(it->Result(), 1);
  EXPECT_THROW(++it, TimeoutError);
  EXPECT_TRUE(it == completed.end());
}

TEST(AsCompletedTest, ALimitThatHasPassedGivesWhatIsDoneAndSaysWhatIsNot) {
  std::vector<Promise<int>> promises = SomePromises(3);
  promises[2].SetResult(2);
  std::vector<int> given;
  std::string message;
  try {
    for (const Future<int>& future :
         AsCompleted(FuturesOf(promises), absl::ZeroDuration())) {
      given.push_back(future.Result());
    }
  } catch (const TimeoutError& error) {
    message = error.what();
  }
  EXPECT_THAT(given, ElementsAre(2));
  EXPECT_EQ(message,
            "AsCompleted: the limit passed; 2 of 3 futures are unfinished");
}

TEST(AsCompletedTest, AHandleWithoutAResultIsAnError) {
  EXPECT_THROW(static_cast<void>(AsCompleted(std::vector<Future<int>>(1))),
               std::logic_error);
}
#endif

}  // namespace
}  // namespace heddle
