#include "heddle/futures/thread_pool_executor.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/future.h"
#include "heddle/pool/errors.h"
#include "heddle/sync/event.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/this_thread.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

TEST(ThreadPoolExecutorTest, RunsWhatIsSubmittedInOtherThreads) {
  ThreadPoolExecutor executor;
  const std::thread::id here = std::this_thread::get_id();
  EXPECT_NE(executor.Submit([] { return std::this_thread::get_id(); }).Result(),
            here);
}

TEST(ThreadPoolExecutorTest, OneWorkerRunsStrictlyInOrder) {
  std::vector<int> order;
  {
    ThreadPoolExecutor executor(1);
    for (int i = 0; i < 100; ++i)
      executor.Submit([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(ThreadPoolExecutorTest, DestructorRunsWhatWasSubmitted) {
  std::atomic<int> ran{0};
  {
    ThreadPoolExecutor executor(2);
    for (int i = 0; i < 100; ++i) executor.Submit([&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 100);
}

TEST(ThreadPoolExecutorTest, WorkersHaveTheNumbersOfTheExecutorAndTheirOwn) {
  const auto name = [] { return CurrentThread().name(); };
  ThreadPoolExecutor first(1);
  ThreadPoolExecutor second(1);
  const std::string of_first = first.Submit(name).Result();
  constexpr std::string_view kPrefix = "ThreadPoolExecutor-";
  ASSERT_EQ(of_first.rfind(kPrefix, 0), 0u) << of_first;
  const int number = std::stoi(of_first.substr(kPrefix.size()));
  EXPECT_EQ(of_first, "ThreadPoolExecutor-" + std::to_string(number) + "_0");
  EXPECT_EQ(second.Submit(name).Result(),
            "ThreadPoolExecutor-" + std::to_string(number + 1) + "_0");
}

TEST(ThreadPoolExecutorTest, ThreadsMayBeNamed) {
  ThreadPoolExecutor executor(
      {.max_workers = 1, .thread_name_prefix = "fetcher"});
  EXPECT_EQ(executor.max_workers(), 1);
  EXPECT_EQ(executor.Submit([] { return CurrentThread().name(); }).Result(),
            "fetcher_0");
}

TEST(ThreadPoolExecutorTest, ByDefaultFourMoreThreadsThanCpusAndAtMost32) {
  const ThreadPoolExecutor executor;
  EXPECT_GE(executor.max_workers(), 5);
  EXPECT_LE(executor.max_workers(), 32);
}

TEST(ThreadPoolExecutorTest, TheInitializerRunsFirstInEachThread) {
  std::atomic<int> begun{0};
  Event both;
  ThreadPoolExecutor executor({.max_workers = 2, .initializer = [&] {
                                 if (++begun == 2) both.Set();
                               }});
  std::vector<Future<void>> futures;
  for (int i = 0; i < 2; ++i)
    futures.push_back(executor.Submit([&] { both.Wait(); }));
  for (const Future<void>& future : futures) future.Result();
  EXPECT_EQ(begun, 2);
}

TEST(ThreadPoolExecutorTest, SubmitFromTasksIsFine) {
  ThreadPoolExecutor executor(1);
  const Future<Future<int>> outer = executor.Submit(
      [&executor] { return executor.Submit([] { return 5; }); });
  EXPECT_EQ(outer.Result().Result(), 5);
}

TEST(ThreadPoolExecutorTest, ShutdownRunsPendingWorkAndWaits) {
  ThreadPoolExecutor executor(1);
  std::atomic<int> ran{0};
  std::vector<Future<void>> futures;
  for (int i = 0; i < 50; ++i)
    futures.push_back(executor.Submit([&ran] { ++ran; }));
  EXPECT_TRUE(executor.Shutdown());
  EXPECT_EQ(ran, 50);
  for (const Future<void>& future : futures) EXPECT_TRUE(future.Done());
}

TEST(ThreadPoolExecutorTest, ShutdownIsIdempotent) {
  ThreadPoolExecutor executor(1);
  executor.Submit([] {}).Wait();
  EXPECT_TRUE(executor.Shutdown());
  EXPECT_TRUE(executor.Shutdown());
}

TEST(ThreadPoolExecutorTest, ShutdownWithoutWaitingStillRunsPendingWork) {
  ThreadPoolExecutor executor(1);
  Event go;
  executor.Submit([&go] { go.Wait(); });
  const Future<int> pending = executor.Submit([] { return 8; });
  EXPECT_FALSE(executor.Shutdown({.wait = false}));
  go.Set();
  EXPECT_EQ(pending.Result(), 8);
}

TEST(ThreadPoolExecutorTest, ShutdownCancellingCancelsPendingWorkOnly) {
  ThreadPoolExecutor executor(1);
  Event begun;
  Event go;
  const Future<int> running = executor.Submit([&] {
    begun.Set();
    go.Wait();
    return 1;
  });
  begun.Wait();
  const Future<int> pending = executor.Submit([] { return 2; });
  EXPECT_FALSE(executor.Shutdown({.wait = false, .cancel_futures = true}));
  EXPECT_TRUE(pending.Cancelled());
  go.Set();
  EXPECT_TRUE(executor.Shutdown());
  EXPECT_EQ(running.Result(), 1);
}

TEST(ThreadPoolExecutorTest, ShutdownWaitsWithinItsLimit) {
  internal::ManualClock clock;
  ThreadPoolExecutor executor(1);
  Event go;
  executor.Submit([&go] { go.Wait(); });
  EXPECT_FALSE(executor.Shutdown({.limit = absl::ZeroDuration()}));
  std::optional<bool> ended;
  Thread stopper(
      [&] { ended = executor.Shutdown({.limit = absl::Seconds(2)}); });
  stopper.Start();
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(2));
  stopper.Join();
  EXPECT_EQ(ended, false);
  go.Set();
  EXPECT_TRUE(executor.Shutdown());
}

TEST(ThreadPoolExecutorTest, ManySubmittersLoseNothing) {
  ThreadPoolExecutor executor(3);
  std::atomic<int64_t> sum{0};
  const auto submit = [&] {
    std::vector<Future<int>> futures;
    for (int i = 1; i <= 2000; ++i)
      futures.push_back(executor.Submit([i] { return i; }));
    for (const Future<int>& future : futures) sum += future.Result();
  };
  internal::RunConcurrently(1, submit, submit, submit);
  EXPECT_EQ(sum, 3 * 2'001'000);
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ThreadPoolExecutorTest, MaxWorkersMustBeGreaterThanZero) {
  EXPECT_THROW(ThreadPoolExecutor(0), std::invalid_argument);
  EXPECT_THROW(ThreadPoolExecutor(-1), std::invalid_argument);
}

TEST(ThreadPoolExecutorTest, AnInitializerThatThrowsBreaksIt) {
  int reported = 0;
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  const auto reset = absl::MakeCleanup([] { SetExceptHook({}); });
  Event go;
  std::vector<Future<int>> pending;
  {
    ThreadPoolExecutor executor({.max_workers = 1, .initializer = [&] {
                                   go.Wait();
                                   throw std::runtime_error("no licence");
                                 }});
    for (int i = 0; i < 10; ++i)
      pending.push_back(executor.Submit([i] { return i; }));
    go.Set();
    for (const Future<int>& future : pending)
      EXPECT_THROW(future.Result(), BrokenThreadPool);
    EXPECT_THROW(executor.Submit([] {}), BrokenThreadPool);
    EXPECT_THROW(executor.Submit([] {}), BrokenExecutor);
    executor.Shutdown();
    EXPECT_THROW(executor.Submit([] {}), BrokenThreadPool)
        << "broken comes before shut down";
  }
  EXPECT_EQ(reported, 1);
}

TEST(ThreadPoolExecutorTest, SubmitAfterShutdownIsAnError) {
  ThreadPoolExecutor executor(1);
  executor.Shutdown();
  EXPECT_THROW(executor.Submit([] {}), ShutdownError);
}

TEST(ThreadPoolExecutorTest, ATaskCannotWaitForItsOwnExecutor) {
  ThreadPoolExecutor executor(1);
  EXPECT_THROW(executor.Submit([&executor] { executor.Shutdown(); }).Result(),
               std::logic_error);
  // Nothing has changed: work is still accepted.
  EXPECT_EQ(executor.Submit([] { return 3; }).Result(), 3);
  // Without waiting it may.
  EXPECT_FALSE(
      executor
          .Submit([&executor] { return executor.Shutdown({.wait = false}); })
          .Result());
}

TEST(ThreadPoolExecutorTest, SubmittingAgainstShutdownIsRunOrRefused) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> ran{0};
    std::atomic<int> refused{0};
    ThreadPoolExecutor executor(2);
    const auto submit = [&] {
      for (int i = 0; i < 20; ++i) {
        try {
          executor.Submit([&ran] { ++ran; });
        } catch (const ShutdownError&) {
          ++refused;
        }
      }
    };
    internal::RunConcurrently(1, submit, submit, [&] { executor.Shutdown(); });
    executor.Shutdown();
    EXPECT_EQ(ran + refused, 40);
  }
}
#endif

}  // namespace
}  // namespace heddle
