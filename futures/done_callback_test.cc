// Future::AddDoneCallback().

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/cleanup/cleanup.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/futures/future.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/sync/event.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/run_concurrently.h"

namespace heddle {
namespace {

using ::testing::ElementsAre;

TEST(DoneCallbackTest, CalledOnceWithTheFutureWhenItIsDone) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 7; });
  std::vector<int> got;
  future.AddDoneCallback([&](const Future<int>& done) {
    EXPECT_EQ(done, future);
    EXPECT_TRUE(done.Done());
    got.push_back(done.Result());
  });
  EXPECT_THAT(got, ElementsAre());
  executor.RunAll();
  EXPECT_THAT(got, ElementsAre(7));
}

TEST(DoneCallbackTest, CalledAtOnceInTheCallerIfItIsDoneAlready) {
  ThreadPoolExecutor executor(1);
  const Future<int> future = executor.Submit([] { return 7; });
  future.Result();
  std::optional<std::thread::id> called_in;
  future.AddDoneCallback(
      [&](const Future<int>&) { called_in = std::this_thread::get_id(); });
  EXPECT_EQ(called_in, std::this_thread::get_id());
}

TEST(DoneCallbackTest, CalledInTheThreadThatFinishes) {
  std::optional<std::thread::id> ran_in;
  std::optional<std::thread::id> called_in;
  Event go;
  Event called;
  ThreadPoolExecutor executor(1);
  const Future<void> future = executor.Submit([&] {
    go.Wait();
    ran_in = std::this_thread::get_id();
  });
  future.AddDoneCallback([&](const Future<void>&) {
    called_in = std::this_thread::get_id();
    called.Set();
  });
  go.Set();
  called.Wait();
  EXPECT_NE(called_in, std::this_thread::get_id());
  EXPECT_EQ(called_in, ran_in);
}

TEST(DoneCallbackTest, CalledInTheThreadThatCancels) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 7; });
  std::optional<std::thread::id> called_in;
  future.AddDoneCallback([&](const Future<int>& done) {
    EXPECT_TRUE(done.Cancelled());
    called_in = std::this_thread::get_id();
  });
  std::thread other([&] { EXPECT_TRUE(future.Cancel()); });
  const std::thread::id other_id = other.get_id();
  other.join();
  EXPECT_EQ(called_in, other_id);
}

TEST(DoneCallbackTest, CalledWhenAnExecutorDropsTheTask) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 7; });
  bool called = false;
  future.AddDoneCallback([&](const Future<int>&) { called = true; });
  executor.Shutdown({.cancel_futures = true});
  EXPECT_TRUE(called);
}

TEST(DoneCallbackTest, SeveralAreCalledInTheOrderOfAddingAndTheSameOneTwice) {
  ManualExecutor executor;
  const Future<void> future = executor.Submit([] {});
  std::vector<int> got;
  for (int i = 0; i < 3; ++i)
    future.AddDoneCallback(
        [&got, i](const Future<void>&) { got.push_back(i); });
  const auto same = [&got](const Future<void>&) { got.push_back(7); };
  future.AddDoneCallback(same);
  future.AddDoneCallback(same);
  executor.RunAll();
  EXPECT_THAT(got, ElementsAre(0, 1, 2, 7, 7));
}

TEST(DoneCallbackTest, MayUseTheFutureAndAddMore) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 7; });
  std::vector<int> got;
  future.AddDoneCallback([&](const Future<int>& done) {
    EXPECT_FALSE(done.Cancel());
    done.AddDoneCallback(
        [&](const Future<int>& again) { got.push_back(again.Result() + 1); });
    got.push_back(done.Result());
  });
  executor.RunAll();
  EXPECT_THAT(got, ElementsAre(8, 7));
}

TEST(DoneCallbackTest, MaySubmitMore) {
  ManualExecutor executor;
  int ran = 0;
  executor.Submit([] {}).AddDoneCallback(
      [&](const Future<void>&) { executor.Submit([&ran] { ++ran; }); });
  executor.RunAll();
  EXPECT_EQ(ran, 1);
}

TEST(DoneCallbackTest, TakesMoveOnlyFunctionsAndDestroysThemAfterTheCall) {
  ManualExecutor executor;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  Future<void> future = executor.Submit([] {});
  future.AddDoneCallback(
      [token = std::make_unique<std::shared_ptr<int>>(std::move(held))](
          const Future<void>&) mutable { EXPECT_EQ(**token, 1); });
  EXPECT_FALSE(watched.expired());
  executor.RunAll();
  EXPECT_TRUE(watched.expired());
}

TEST(DoneCallbackTest, TheLastHandleMayGoInside) {
  ManualExecutor executor;
  auto future = std::make_unique<Future<std::vector<int>>>(executor.Submit([] {
    return std::vector<int>{1, 2};
  }));
  size_t size = 0;
  future->AddDoneCallback([&](const Future<std::vector<int>>& done) {
    future.reset();
    size = done.Result().size();
  });
  executor.RunAll();
  EXPECT_EQ(size, 2u);
  EXPECT_EQ(future, nullptr);
}

TEST(DoneCallbackTest, TheLastHandleMayGoInsideOneThatCancels) {
  ManualExecutor executor;
  auto future = std::make_unique<Future<void>>(executor.Submit([] {}));
  future->AddDoneCallback([&](const Future<void>&) { future.reset(); });
  future->Cancel();
  EXPECT_EQ(future, nullptr);
}

// `Result()` may return before the callbacks have run, as in Python.
TEST(DoneCallbackTest, ASlowOneDoesNotHoldUpWhoWaits) {
  Event slow;
  Event in_callback;
  Event added;
  ThreadPoolExecutor executor(1);
  const Future<int> future = executor.Submit([&] {
    added.Wait();
    return 7;
  });
  future.AddDoneCallback([&](const Future<int>&) {
    in_callback.Set();
    slow.Wait();
  });
  added.Set();
  in_callback.Wait();
  EXPECT_EQ(future.Result(), 7);
  slow.Set();
}

TEST(DoneCallbackTest, AgainstCompletionEachIsCalledOnce) {
  for (int round = 0; round < 300; ++round) {
    ManualExecutor executor;
    const Future<int> future = executor.Submit([] { return 7; });
    std::atomic<int> called{0};
    const auto add = [&] {
      for (int i = 0; i < 5; ++i)
        future.AddDoneCallback([&](const Future<int>&) { ++called; });
    };
    internal::RunConcurrently(
        1, [&] { executor.RunAll(); }, add, add);
    EXPECT_EQ(called, 10);
  }
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(DoneCallbackTest, OneThatThrowsIsReportedAndTheRestAreCalled) {
  int reported = 0;
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  const auto reset = absl::MakeCleanup([] { SetExceptHook({}); });
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 7; });
  int called = 0;
  future.AddDoneCallback(
      [](const Future<int>&) { throw std::runtime_error("callback"); });
  future.AddDoneCallback([](const Future<int>&) { throw 7; });
  future.AddDoneCallback([&](const Future<int>&) { ++called; });
  executor.RunAll();
  EXPECT_EQ(reported, 2);
  EXPECT_EQ(called, 1);
  EXPECT_EQ(future.Result(), 7);
}

TEST(DoneCallbackTest, AtAHandleWithoutAResultIsAnErrorAndNothingIsLeft) {
  auto held = std::make_shared<int>(1);
  EXPECT_THROW(Future<int>().AddDoneCallback([held](const Future<int>&) {}),
               std::logic_error);
  EXPECT_EQ(held.use_count(), 1);
}
#endif

}  // namespace
}  // namespace heddle
