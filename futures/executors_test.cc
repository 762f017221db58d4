// All executors of this folder, and one of somebody's own, in the conformance
// suite; and what is special about the two without threads.

#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/executor_conformance.h"
#include "heddle/futures/future.h"
#include "heddle/futures/inline_executor.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/task.h"

namespace heddle {
namespace {

using ::testing::ElementsAre;

template <int kThreads>
struct ThreadPoolDriver {
  static constexpr bool kCanShutDown = true;
  Executor& executor() { return threads; }
  static void RunAll() {}
  ThreadPoolExecutor threads{kThreads};
};
using OneThread = ThreadPoolDriver<1>;
using FourThreads = ThreadPoolDriver<4>;

struct Inline {
  static constexpr bool kCanShutDown = true;
  static constexpr bool kDrainsWhatTasksSubmit = true;
  Executor& executor() { return at_once; }
  static void RunAll() {}
  InlineExecutor at_once;
};

struct Manual {
  static constexpr bool kCanShutDown = true;
  static constexpr bool kDrainsWhatTasksSubmit = true;
  Executor& executor() { return manual; }
  void RunAll() { manual.RunAll(); }
  ManualExecutor manual;
};

// The least that an executor can be.
struct ThreadForEach final : Executor {
  void Schedule(Task task) override {
    std::thread([&task] { std::move(task).Run(); }).join();
  }
};
struct Own {
  static constexpr bool kCanShutDown = false;
  Executor& executor() { return own; }
  static void RunAll() {}
  ThreadForEach own;
};

INSTANTIATE_TYPED_TEST_SUITE_P(OneThread, ExecutorConformanceTest, OneThread);
INSTANTIATE_TYPED_TEST_SUITE_P(FourThreads, ExecutorConformanceTest,
                               FourThreads);
INSTANTIATE_TYPED_TEST_SUITE_P(Inline, ExecutorConformanceTest, Inline);
INSTANTIATE_TYPED_TEST_SUITE_P(Manual, ExecutorConformanceTest, Manual);
INSTANTIATE_TYPED_TEST_SUITE_P(Own, ExecutorConformanceTest, Own);

TEST(InlineExecutorTest, RunsWhereAndWhenItIsSubmitted) {
  InlineExecutor executor;
  const Future<std::thread::id> future =
      executor.Submit([] { return std::this_thread::get_id(); });
  EXPECT_TRUE(future.Done());
  EXPECT_EQ(future.Result(), std::this_thread::get_id());
}

TEST(InlineExecutorTest, ShutdownInsideSeesThatATaskIsRunning) {
  InlineExecutor executor;
  const Future<bool> inside =
      executor.Submit([&] { return executor.Shutdown(); });
  EXPECT_FALSE(inside.Result());
  EXPECT_TRUE(executor.Shutdown());
}

TEST(ManualExecutorTest, RunsInOrderWhenItIsToldTo) {
  ManualExecutor executor;
  std::vector<int> ran;
  for (int i = 0; i < 3; ++i) executor.Submit([&ran, i] { ran.push_back(i); });
  EXPECT_EQ(executor.size(), 3u);
  EXPECT_TRUE(executor.RunOne());
  EXPECT_THAT(ran, ElementsAre(0));
  EXPECT_EQ(executor.RunAll(), 2u);
  EXPECT_THAT(ran, ElementsAre(0, 1, 2));
  EXPECT_FALSE(executor.RunOne());
  EXPECT_EQ(executor.RunAll(), 0u);
}

TEST(ManualExecutorTest, RunAllRunsWhatTasksSubmit) {
  ManualExecutor executor;
  int ran = 0;
  executor.Submit([&] {
    ++ran;
    executor.Submit([&ran] { ++ran; });
  });
  EXPECT_EQ(executor.RunAll(), 2u);
  EXPECT_EQ(ran, 2);
}

TEST(ManualExecutorTest, WhatIsDroppedOrLeftIsCancelled) {
  Future<int> dropped;
  Future<int> left;
  {
    ManualExecutor executor;
    dropped = executor.Submit([] { return 1; });
    left = executor.Submit([] { return 2; });
    EXPECT_TRUE(executor.DropOne());
    EXPECT_TRUE(dropped.Cancelled());
    EXPECT_FALSE(left.Done());
  }
  EXPECT_TRUE(left.Cancelled());
}

TEST(ManualExecutorTest, ShutDownItCanStillRunWhatItHas) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 1; });
  EXPECT_FALSE(executor.Shutdown());
  EXPECT_TRUE(executor.RunOne());
  EXPECT_EQ(future.Result(), 1);
  EXPECT_TRUE(executor.Shutdown());
}

}  // namespace
}  // namespace heddle
