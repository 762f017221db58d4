// The tests that every executor passes. Test-only: for those who write one.
//
// Example:
//
//   struct MyDriver {
//     // Whether Shutdown() does something.
//     static constexpr bool kCanShutDown = true;
//     // If so, whether its tasks may submit more then, unless it is to cancel
//     // what has not begun. May be left out: no.
//     static constexpr bool kDrainsWhatTasksSubmit = true;
//     Executor& executor() { return mine; }
//     // Sees to it that what was accepted is run; nothing to do for an executor
//     // with threads.
//     void RunAll() {}
//     MyExecutor mine;
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, ExecutorConformanceTest, MyDriver);
//
// The test's target depends on //futures:executor_conformance. What is not
// looked for here is what executors may differ in: the order of tasks, the
// thread that runs them, and when.

#ifndef HEDDLE_FUTURES_EXECUTOR_CONFORMANCE_H_
#define HEDDLE_FUTURES_EXECUTOR_CONFORMANCE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/futures/as_completed.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/future.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/wait.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/task.h"

namespace heddle {

template <typename Driver>
class ExecutorConformanceTest : public testing::Test {
 protected:
  ExecutorConformanceTest() : driver_(std::in_place) {}

  Driver& driver() { return *driver_; }
  Executor& executor() { return driver_->executor(); }

  // Has what was accepted run, and waits for it.
  template <typename Futures>
  void Finish(const Futures& futures) {
    driver_->RunAll();
    Wait(futures);
  }

  void DestroyExecutor() { driver_.reset(); }

  static constexpr bool DrainsWhatTasksSubmit() {
    if constexpr (requires { Driver::kDrainsWhatTasksSubmit; }) {
      return Driver::kDrainsWhatTasksSubmit;
    }
    return false;
  }

 private:
  std::optional<Driver> driver_;
};

TYPED_TEST_SUITE_P(ExecutorConformanceTest);

TYPED_TEST_P(ExecutorConformanceTest, ATaskRunsOnce) {
  std::atomic<int> ran{0};
  this->executor().Schedule(Task([&ran] { ++ran; }));
  const std::vector<Future<void>> after = {this->executor().Submit([] {})};
  this->Finish(after);
  this->DestroyExecutor();
  EXPECT_EQ(ran, 1);
}

TYPED_TEST_P(ExecutorConformanceTest, ResultsOfEveryKindComeOut) {
  int number = 7;
  Executor& executor = this->executor();
  const Future<int> value = executor.Submit([](int x) { return x * x; }, 3);
  const Future<void> nothing = executor.Submit([] {});
  const Future<int&> reference =
      executor.Submit([&number]() -> int& { return number; });
  Future<std::unique_ptr<int>> move_only = executor.Submit(
      [](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(5));
  this->driver().RunAll();
  EXPECT_EQ(value.Result(), 9);
  nothing.Result();
  EXPECT_EQ(&reference.Result(), &number);
  EXPECT_EQ(*std::move(move_only).Result(), 5);
}

TYPED_TEST_P(ExecutorConformanceTest, WhatATaskHeldIsGoneWhenItsResultIsThere) {
  auto held = std::make_shared<int>(1);
  const Future<int> future = this->executor().Submit(
      [held](const std::shared_ptr<int>& argument) { return *argument; }, held);
  this->driver().RunAll();
  EXPECT_EQ(future.Result(), 1);
  EXPECT_EQ(held.use_count(), 1);
}

TYPED_TEST_P(ExecutorConformanceTest, ManyThreadsLoseNothing) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 2000;
  std::atomic<int> ran{0};
  std::vector<std::vector<Future<void>>> futures(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<Future<void>>& mine : futures) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTasks; ++i)
        mine.push_back(this->executor().Submit([&ran] { ++ran; }));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<Future<void>>& mine : futures) this->Finish(mine);
  EXPECT_EQ(ran, kThreads * kTasks);
}

TYPED_TEST_P(ExecutorConformanceTest, TasksMaySubmitTasks) {
  const Future<Future<int>> outer = this->executor().Submit(
      [this] { return this->executor().Submit([] { return 7; }); });
  this->driver().RunAll();
  EXPECT_EQ(outer.Result().Result(), 7);
}

TYPED_TEST_P(ExecutorConformanceTest, CallbacksAreCalledOnce) {
  std::atomic<int> called{0};
  std::atomic<int> sum{0};
  std::vector<Future<int>> futures;
  for (int i = 0; i < 100; ++i) {
    futures.push_back(this->executor().Submit([i] { return i; }));
    futures.back().AddDoneCallback([&](const Future<int>& done) {
      sum += done.Result();
      ++called;
    });
  }
  this->Finish(futures);
  this->DestroyExecutor();  // callbacks may come after results
  EXPECT_EQ(called, 100);
  EXPECT_EQ(sum, 4950);
}

