// Tasks that wait for tasks. The two deadlocks of which Python's documentation
// of executors warns are here: a pool of one whose task waits for a task of its
// own pool goes on, and of tasks that wait for each other the wait that would
// close the ring is an error.

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>
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
#include "heddle/futures/wait.h"
#include "heddle/pool/errors.h"
#include "heddle/queue/queue.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

using ::testing::HasSubstr;

// Python: def wait_on_future(): f = executor.submit(pow, 5, 2); f.result()
TEST(WaitingTasksTest, ATaskMayWaitForATaskOfItsOwnPoolOfOne) {
  ThreadPoolExecutor executor(1);
  const Future<int> outer = executor.Submit([&] {
    const Future<int> inner = executor.Submit([] { return 25; });
    return inner.Result() + 1;
  });
  EXPECT_EQ(outer.Result(), 26);
}

TEST(WaitingTasksTest, ToADepthOfAThousandInAPoolOfOne) {
  ThreadPoolExecutor executor(1);
  struct Nest {
    int operator()(int depth) const {
      if (depth == 0) return 0;
      return executor->Submit(*this, depth - 1).Result() + 1;
    }
    ThreadPoolExecutor* executor;
  };
  EXPECT_EQ(executor.Submit(Nest{&executor}, 1000).Result(), 1000);
}

// Nobody else can run them: the one worker is at the outer task.
TEST(WaitingTasksTest, TheFirstOfSeveralRunsHereToo) {
  ThreadPoolExecutor executor(1);
  const Future<size_t> outer = executor.Submit([&] {
    const std::vector<Future<int>> inner = {executor.Submit([] { return 1; }),
                                            executor.Submit([] { return 2; })};
    return Wait(inner, ReturnWhen::kFirstCompleted).done.size();
  });
  EXPECT_EQ(outer.Result(), 1u);
}

TEST(WaitingTasksTest, WithALimitASpareServesIt) {
  ThreadPoolExecutor executor({.max_workers = 1, .max_spares = 1});
  const Future<int> outer = executor.Submit([&] {
    return executor.Submit([] { return 1; }).Result(absl::Minutes(5)) + 1;
  });
  EXPECT_EQ(outer.Result(), 2);
}

TEST(WaitingTasksTest, WhoWaitsHoldingALockRunsNoStranger) {
  Lock lock;
  Event queued;
  ThreadPoolExecutor executor(1);
  const Future<int> outer = executor.Submit([&] {
    LockGuard guard(lock);
    queued.Wait();  // a stranger who wants the lock is next in the queue
    return executor.Submit([] { return 7; }).Result();
  });
  const Future<int> stranger = executor.Submit([&] {
    LockGuard guard(lock);
    return 8;
  });
  queued.Set();
  EXPECT_EQ(outer.Result(), 7);
  EXPECT_EQ(stranger.Result(), 8);
}

TEST(WaitingTasksTest, WaitsThatHaveALimitMayFormARing) {
  Event both;
  Promise<void> end;
  ThreadPoolExecutor executor(2);
  std::optional<Future<bool>> a;
  std::optional<Future<bool>> b;
  a = executor.Submit([&] {
    both.Wait();
    return b->Wait(absl::Milliseconds(1));
  });
  b = executor.Submit([&] {
    both.Wait();
    return a->Wait();
  });
  both.Set();
  EXPECT_TRUE(b->Result());
  a->Result();  // true or false, but there
}

TEST(WaitingTasksTest, APromiseOfATaskMayBeWaitedForByAnother) {
  Promise<int> promise;
  ThreadPoolExecutor executor(2);
  const Future<int> waits =
      executor.Submit([f = promise.GetFuture()] { return f.Result() + 1; });
  const Future<void> gives = executor.Submit([&] { promise.SetResult(1); });
  EXPECT_EQ(waits.Result(), 2);
  gives.Result();
}

#ifdef ABSL_HAVE_EXCEPTIONS
// Python: def wait_on_b(): b.result(); def wait_on_a(): a.result()
TEST(WaitingTasksTest, OfTwoThatWaitForEachOtherOneIsToldSo) {
  for (int round = 0; round < 100; ++round) {
    Event both;
    std::optional<Future<int>> a;
    std::optional<Future<int>> b;
    ThreadPoolExecutor executor({.max_workers = 2, .thread_name_prefix = "P"});
    std::atomic<int> told{0};
    std::string message;
    const auto wait_for = [&](std::optional<Future<int>>& other) {
      both.Wait();
      try {
        return other->Result();
      } catch (const DeadlockError& error) {
        ++told;
        message = error.what();
        return 1;
      }
    };
    a = executor.Submit([&] { return wait_for(b); });
    b = executor.Submit([&] { return wait_for(a); });
    both.Set();
    EXPECT_EQ(a->Result() + b->Result(), 2);  // the other one goes on with it
    EXPECT_EQ(told, 1);
    EXPECT_THAT(message,
                HasSubstr("this wait would never end: a task in thread P_"));
    EXPECT_EQ(executor.Submit([] { return 3; }).Result(), 3);
  }
}

