// The child of a fork() and executors: those of its parent have ended, its own
// work. What holds is said in thread/README.md, "After fork()".

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/futures/future.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/thread/internal/fork_child.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

using internal::ExitCodeOfChild;
using internal::kChildMayStartThreads;

int UseNewExecutors(int rounds) {
  if (!kChildMayStartThreads) return 0;
  for (int round = 0; round < rounds; ++round) {
    ThreadPoolExecutor executor(2);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 20; ++i)
      futures.push_back(executor.Submit([i] { return i; }));
    for (int i = 0; i < 20; ++i) {
      if (futures[static_cast<size_t>(i)].Result() != i) return 11;
    }
    ThreadPool pool(2);
    if (pool.Apply([] { return 6; }) != 6) return 12;
  }
  return 0;
}

TEST(ForkTest, NewExecutorsWorkInTheChildOfABusyParent) {
  ThreadPoolExecutor executor(4);
  ThreadPool pool(2);
  std::atomic<bool> over{false};
  const auto submit = [&] {
    while (!over) {
      auto future = executor.Submit([] { return 1; });
      auto result = pool.ApplyAsync([] { return 2; });
      EXPECT_EQ(future.Result() + result.Get(), 3);
    }
  };
  Thread one(submit);
  Thread two(submit);
  one.Start();
  two.Start();
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(ExitCodeOfChild([] { return UseNewExecutors(2); }), 0);
  over = true;
}

TEST(ForkTest, ATaskMayForkAndItsExecutorHasEndedInTheChild) {
  auto executor = std::make_unique<ThreadPoolExecutor>(2);
  auto forked = executor->Submit([&executor] {
    return ExitCodeOfChild([&executor] {
      executor->Shutdown();
      executor.reset();
      return UseNewExecutors(5);
    });
  });
  EXPECT_EQ(forked.Result(), 0);
  auto pool = std::make_unique<ThreadPool>(2);
  EXPECT_EQ(pool->Apply([&pool] {
    return ExitCodeOfChild([&pool] {
      pool->Close();
      pool->Join();
      pool.reset();
      return UseNewExecutors(5);
    });
  }),
            0);
}

TEST(ForkTest, ADoneCallbackMayFork) {
  ThreadPoolExecutor executor(1);
  std::atomic<int> code{-2};
  Promise<int> promise;
  Future<int> future = promise.GetFuture();
  future.AddDoneCallback([&code](const Future<int>& done) {
    code = ExitCodeOfChild([&done] {
      if (done.Result() != 5) return 1;
      return UseNewExecutors(2);
    });
  });
  executor.Submit([&promise] { promise.SetResult(5); }).Result();
  EXPECT_EQ(code, 0);
}

// A result that nobody used at the moment of the fork.
TEST(ForkTest, PromisesMayBeKeptInTheChild) {
  Promise<int> promise;
  Future<int> future = promise.GetFuture();
  EXPECT_EQ(ExitCodeOfChild([&] {
              if (!kChildMayStartThreads) return 0;
              Thread thread([&promise] { promise.SetResult(5); });
              thread.Start();
              return future.Result() == 5 ? 0 : 1;
            }),
            0);
  promise.SetResult(6);
  EXPECT_EQ(future.Result(), 6);
}

// A task that waits in the child waits as any thread does: for its own pools.
TEST(ForkTest, AForkedTaskMayWaitForTasksOfTheChild) {
  ThreadPoolExecutor executor(1);
  auto forked = executor.Submit([] {
    return ExitCodeOfChild([] {
      if (!kChildMayStartThreads) return 0;
      ThreadPoolExecutor own(1);
      auto outer =
          own.Submit([&own] { return own.Submit([] { return 5; }).Result(); });
      return outer.Result() == 5 ? 0 : 1;
    });
  });
  EXPECT_EQ(forked.Result(), 0);
}

}  // namespace
}  // namespace heddle