TYPED_TEST_P(ExecutorConformanceTest, ATaskRunsOrIsCancelledNotBoth) {
  for (int i = 0; i < 100; ++i) {
    std::atomic<bool> ran{false};
    const std::vector<Future<void>> future = {
        this->executor().Submit([&ran] { ran = true; })};
    const bool cancelled = future[0].Cancel();
    this->Finish(future);
    EXPECT_NE(ran, cancelled);
    EXPECT_EQ(future[0].Cancelled(), cancelled);
  }
}

TYPED_TEST_P(ExecutorConformanceTest, ATaskHearsRequestStop) {
  const Future<bool> future = this->executor().Submit(
      [](const std::stop_token& stop) { return stop.stop_possible(); });
  future.RequestStop();
  this->driver().RunAll();
  EXPECT_TRUE(future.Result());
}

TYPED_TEST_P(ExecutorConformanceTest, MapGivesResultsInOrder) {
  std::vector<int> numbers(500);
  std::iota(numbers.begin(), numbers.end(), 0);
  for (const size_t chunksize : {size_t{1}, size_t{7}, size_t{1000}}) {
    auto results =
        this->executor().Map([](int a, int b) { return a + b; }, numbers,
                             numbers, {.chunksize = chunksize});
    this->driver().RunAll();
    int expected = 0;
    for (const int result : results) {
      EXPECT_EQ(result, expected);
      expected += 2;
    }
    EXPECT_EQ(expected, 1000);
  }
}

TYPED_TEST_P(ExecutorConformanceTest, AsCompletedGivesEachOnce) {
  std::vector<Future<int>> futures;
  for (int i = 0; i < 100; ++i)
    futures.push_back(this->executor().Submit([i] { return i; }));
  this->driver().RunAll();
  int sum = 0;
  for (const Future<int>& future : AsCompleted(futures)) sum += future.Result();
  EXPECT_EQ(sum, 4950);
}

TYPED_TEST_P(ExecutorConformanceTest, ShutdownRunsWhatWasAccepted) {
  std::atomic<int> ran{0};
  std::vector<Future<void>> futures;
  for (int i = 0; i < 100; ++i)
    futures.push_back(this->executor().Submit([&ran] { ++ran; }));
  this->executor().Shutdown({.wait = false});
  this->Finish(futures);
  EXPECT_TRUE(this->executor().Shutdown()) << "again, and all has ended";
  EXPECT_EQ(ran, 100);
}

TYPED_TEST_P(ExecutorConformanceTest, ShutdownCancellingLeavesNothingPending) {
  std::atomic<int> ran{0};
  auto held = std::make_shared<int>(1);
  std::vector<Future<void>> futures;
  for (int i = 0; i < 100; ++i)
    futures.push_back(this->executor().Submit([&ran, held] { ++ran; }));
  this->executor().Shutdown({.cancel_futures = true});
  this->Finish(futures);
  const auto cancelled = std::count_if(
      futures.begin(), futures.end(),
      [](const Future<void>& future) { return future.Cancelled(); });
  if (TypeParam::kCanShutDown) {
    EXPECT_EQ(ran + cancelled, 100);
  } else {
    EXPECT_EQ(ran, 100);
  }
  this->DestroyExecutor();
  EXPECT_EQ(held.use_count(), 1);
}

TYPED_TEST_P(ExecutorConformanceTest, ItsEndLeavesNothingPending) {
  std::vector<Future<int>> futures;
  for (int i = 0; i < 100; ++i)
    futures.push_back(this->executor().Submit([i] { return i; }));
  this->DestroyExecutor();
  for (const Future<int>& future : futures) EXPECT_TRUE(future.Done());
}

TYPED_TEST_P(ExecutorConformanceTest, WhatTasksSubmitWhileItDrainsIsRun) {
  if (!this->DrainsWhatTasksSubmit()) GTEST_SKIP() << "it need not";
  Executor& executor = this->executor();
  std::atomic<int> ran{0};
  const std::vector<Future<void>> outer = {executor.Submit([&] {
    executor.Shutdown({.wait = false});
    executor.Submit([&] {
      ++ran;
      executor.Submit([&] { ++ran; });
    });
  })};
  this->Finish(outer);
  this->DestroyExecutor();
  EXPECT_EQ(outer[0].Exception(), nullptr);
  EXPECT_EQ(ran, 2);
}