TEST(WaitingTasksTest, ARingMayBeLongAndGoThroughSeveralExecutors) {
  constexpr size_t kTasks = 5;
  Event all;
  std::vector<std::optional<Future<int>>> futures(kTasks);
  ThreadPoolExecutor first(3);
  ThreadPoolExecutor second(2);
  std::atomic<int> told{0};
  const auto wait_for_next = [&](size_t i) {
    all.Wait();
    try {
      return futures[(i + 1) % kTasks]->Result();
    } catch (const DeadlockError&) {
      ++told;
      return 1;
    }
  };
  for (size_t i = 0; i < kTasks; ++i) {
    ThreadPoolExecutor& executor = i < 3 ? first : second;
    futures[i] = executor.Submit([&, i] { return wait_for_next(i); });
  }
  all.Set();
  for (const std::optional<Future<int>>& future : futures)
    EXPECT_EQ(future->Result(), 1);
  EXPECT_EQ(told, 1);
}

TEST(WaitingTasksTest, ATaskCannotWaitForItself) {
  std::optional<Future<int>> self;
  ThreadPoolExecutor executor(1);
  Event set;
  self = executor.Submit([&] {
    set.Wait();
    return self->Result();
  });
  set.Set();
  EXPECT_THROW(self->Result(), DeadlockError);
}

TEST(WaitingTasksTest, NorForTheOneThatRunsIt) {
  std::optional<Future<int>> outer;
  ManualExecutor executor;
  InlineExecutor at_once;
  outer = executor.Submit([&] {
    const Future<int> inner = at_once.Submit([&] { return outer->Result(); });
    EXPECT_THROW(inner.Result(), DeadlockError);
    return 1;
  });
  executor.RunAll();
  EXPECT_EQ(outer->Result(), 1);
}

TEST(WaitingTasksTest, AWaitForAllOfThemIsToldSoToo) {
  std::vector<Future<int>> both;
  Event set;
  ThreadPoolExecutor executor(2);
  const auto wait = [&] {
    set.Wait();
    Wait(both);
    return 1;
  };
  both = {executor.Submit(wait)};
  set.Set();
  EXPECT_THROW(both[0].Result(), DeadlockError);
}
#endif

// --- Stop tokens ---------------------------------------------------------------

TEST(StoppableTaskTest, ATaskThatTakesATokenIsGivenOne) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit(
      [](std::stop_token stop, int x) { return stop.stop_possible() ? x : 0; },
      7);
  executor.RunAll();
  EXPECT_EQ(future.Result(), 7);
}

TEST(StoppableTaskTest, RequestStopReachesItWhileItRuns) {
  Event begun;
  ThreadPoolExecutor executor(1);
  const Future<bool> future = executor.Submit([&](std::stop_token stop) {
    begun.Set();
    while (!stop.stop_requested()) {
    }
    return true;
  });
  begun.Wait();
  EXPECT_TRUE(future.RequestStop());
  EXPECT_TRUE(future.Result());
  EXPECT_FALSE(future.RequestStop()) << "it has ended";
}

TEST(StoppableTaskTest, AlsoWhileItIsBlockedInAWait) {
  Event never;
  Queue<int> empty;
  Lock held;
  const Promise<int> no_result;
  ThreadPoolExecutor executor(1);
  LockGuard guard(held);
  const Future<void> event = executor.Submit(
      [&](std::stop_token stop) { EXPECT_FALSE(never.Wait(stop)); });
  const Future<void> queue = executor.Submit(
      [&](std::stop_token stop) { EXPECT_FALSE(empty.Get(stop).has_value()); });
  const Future<void> lock = executor.Submit(
      [&](std::stop_token stop) { EXPECT_FALSE(held.try_lock_for(stop)); });
  const Future<void> future = executor.Submit([&](std::stop_token stop) {
    EXPECT_FALSE(no_result.GetFuture().Wait(stop));
  });
  for (const Future<void>& each : {event, queue, lock, future}) {
    EXPECT_TRUE(each.RequestStop());
    each.Result();
  }
}

TEST(StoppableTaskTest, OneThatHasNotBegunSeesItWhenItBegins) {
  ManualExecutor executor;
  const Future<bool> future = executor.Submit(
      [](std::stop_token stop) { return stop.stop_requested(); });
  EXPECT_TRUE(future.RequestStop());
  executor.RunAll();
  EXPECT_TRUE(future.Result());
}

TEST(StoppableTaskTest, OneThatTakesNoneDoesNotHear) {
  ManualExecutor executor;
  EXPECT_FALSE(executor.Submit([] { return 1; }).RequestStop());
  // It can be called without a token, so it is.
  const Future<size_t> count =
      executor.Submit([](auto... all) { return sizeof...(all); }, 1);
  EXPECT_FALSE(count.RequestStop());
  executor.RunAll();
  EXPECT_EQ(count.Result(), 1u);
}

}  // namespace
}  // namespace heddle
