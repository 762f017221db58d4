// Rings of waits that would never end: one who waits in it is told so, whatever
// the ring goes through. And what only looks like one is none.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/futures/as_completed.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/future.h"
#include "heddle/futures/inline_executor.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/futures/wait.h"
#include "heddle/pool/async_result.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/clock.h"

#ifdef ABSL_HAVE_EXCEPTIONS
namespace heddle {
namespace {

constexpr int kRounds = 50;

// Whether `wait()` is told that it would never end.
template <typename WaitForIt>
bool IsTold(WaitForIt wait) {
  try {
    wait();
  } catch (const DeadlockError&) {
    return true;
  }
  return false;
}

TEST(DeadlockTest, ACallbackWaitsForItsOwnResult) {
  for (int round = 0; round < kRounds; ++round) {
    ThreadPool pool(2);
    AsyncResult<int> result;
    Event there;
    std::atomic<int> told{0};
    const auto get = [&](int) {
      there.Wait();
      told += IsTold([&] { result.Get(); });
    };
    result = pool.ApplyAsync(Callbacks{get}, [] { return 7; });
    there.Set();
    EXPECT_EQ(result.Get(), 7);
    EXPECT_EQ(told, 1);
  }
}

TEST(DeadlockTest, ACallOfAMapWaitsForIt) {
  for (int round = 0; round < kRounds; ++round) {
    ThreadPool pool(2);
    AsyncResult<std::vector<int>> result;
    Event there;
    result = pool.MapAsync(
        [&](int n) {
          there.Wait();
          return IsTold([&] { result.Get(); }) ? n : 0;
        },
        std::vector<int>{1, 2, 3, 4});
    there.Set();
    EXPECT_EQ(result.Get(), (std::vector<int>{1, 2, 3, 4}));
  }
}

TEST(DeadlockTest, SoDoesItsCallback) {
  ThreadPool pool(2);
  AsyncResult<std::vector<int>> result;
  Event there;
  std::atomic<int> told{0};
  const auto get = [&](const std::vector<int>&) {
    there.Wait();
    told += IsTold([&] { result.Get(); });
  };
  result = pool.MapAsync(
      Callbacks{get}, [](int n) { return n; }, std::vector<int>{1, 2, 3});
  there.Set();
  result.Wait();
  EXPECT_EQ(told, 1);
}

TEST(DeadlockTest, ATaskWaitsForAMapWhoseCallsWaitForTheTask) {
  for (int round = 0; round < kRounds; ++round) {
    std::optional<Future<int>> task;
    Event there;
    std::atomic<int> told{0};
    ThreadPool pool(2);
    ThreadPoolExecutor executor(1);
    task = executor.Submit([&] {
      there.Wait();
      // Not this one: the calls use what is on its stack.
      pool.Map([&](int) { told += IsTold([&] { task->Result(); }); },
               std::vector<int>{1, 2, 3});
      return 1;
    });
    there.Set();
    EXPECT_EQ(task->Result(), 1);
    EXPECT_EQ(told, 3);
  }
}

TEST(DeadlockTest, ATaskWaitsForResultsOfAnIMapWhoseCallWaitsForTheTask) {
  for (int round = 0; round < kRounds; ++round) {
    std::optional<Future<int>> task;
    Event there;
    ThreadPool pool(2);
    ThreadPoolExecutor executor(1);
    auto results = pool.IMap(
        [&](int n) {
          there.Wait();
          return IsTold([&] { task->Result(); }) ? n : 0;
        },
        std::vector<int>{1, 2});
    bool told = false;
    task = executor.Submit([&] {
      if (round % 2 == 0) there.Wait();
      int sum = 0;
      told = IsTold([&] {
        while (std::optional<int> next = results.Next()) sum += *next;
      });
      return sum;
    });
    there.Set();
    // The last to wait is told, be it the task or a call; then all go on.
    if (task->Result() != 3) {
      EXPECT_TRUE(told);
    }
  }
}

TEST(DeadlockTest, AForkThatAnotherTookWaitsForWhoseItIs) {
  for (int round = 0; round < kRounds; ++round) {
    std::optional<Future<int>> task;
    Event there;
    Event taken;
    std::atomic<int> told{0};
    WorkerPool pool({.max_workers = 2});
    ThreadPoolExecutor executor(1);
    task = executor.Submit([&] {
      there.Wait();
      pool.Invoke(
          [&] {
            if (round % 2 == 0) taken.Wait();
          },
          [&] {
            taken.Set();
            told += IsTold([&] { task->Result(); });
          });
      return 1;
    });
    there.Set();
    EXPECT_EQ(task->Result(), 1);
    EXPECT_EQ(told, 1);
  }
}

TEST(DeadlockTest, AnElementOfALoopWaitsForWhoLoops) {
  ThreadPool pool(2);
  ThreadPoolExecutor executor(1);
  for (int round = 0; round < 5; ++round) {
    std::optional<Future<int>> task;
    Event there;
    std::atomic<int> told{0};
    std::atomic<bool> helped{false};
    task = executor.Submit([&] {
      there.Wait();
      const std::thread::id caller = std::this_thread::get_id();
      pool.ForRange(0, 1000, [&](int64_t) {
        if (std::this_thread::get_id() != caller) {
          if (!helped.exchange(true)) told += IsTold([&] { task->Result(); });
          return;
        }
        // Long enough for a guest to be worth while.
        const int64_t begin = internal::Clock::Now();
        while (!helped && internal::Clock::Now() - begin < 1'000'000) {
        }
      });
      return 1;
    });
    there.Set();
    EXPECT_EQ(task->Result(), 1);
    EXPECT_EQ(told, helped ? 1 : 0);
  }
}

TEST(DeadlockTest, ATaskRunInlineWaitsForWhoWaitsForTheOneAroundIt) {
  for (int round = 0; round < kRounds; ++round) {
    std::optional<Future<int>> outer;
    std::optional<Future<int>> other;
    Event there;
    std::atomic<int> told{0};
    ThreadPoolExecutor executor(2);
    InlineExecutor at_once;
    outer = executor.Submit([&] {
      there.Wait();
      return at_once
          .Submit([&] {
            told += IsTold([&] { other->Result(); });
            return 1;
          })
          .Result();
    });
    other = executor.Submit([&] {
      there.Wait();
      told += IsTold([&] { outer->Result(); });
      return 2;
    });
    there.Set();
    EXPECT_EQ(outer->Result() + other->Result(), 3);
    EXPECT_EQ(told, 1);
  }
}

TEST(DeadlockTest, TheLastOfSeveralIsOneselfOrWaitsForOne) {
  for (const bool one_by_one : {false, true}) {
    std::optional<Future<int>> task;
    Event there;
    ThreadPoolExecutor executor(1);
    task = executor.Submit([&] {
      there.Wait();
      Promise<int> done;
      done.SetResult(1);
      const std::vector<Future<int>> both = {done.GetFuture(), *task};
      return static_cast<int>(IsTold([&] {
        if (one_by_one) {
          for (const Future<int>& each : AsCompleted(both)) each.Wait();
        } else {
          Wait(both, ReturnWhen::kFirstException);
        }
      }));
    });
    there.Set();
    EXPECT_EQ(task->Result(), 1);
  }
}

// Each waits for such that were submitted before it, in all ways there are: no
// ring, so none is seen.
TEST(DeadlockTest, WhatIsNoRingIsNotCalledOne) {
  constexpr size_t kTasks = 60;
  for (unsigned round = 0; round < 20; ++round) {
    std::vector<Future<int>> futures(kTasks);
    // With spares: what waits across pools would else keep their last threads.
    ThreadPool pool({.workers = 2, .max_spares = 256});
    WorkerPool forks({.max_workers = 2, .max_spares = 256});
    ThreadPoolExecutor executors[] = {
        ThreadPoolExecutor({.max_workers = 2, .max_spares = 256}),
        ThreadPoolExecutor({.max_workers = 1, .max_spares = 256})};
    InlineExecutor at_once;
    for (size_t i = 0; i < kTasks; ++i) {
      const size_t a = i == 0 ? 0 : (i * 7 + round) % i;
      const size_t b = i == 0 ? 0 : (i * 13 + round * 5) % i;
      futures[i] = executors[i % 2].Submit([&, i, a, b]() -> int {
        if (i == 0) return 1;
        const Future<int> first = futures[a];
        const Future<int> second = futures[b];
        switch ((i + round) % 5) {
          case 0:
            return first.Result();
          case 1: {
            std::atomic<int> one{0};
            forks.Invoke([&] { one |= first.Result(); },
                         [&] { one |= second.Result(); });
            return one;
          }
          case 2:
            for (int n : pool.Map([&](int) { return first.Result(); },
                                  std::vector<int>{1, 2, 3}))
              if (n != 1) return 0;
            return 1;
          case 3:
            Wait(std::vector<Future<int>>{first, second});
            return at_once.Submit([&] { return second.Result(); }).Result();
          default:
            for (const Future<int>& each :
                 AsCompleted(std::vector<Future<int>>{first, second}))
              if (each.Result() != 1) return 0;
            return 1;
        }
      });
    }
    for (const Future<int>& future : futures) EXPECT_EQ(future.Result(), 1);
  }
}

}  // namespace
}  // namespace heddle
#endif