// Each callback gives the result that calls the next.
TYPED_TEST_P(ExecutorConformanceTest, ChainsOfCallbacksMayBeLong) {
  constexpr size_t kLength = 100'000;
  std::vector<Promise<size_t>> promises(kLength);
  for (size_t i = 0; i + 1 < kLength; ++i) {
    promises[i].GetFuture().AddDoneCallback(
        [&promises, i](const Future<size_t>& done) {
          promises[i + 1].SetResult(done.Result() + 1);
        });
  }
  const std::vector<Future<void>> first = {
      this->executor().Submit([&] { promises[0].SetResult(1); })};
  this->Finish(first);
  EXPECT_EQ(promises.back().GetFuture().Result(), kLength);
}

// A task gives what its owner waits for, who ends all of it while the task is
// still in its call.
TYPED_TEST_P(ExecutorConformanceTest, WhatATaskCompletesMayGoAtOnce) {
  for (int i = 0; i < 200; ++i) {
    auto promise = std::make_unique<Promise<int>>();
    Future<int> future = promise->GetFuture();
    this->executor().Schedule(
        Task([raw = promise.get()] { raw->SetResult(7); }));
    this->driver().RunAll();
    EXPECT_EQ(future.Result(), 7);
    future = Future<int>();
    promise.reset();
  }
}

#ifdef ABSL_HAVE_EXCEPTIONS
TYPED_TEST_P(ExecutorConformanceTest, WhatATaskThrowsComesOut) {
  Executor& executor = this->executor();
  const Future<int> error =
      executor.Submit([]() -> int { throw std::runtime_error("no disk"); });
  const Future<void> number = executor.Submit([] { throw 7; });
  const Future<int> after = executor.Submit([] { return 1; });
  this->driver().RunAll();
  EXPECT_THROW(error.Result(), std::runtime_error);
  EXPECT_THROW(number.Result(), int);
  EXPECT_EQ(after.Result(), 1);
}

TYPED_TEST_P(ExecutorConformanceTest, AfterShutdownNothingIsAccepted) {
  if (!TypeParam::kCanShutDown) GTEST_SKIP() << "it cannot be shut down";
  auto held = std::make_shared<int>(1);
  this->executor().Shutdown();
  EXPECT_THROW(this->executor().Submit([held] {}), ShutdownError);
  EXPECT_THROW(this->executor().Schedule(Task([held] {})), ShutdownError);
  const std::vector<int> numbers = {1};
  EXPECT_THROW(static_cast<void>(this->executor().Map([held](int) {}, numbers)),
               ShutdownError);
  EXPECT_EQ(held.use_count(), 1);
}

TYPED_TEST_P(ExecutorConformanceTest, SubmittingAgainstShutdownIsRunOrRefused) {
  if (!TypeParam::kCanShutDown) GTEST_SKIP() << "it cannot be shut down";
  std::atomic<int> ran{0};
  std::vector<Future<void>> accepted;
  std::atomic<bool> refused{false};
  std::thread submitter([&] {
    try {
      for (int i = 0; i < 20'000; ++i)
        accepted.push_back(this->executor().Submit([&ran] { ++ran; }));
    } catch (const ShutdownError&) {
      refused = true;
    }
  });
  while (ran == 0 && !refused) this->driver().RunAll();
  this->executor().Shutdown({.wait = false});
  submitter.join();
  this->Finish(accepted);
  this->DestroyExecutor();
  EXPECT_EQ(static_cast<size_t>(ran), accepted.size());
}
#else
TYPED_TEST_P(ExecutorConformanceTest, WhatATaskThrowsComesOut) {
  GTEST_SKIP() << "nothing throws in this build";
}
TYPED_TEST_P(ExecutorConformanceTest, AfterShutdownNothingIsAccepted) {
  GTEST_SKIP() << "to refuse is to throw";
}
TYPED_TEST_P(ExecutorConformanceTest, SubmittingAgainstShutdownIsRunOrRefused) {
  GTEST_SKIP() << "to refuse is to throw";
}
#endif

REGISTER_TYPED_TEST_SUITE_P(
    ExecutorConformanceTest, ATaskRunsOnce, ResultsOfEveryKindComeOut,
    WhatATaskHeldIsGoneWhenItsResultIsThere, ManyThreadsLoseNothing,
    TasksMaySubmitTasks, CallbacksAreCalledOnce, ATaskRunsOrIsCancelledNotBoth,
    ATaskHearsRequestStop, MapGivesResultsInOrder, AsCompletedGivesEachOnce,
    ShutdownRunsWhatWasAccepted, ShutdownCancellingLeavesNothingPending,
    ItsEndLeavesNothingPending, WhatTasksSubmitWhileItDrainsIsRun,
    ChainsOfCallbacksMayBeLong, WhatATaskCompletesMayGoAtOnce,
    WhatATaskThrowsComesOut, AfterShutdownNothingIsAccepted,
    SubmittingAgainstShutdownIsRunOrRefused);

}  // namespace heddle

#endif  // HEDDLE_FUTURES_EXECUTOR_CONFORMANCE_H_
