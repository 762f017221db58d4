#include "heddle/futures/wait.h"

#include <array>
#include <list>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/futures/future.h"
#include "heddle/futures/inline_executor.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/async_result.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/manual_clock.h"

namespace heddle {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(WaitTest, TakesListsViewsAndALimitAlone) {
  InlineExecutor executor;
  Promise<int> never;
  const Future<int> done = executor.Submit([] { return 1; });
  const std::vector<Future<int>> both = {done, never.GetFuture()};
  EXPECT_EQ(Wait(both, absl::ZeroDuration()).done.size(), 1u);
  EXPECT_EQ(Wait({done, done}).done.size(), 1u);
  EXPECT_EQ(Wait({done, never.GetFuture()}, absl::ZeroDuration()).done.size(),
            1u);
  struct View {  // as a filtered one: it cannot be gone through when const
    auto begin() { return futures.begin(); }
    auto end() { return futures.begin() + 1; }
    std::vector<Future<int>> futures;
  };
  EXPECT_EQ(Wait(View{both}).done.size(), 1u);
}

TEST(WaitTest, TakesTheResultsOfAThreadPoolToo) {
  ThreadPool pool(1);
  std::vector<AsyncResult<int>> results;
  results.push_back(pool.ApplyAsync([] { return 1; }));
  const auto [done, not_done] = Wait(results);
  EXPECT_EQ(done.size(), 1u);
  EXPECT_THAT(not_done, IsEmpty());
}

TEST(WaitTest, WithoutFuturesItReturnsAtOnce) {
  for (const ReturnWhen when :
       {ReturnWhen::kAllCompleted, ReturnWhen::kFirstCompleted,
        ReturnWhen::kFirstException}) {
    const auto [done, not_done] = Wait(std::vector<Future<int>>(), when);
    EXPECT_THAT(done, IsEmpty());
    EXPECT_THAT(not_done, IsEmpty());
  }
}

TEST(WaitTest, AllCompletedWaitsForAll) {
  ThreadPoolExecutor executor(2);
  std::vector<Future<int>> futures;
  for (int i = 0; i < 100; ++i)
    futures.push_back(executor.Submit([i] { return i; }));
  const auto [done, not_done] = Wait(futures);
  EXPECT_EQ(done, futures);
  EXPECT_THAT(not_done, IsEmpty());
}

TEST(WaitTest, FirstCompletedReturnsAtTheFirst) {
  ManualExecutor executor;
  const std::array<Future<int>, 3> futures = {
      executor.Submit([] { return 0; }), executor.Submit([] { return 1; }),
      executor.Submit([] { return 2; })};
  std::thread runner([&] { executor.RunOne(); });
  const auto [done, not_done] = Wait(futures, ReturnWhen::kFirstCompleted);
  runner.join();
  EXPECT_THAT(done, ElementsAre(futures[0]));
  EXPECT_THAT(not_done, ElementsAre(futures[1], futures[2]));
}

TEST(WaitTest, FirstCompletedReturnsAtOnceIfOneIsDone) {
  ManualExecutor executor;
  const std::vector<Future<int>> futures = {executor.Submit([] { return 0; }),
                                            executor.Submit([] { return 1; })};
  futures[1].Cancel();
  const auto [done, not_done] = Wait(futures, ReturnWhen::kFirstCompleted);
  EXPECT_THAT(done, ElementsAre(futures[1]));
  EXPECT_THAT(not_done, ElementsAre(futures[0]));
}

TEST(WaitTest, FirstExceptionWithoutOneIsAllCompleted) {
  ThreadPoolExecutor executor(2);
  std::vector<Future<int>> futures;
  for (int i = 0; i < 10; ++i)
    futures.push_back(executor.Submit([i] { return i; }));
  EXPECT_EQ(Wait(futures, ReturnWhen::kFirstException).done.size(), 10u);
}

TEST(WaitTest, ACancelledFutureIsDoneAtOnceHoweverItIsCancelled) {
  ManualExecutor executor;
  const std::vector<Future<int>> by_hand = {executor.Submit([] { return 0; })};
  by_hand[0].Cancel();
  EXPECT_EQ(Wait(by_hand).done.size(), 1u);
  const std::vector<Future<int>> by_shutdown = {
      executor.Submit([] { return 0; })};
  executor.Shutdown({.cancel_futures = true});
  EXPECT_EQ(Wait(by_shutdown).done.size(), 1u);
}

TEST(WaitTest, ALimitThatPassesIsNoError) {
  ManualExecutor executor;
  InlineExecutor at_once;
  const std::list<Future<int>> futures = {executor.Submit([] { return 0; }),
                                          at_once.Submit([] { return 1; })};
  for (const ReturnWhen when :
       {ReturnWhen::kAllCompleted, ReturnWhen::kFirstException}) {
    const auto [done, not_done] = Wait(futures, when, absl::ZeroDuration());
    EXPECT_THAT(done, ElementsAre(futures.back()));
    EXPECT_THAT(not_done, ElementsAre(futures.front()));
  }
}

TEST(WaitTest, TheLimitIsForAllTogether) {
  internal::ManualClock clock;
  ManualExecutor executor;
  const std::vector<Future<int>> futures = {executor.Submit([] { return 0; }),
                                            executor.Submit([] { return 1; })};
  std::thread waiter([&] {
    EXPECT_EQ(Wait(futures, ReturnWhen::kAllCompleted, absl::Seconds(5))
                  .not_done.size(),
              1u);
  });
  clock.AwaitSleepers(1);
  executor.RunOne();
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(5));
  waiter.join();
}

TEST(WaitTest, DuplicatesFold) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 0; });
  const std::vector<Future<int>> futures = {future, future, future};
  executor.RunAll();
  EXPECT_THAT(Wait(futures).done, ElementsAre(future));
}

TEST(WaitTest, FuturesOfDifferentExecutorsAndPromises) {
  InlineExecutor at_once;
  ThreadPoolExecutor threads(1);
  Promise<int> promise;
  const std::vector<Future<int>> futures = {at_once.Submit([] { return 0; }),
                                            threads.Submit([] { return 1; }),
                                            promise.GetFuture()};
  promise.SetResult(2);
  EXPECT_EQ(Wait(futures).done, futures);
}

TEST(WaitTest, ManyMayWaitForTheSame) {
  Event go;
  ThreadPoolExecutor executor(2);
  const std::vector<Future<void>> futures = {
      executor.Submit([&] { go.Wait(); }), executor.Submit([&] { go.Wait(); })};
  std::vector<std::thread> waiters;
  for (const ReturnWhen when :
       {ReturnWhen::kAllCompleted, ReturnWhen::kFirstCompleted,
        ReturnWhen::kFirstException}) {
    for (int i = 0; i < 2; ++i) {
      waiters.emplace_back(
          [&, when] { EXPECT_GE(Wait(futures, when).done.size(), 1u); });
    }
  }
  go.Set();
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(WaitTest, InATaskOfAFullPoolItEnds) {
  ThreadPoolExecutor executor(1);
  const Future<size_t> outer = executor.Submit([&] {
    const std::vector<Future<int>> inner = {executor.Submit([] { return 1; }),
                                            executor.Submit([] { return 2; })};
    return Wait(inner).done.size() +
           Wait(inner, ReturnWhen::kFirstCompleted).done.size();
  });
  EXPECT_EQ(outer.Result(), 4u);
}

// Waiting for one of several again and again leaves nothing at the others.
TEST(WaitTest, WhatItRegisteredIsTakenBack) {
  ManualExecutor executor;
  const std::vector<Future<int>> futures = {executor.Submit([] { return 0; })};
  for (int i = 0; i < 1000; ++i) {
    Wait(futures, ReturnWhen::kFirstCompleted, absl::ZeroDuration());
    Wait(futures, ReturnWhen::kFirstCompleted, absl::Nanoseconds(1));
  }
  executor.RunAll();  // would call what is left
  EXPECT_EQ(Wait(futures).done.size(), 1u);
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(WaitTest, FirstExceptionReturnsAtTheFirst) {
  ManualExecutor executor;
  const std::vector<Future<void>> futures = {
      executor.Submit([] {}),
      executor.Submit([] { throw std::runtime_error("second"); }),
      executor.Submit([] {})};
  std::thread runner([&] {
    executor.RunOne();
    executor.RunOne();
  });
  const auto [done, not_done] = Wait(futures, ReturnWhen::kFirstException);
  runner.join();
  EXPECT_THAT(done, ElementsAre(futures[0], futures[1]));
  EXPECT_THAT(not_done, ElementsAre(futures[2]));
  EXPECT_EQ(Wait(futures, ReturnWhen::kFirstException).done.size(), 2u)
      << "there is one already";
}

TEST(WaitTest, ACancelledOneIsNoException) {
  ManualExecutor executor;
  const std::vector<Future<int>> futures = {executor.Submit([] { return 0; }),
                                            executor.Submit([] { return 1; })};
  futures[0].Cancel();
  const auto [done, not_done] =
      Wait(futures, ReturnWhen::kFirstException, absl::ZeroDuration());
  EXPECT_THAT(done, ElementsAre(futures[0]));
  EXPECT_THAT(not_done, ElementsAre(futures[1]));
}

TEST(WaitTest, AHandleWithoutAResultIsAnError) {
  EXPECT_THROW(Wait(std::vector<Future<int>>(1)), std::logic_error);
}
#endif

}  // namespace
}  // namespace heddle
