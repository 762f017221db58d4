// WorkerPool's engine: order, bounds, spares, numbers. What every user of a pool
// relies on is in worker_pool_test.cc.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/pool/blocking_region.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/internal/worker_counters.h"
#include "heddle/pool/pool_stats.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/queue/queue.h"
#include "heddle/sync/barrier.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

using pool_internal::MustSchedule;
using pool_internal::WaitUntil;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Order = WorkerPool::Order;
using ShutdownMode = WorkerPool::ShutdownMode;
using StartPolicy = WorkerPool::StartPolicy;
using WhenFull = WorkerPool::WhenFull;

// --- Order -------------------------------------------------------------------

std::vector<int> OrderOfTasksOfATask(Order order) {
  std::vector<int> ran;
  {
    WorkerPool pool({.max_workers = 1, .max_spares = 0, .order = order});
    Event go;
    Event done;
    MustSchedule(pool, [&] {
      go.Wait();
      for (int i = 1; i <= 3; ++i)
        MustSchedule(pool, [&ran, i] { ran.push_back(i); });
      done.Set();
    });
    MustSchedule(pool, [&ran] { ran.push_back(0); });
    go.Set();
    done.Wait();
  }
  return ran;
}

TEST(EngineTest, WhatATaskSchedulesGoesFirstTheNewestFirst) {
  EXPECT_THAT(OrderOfTasksOfATask(Order::kNewestFirst),
              ElementsAre(3, 2, 1, 0));
}

TEST(EngineTest, OrLastTheOldestFirst) {
  EXPECT_THAT(OrderOfTasksOfATask(Order::kOldestFirst),
              ElementsAre(0, 1, 2, 3));
}

TEST(EngineTest, TasksThatScheduleWithoutEndHoldUpNobody) {
  std::atomic<bool> stop{false};
  std::function<void()> again;
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  again = [&] {
    Task next(again);
    if (!stop) static_cast<void>(pool.Schedule(next));
  };
  MustSchedule(pool, again);
  Event outside;
  for (int i = 0; i < 100; ++i) MustSchedule(pool, [] {});
  MustSchedule(pool, [&outside] { outside.Set(); });
  EXPECT_TRUE(outside.Wait());
  stop = true;
}

// One worker has taken a batch and is stuck at its first task; the other always
// finds newer ones in the queue.
TEST(EngineTest, WhatIsBehindALongTaskIsTakenFromThere) {
  Event begun;
  std::atomic<bool> go{false};
  std::atomic<int> old_ones{0};
  WorkerPool pool(
      {.max_workers = 2, .start = StartPolicy::kAtOnce, .max_spares = 0});
  TaskQueue tasks;
  tasks.Push(Task([&] {
    begun.Set();
    while (!go) std::this_thread::yield();  // no wait that Heddle sees
  }));
  for (int i = 0; i < 200; ++i) tasks.Push(Task([&old_ones] { ++old_ones; }));
  ASSERT_TRUE(pool.ScheduleMany(tasks));
  begun.Wait();
  while (old_ones < 200) MustSchedule(pool, [] {});
  go = true;
}

// --- ScheduleMany ------------------------------------------------------------

TEST(EngineTest, ManyAreRunInTheirOrder) {
  std::vector<int> ran;
  {
    WorkerPool pool({.max_workers = 1});
    TaskQueue tasks;
    for (int i = 0; i < 1000; ++i)
      tasks.Push(Task([&ran, i] { ran.push_back(i); }));
    EXPECT_TRUE(pool.ScheduleMany(tasks));
    EXPECT_TRUE(tasks.empty());
    EXPECT_TRUE(pool.ScheduleMany(tasks)) << "none is many enough";
  }
  ASSERT_EQ(ran.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
}

TEST(EngineTest, ManyWakeAsManyAsThereIsWorkFor) {
  struct Round {
    std::atomic<int> arrived{0};
    Event all;
  } rounds[20];
  WorkerPool pool({.max_workers = 4, .start = StartPolicy::kAtOnce});
  uint64_t done = 0;
  for (auto& [arrived_here, all_here] : rounds) {
    std::atomic<int>& arrived = arrived_here;
    Event& all = all_here;
    TaskQueue tasks;
    for (int i = 0; i < 4; ++i) {
      tasks.Push(Task([&] {
        if (++arrived == 4) all.Set();
        all.Wait();
      }));
    }
    ASSERT_TRUE(pool.ScheduleMany(tasks));
    all.Wait();
    done += 4;
    WaitUntil([&] { return pool.Stats().done >= done; });
  }
}

TEST(EngineTest, ManyAreRefusedTogether) {
  WorkerPool pool({.max_workers = 1});
  pool.Shutdown();
  TaskQueue tasks;
  for (int i = 0; i < 100; ++i) tasks.Push(Task([] { FAIL(); }));
  EXPECT_FALSE(pool.ScheduleMany(tasks));
  EXPECT_EQ(tasks.size(), 100u);
}

// --- Bounds ------------------------------------------------------------------

// A pool whose one worker is busy until `go`, and whose queue is full.
class FullPool {
 public:
  explicit FullPool(WhenFull when_full)
      : pool({.max_workers = 1,
              .max_spares = 0,
              .max_queued = 2,
              .when_full = when_full}) {
    Event begun;
    MustSchedule(pool, [&] {
      begun.Set();
      go.Wait();
    });
    begun.Wait();
    for (int i = 0; i < 2; ++i) MustSchedule(pool, [this] { ++ran; });
  }

  Event go;
  std::atomic<int> ran{0};
  WorkerPool pool;
};

TEST(EngineTest, AFullPoolRefuses) {
  FullPool full(WhenFull::kRefuse);
  Task task([&full] { ++full.ran; });
  EXPECT_FALSE(full.pool.Schedule(task));
  EXPECT_TRUE(task);
  EXPECT_FALSE(full.pool.IsShutDown());
  full.go.Set();
  WaitUntil([&] { return full.pool.Schedule(task); });
  full.pool.Shutdown();
  EXPECT_EQ(full.ran, 3);
}

TEST(EngineTest, AFullPoolRunsItInTheCaller) {
  FullPool full(WhenFull::kRunInCaller);
  std::thread::id where;
  MustSchedule(full.pool, [&where] { where = std::this_thread::get_id(); });
  EXPECT_EQ(where, std::this_thread::get_id());
  full.go.Set();
}

TEST(EngineTest, AFullPoolWaitsWithinTheLimit) {
  FullPool full(WhenFull::kWait);
  Task task([&full] { ++full.ran; });
  EXPECT_FALSE(full.pool.Schedule(task, absl::Milliseconds(1)));
  ASSERT_TRUE(task);
  std::thread producer([&] { EXPECT_TRUE(full.pool.Schedule(task)); });
  full.go.Set();
  producer.join();
  full.pool.Shutdown();
  EXPECT_EQ(full.ran, 3);
}

TEST(EngineTest, ATaskThatWaitsForRoomElsewhereIsReplaced) {
  FullPool full(WhenFull::kWait);
  WorkerPool pool({.max_workers = 1, .max_spares = 256});
  MustSchedule(pool, [&full] { MustSchedule(full.pool, [] {}); });
  MustSchedule(pool, [&full] { full.go.Set(); });
  full.go.Wait();
}

TEST(EngineTest, ShutdownRefusesThoseWhoWaitForRoom) {
  FullPool full(WhenFull::kWait);
  std::vector<std::thread> producers;
  std::atomic<int> refused{0};
  for (int i = 0; i < 3; ++i) {
    producers.emplace_back([&] {
      Task task([] {});
      refused += full.pool.Schedule(task) ? 0 : 1;
    });
  }
  full.pool.Shutdown(ShutdownMode::kDrain, absl::ZeroDuration());
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(refused, 3);
  full.go.Set();
}

// Tasks over the bound are not what a refused producer waits for.
TEST(EngineTest, ShutdownRefusesAProducerAlsoWhereTasksAreOverTheBound) {
  Event begun;
  Event go;
  WorkerPool pool(
      {.max_workers = 1, .max_queued = 1, .order = Order::kOldestFirst});
  MustSchedule(pool, [&] {
    for (int i = 0; i < 3; ++i) MustSchedule(pool, [] {});
    begun.Set();
    go.Wait();
  });
  begun.Wait();
  std::vector<std::thread> producers;
  std::atomic<int> refused{0};
  for (int i = 0; i < 3; ++i) {
    producers.emplace_back([&] {
      Task task([] {});
      refused += pool.Schedule(task) ? 0 : 1;
    });
  }
  pool.Shutdown(ShutdownMode::kDrain, absl::ZeroDuration());
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(refused, 3);
  go.Set();
}

TEST(EngineTest, InvokeOfAFullPoolGoesOverTheBound) {
  for (const WhenFull when_full :
       {WhenFull::kWait, WhenFull::kRefuse, WhenFull::kRunInCaller}) {
    FullPool full(when_full);
    std::thread caller(
        [&] { full.pool.Invoke([&] { ++full.ran; }, [&] { ++full.ran; }); });
    WaitUntil([&] { return full.pool.Stats().queued == 3; });
    full.go.Set();
    caller.join();
    EXPECT_EQ(full.ran, 4);
  }
}

TEST(EngineTest, ABoundMayBeAsLargeAsOneLikes) {
  std::atomic<int> ran{0};
  for (const int64_t bound : {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2 + 1}) {
    WorkerPool pool(
        {.max_workers = 1, .max_queued = static_cast<size_t>(bound)});
    for (int i = 0; i < 10; ++i) MustSchedule(pool, [&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 30);
}

TEST(EngineTest, TasksOfTasksGoOverTheBound) {
  std::atomic<int> ran{0};
  for (const Order order : {Order::kNewestFirst, Order::kOldestFirst}) {
    WorkerPool pool(
        {.max_workers = 1, .max_spares = 0, .max_queued = 1, .order = order});
    Event done;
    MustSchedule(pool, [&] {
      for (int i = 0; i < 10; ++i) MustSchedule(pool, [&ran] { ++ran; });
      done.Set();
    });
    done.Wait();
    // The bound is there again afterwards.
    for (int i = 0; i < 10; ++i) MustSchedule(pool, [&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 40);
}

// --- Spares ------------------------------------------------------------------

TEST(EngineTest, AWorkerThatWaitsIsReplaced) {
  Event go;
  WorkerPool pool({.max_workers = 1, .max_spares = 256});
  MustSchedule(pool, [&go] { go.Wait(); });
  MustSchedule(pool, [&go] { go.Set(); });
  EXPECT_TRUE(go.Wait());
}

TEST(EngineTest, AsManyAsThereMayBeSpares) {
  std::atomic<int> waiting{0};
  Event go;
  WorkerPool pool({.max_workers = 1, .max_spares = 5});
  for (int i = 0; i < 10; ++i) {
    MustSchedule(pool, [&] {
      ++waiting;
      go.Wait();
    });
  }
  WaitUntil([&] { return waiting == 6; });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(waiting, 6);
  EXPECT_EQ(pool.started_workers(), 6);
  const PoolStats stats = pool.Stats();
  EXPECT_EQ(stats.spare, 5);
  EXPECT_EQ(stats.queued, 4u);
  go.Set();
}

TEST(EngineTest, SparesEndWhenTheyAreNoLongerNeeded) {
  struct Round {
    std::atomic<int> waiting{0};
    Event go;
  } rounds[10];
  WorkerPool pool({.max_workers = 2,
                   .max_spares = 256,
                   .idle_time = absl::Milliseconds(1)});
  for (auto& [waiting_here, go_here] : rounds) {
    std::atomic<int>& waiting = waiting_here;
    Event& go = go_here;
    for (int i = 0; i < 6; ++i) {
      MustSchedule(pool, [&] {
        ++waiting;
        go.Wait();
      });
    }
    WaitUntil([&] { return waiting == 6; });
    // One more may have been called for what another found first; it goes.
    WaitUntil([&] { return pool.started_workers() == 6; });
    go.Set();
    WaitUntil([&] { return pool.started_workers() == 2; });
  }
}

TEST(EngineTest, ABlockingRegionIsAWait) {
  std::atomic<bool> go{false};
  WorkerPool pool({.max_workers = 1, .max_spares = 256});
  MustSchedule(pool, [&go] {
    const BlockingRegion region;
    const BlockingRegion nested;
    while (!go) std::this_thread::yield();  // Heddle sees nothing of it
  });
  MustSchedule(pool, [&go] { go = true; });
  WaitUntil([&] { return go.load(); });
  const BlockingRegion elsewhere;  // does nothing
}

TEST(EngineTest, NoMoreThanMaxWorkersRunAtATime) {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  {
    WorkerPool pool({.max_workers = 2, .max_spares = 256});
    const auto work = [&] {
      const int now = ++running;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      const auto until =
          std::chrono::steady_clock::now() + std::chrono::microseconds(200);
      while (std::chrono::steady_clock::now() < until) {
      }
      --running;
    };
    for (int i = 0; i < 200; ++i) {
      MustSchedule(pool, work);
      MustSchedule(pool, [] {
        Event never;
        (void)never.Wait(absl::Milliseconds(2));  // a spare comes, and goes
      });
    }
  }
  // Who comes back from a wait finishes its task beside the others; it did not
  // begin one more.
  EXPECT_LE(most, 2);
}

TEST(EngineTest, ProducerAndConsumerInAPoolOfOne) {
  Queue<int> queue(1);
  int64_t sum = 0;
  Event done;
  WorkerPool pool({.max_workers = 1, .max_spares = 256});
  MustSchedule(pool, [&] {
    for (const int x : queue) sum += x;
    done.Set();
  });
  MustSchedule(pool, [&] {
    for (int i = 0; i < 1000; ++i) queue.Put(i);
    queue.Shutdown();
  });
  done.Wait();
  EXPECT_EQ(sum, 499'500);
}

// --- Invoke ------------------------------------------------------------------

int64_t Fib(WorkerPool& pool, int n) {
  if (n < 2) return n;
  int64_t a = 0;
  int64_t b = 0;
  pool.Invoke([&] { a = Fib(pool, n - 1); }, [&] { b = Fib(pool, n - 2); });
  return a + b;
}

TEST(EngineTest, ForksOfForksAddUp) {
  for (const int workers : {1, 2, 4}) {
    WorkerPool pool({.max_workers = workers});
    EXPECT_EQ(Fib(pool, 20), 6765);
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i)
      callers.emplace_back([&pool] { EXPECT_EQ(Fib(pool, 15), 610); });
    for (std::thread& caller : callers) caller.join();
  }
}

TEST(EngineTest, ForksMayScheduleTasks) {
  std::atomic<int> ran{0};
  {
    WorkerPool pool({.max_workers = 2});
    pool.Invoke([] {}, [] {});
    std::function<void(int)> tree = [&](int depth) {
      MustSchedule(pool, [&ran] { ++ran; });
      if (depth > 0)
        pool.Invoke([&] { tree(depth - 1); }, [&] { tree(depth - 1); });
    };
    tree(8);
  }
  EXPECT_EQ(ran, 511);
}

TEST(EngineTest, ForksRunDuringShutdown) {
  for (const ShutdownMode mode :
       {ShutdownMode::kDrain, ShutdownMode::kDropQueued}) {
    WorkerPool pool({.max_workers = 2});
    Event begun;
    Event go;
    int64_t fib = 0;
    Event done;
    MustSchedule(pool, [&] {
      begun.Set();
      go.Wait();
      fib = Fib(pool, 15);
      done.Set();
    });
    begun.Wait();
    pool.Shutdown(mode, absl::ZeroDuration());
    go.Set();
    done.Wait();
    EXPECT_EQ(fib, 610);
  }
}

TEST(EngineTest, InvokeNestsTenThousandDeep) {
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
  constexpr int kDepth = 2'000;  // each call takes kilobytes of stack
#else
  constexpr int kDepth = 10'000;
#endif
  WorkerPool pool({.max_workers = 2});
  int depth = 0;
  std::function<void()> down = [&] {
    if (++depth < kDepth) pool.Invoke(down, [] {});
  };
  pool.Invoke(down, [] {});
  EXPECT_EQ(depth, kDepth);
}

// --- Numbers -----------------------------------------------------------------

TEST(EngineTest, StatsAddUpAtRest) {
  WorkerPool pool({.max_workers = 2});
  for (int i = 0; i < 1000; ++i) {
    MustSchedule(pool, [&pool, i] {
      if (i % 10 == 0) MustSchedule(pool, [] {});
    });
  }
  WaitUntil([&] { return pool.Stats().done == 1100; });
  const PoolStats stats = pool.Stats();
  EXPECT_EQ(stats.submitted, 1100u);
  EXPECT_EQ(stats.queued, 0u);
  EXPECT_EQ(stats.failed, 0u);
  EXPECT_EQ(stats.dropped, 0u);
  EXPECT_EQ(stats.blocked, 0);
  EXPECT_EQ(stats.spare, 0);
  EXPECT_GE(stats.waits.count(), 1100 / 16 - 5);
  EXPECT_EQ(stats.waits.count(), stats.runs.count());
  EXPECT_LE(stats.runs.Percentile(50), stats.runs.Percentile(99));
  EXPECT_GT(stats.runs.Percentile(100), absl::ZeroDuration());
  WaitUntil([&] { return pool.Stats().running == 0; });
  EXPECT_GE(pool.Stats().parks, static_cast<uint64_t>(pool.Stats().idle));
}

TEST(EngineTest, StatsCountForksThatAnotherTook) {
  WorkerPool pool({.max_workers = 2});
  pool.Invoke(
      [&pool] {
        for (int i = 0; i < 20; ++i) {
          std::atomic<bool> taken{false};
          pool.Invoke([&] { WaitUntil([&] { return taken.load(); }); },
                      [&] { taken = true; });
        }
      },
      [] {});
  pool.Shutdown();
  const PoolStats stats = pool.Stats();
  EXPECT_GE(stats.done, 21u);
  EXPECT_EQ(stats.submitted, stats.done);
}

TEST(EngineTest, StatsTellWhoIsBlockedAndWhatIsQueued) {
  Event go;
  Event begun;
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  MustSchedule(pool, [&] {
    begun.Set();
    go.Wait();
  });
  for (int i = 0; i < 5; ++i) MustSchedule(pool, [] {});
  begun.Wait();
  WaitUntil([&] { return pool.Stats().blocked == 1; });
  EXPECT_EQ(pool.Stats().queued, 5u);
  EXPECT_EQ(
      pool.Shutdown(ShutdownMode::kDropQueued, absl::ZeroDuration()).dropped,
      5u);
  EXPECT_EQ(pool.Stats().dropped, 5u);
  go.Set();
}

TEST(EngineTest, PercentilesAreUpperBounds) {
  pool_internal::TimeCounters counters;
  for (int i = 0; i < 90; ++i) counters.Add(100);
  for (int i = 0; i < 10; ++i) counters.Add(5000);
  TimeHistogram histogram;
  EXPECT_EQ(histogram.Percentile(50), absl::ZeroDuration());
  histogram.Add(counters);
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.Percentile(0), absl::Nanoseconds(127));
  EXPECT_EQ(histogram.Percentile(90), absl::Nanoseconds(127));
  EXPECT_EQ(histogram.Percentile(91), absl::Nanoseconds(8191));
  EXPECT_EQ(histogram.Percentile(100), absl::Nanoseconds(8191));
  pool_internal::TimeCounters odd;
  odd.Add(-5);
  odd.Add(INT64_MAX);
  TimeHistogram extremes;
  extremes.Add(odd);
  EXPECT_EQ(extremes.Percentile(50), absl::ZeroDuration());
  EXPECT_GT(extremes.Percentile(100), absl::Hours(30));
}

TEST(EngineTest, ShutdownReportsWhatItLeaves) {
  WorkerPool pool({.max_workers = 1, .name_prefix = "left", .max_spares = 0});
  Event begun;
  Event go;
  MustSchedule(pool, [&] {
    begun.Set();
    go.Wait();
  });
  for (int i = 0; i < 3; ++i) MustSchedule(pool, [] {});
  begun.Wait();
  WorkerPool::ShutdownReport report =
      pool.Shutdown(ShutdownMode::kDrain, absl::Milliseconds(1));
  EXPECT_EQ(report.dropped, 0u);
  EXPECT_EQ(report.queued, 3u);
  EXPECT_THAT(report.running, ElementsAre("left_0"));
  report = pool.Shutdown(ShutdownMode::kDropQueued, absl::ZeroDuration());
  EXPECT_EQ(report.dropped, 3u);
  EXPECT_EQ(report.queued, 0u);
  go.Set();
  report = pool.Shutdown();
  EXPECT_EQ(report.dropped, 0u);
  EXPECT_THAT(report.running, IsEmpty());
}

// --- Observer ----------------------------------------------------------------

class Log : public WorkerPool::Observer {
 public:
  void OnWorkerStart(int worker) override { Add("start", worker); }
  void OnWorkerEnd(int worker) override { Add("end", worker); }
  void OnTaskStart(int worker) override { Add("task", worker); }
  void OnTaskEnd(int worker, bool threw) override {
    Add(threw ? "threw" : "done", worker);
  }
  void OnBlocked(int worker) override { Add("blocked", worker); }
  void OnUnblocked(int worker) override { Add("unblocked", worker); }

  std::vector<std::string> lines() {
    LockGuard guard(lock_);
    return lines_;
  }

 private:
  void Add(const std::string& what, int worker) {
    LockGuard guard(lock_);
    lines_.push_back(what + " " + std::to_string(worker));
  }
  Lock lock_;
  std::vector<std::string> lines_;
};

TEST(EngineTest, AnObserverIsTold) {
  Log log;
  {
    WorkerPool pool({.max_workers = 1, .max_spares = 0, .observer = &log});
    MustSchedule(pool, [] { const BlockingRegion region; });
  }
  EXPECT_THAT(log.lines(), ElementsAre("start 0", "task 0", "blocked 0",
                                       "unblocked 0", "done 0", "end 0"));
}

// The observer writes under the lock that the tasks use.
TEST(EngineTest, AnObserverMayTakeAnyLock) {
  class LockingLog : public WorkerPool::Observer {
   public:
    void OnTaskStart(int worker) override { Add("task", worker); }
    void OnTaskEnd(int worker, bool /*threw*/) override { Add("done", worker); }
    void OnBlocked(int worker) override { Add("blocked", worker); }
    void OnUnblocked(int worker) override { Add("unblocked", worker); }

    Lock lock;
    std::vector<std::string> lines;

   private:
    void Add(const std::string& what, int worker) {
      LockGuard guard(lock);
      lines.push_back(what + " " + std::to_string(worker));
    }
  } log;
  {
    WorkerPool pool({.max_workers = 1, .observer = &log});
    // In the wait the lock is the task's.
    MustSchedule(pool, [&] {
      LockGuard guard(log.lock);
      const BlockingRegion region;
    });
    // In the wait the lock is another's; when it is over, the task's.
    Event locked;
    std::thread holder([&] {
      LockGuard guard(log.lock);
      locked.Set();
      WaitUntil([&] { return pool.Stats().blocked == 1; });
    });
    locked.Wait();
    MustSchedule(pool, [&] { LockGuard guard(log.lock); });
    holder.join();
  }
  // The observer's own waits for the lock are not told of.
  const auto all = ElementsAre("task 0", "blocked 0", "unblocked 0", "done 0",
                               "task 0", "blocked 0", "unblocked 0", "done 0");
  const auto none_in_the_second = ElementsAre(
      "task 0", "blocked 0", "unblocked 0", "done 0", "task 0", "done 0");
  EXPECT_THAT(log.lines, testing::AnyOf(all, none_in_the_second));
}

TEST(EngineTest, AnotherWorkerTellsWhoIsBlocked) {
  class Blocks : public WorkerPool::Observer {
   public:
    void OnBlocked(int /*worker*/) override { told.Set(); }
    Event told;
  } blocks;
  WorkerPool pool({.max_workers = 1, .max_spares = 1, .observer = &blocks});
  Event go;
  MustSchedule(pool, [&] { go.Wait(); });
  MustSchedule(pool, [] {});
  EXPECT_TRUE(blocks.told.Wait(absl::Seconds(60)));
  go.Set();
}

// --- Threads that leave ------------------------------------------------------

// A pool of one worker with a spare, one of which retires, and what it does
// then.
class RetiringOne : public WorkerPool::Observer {
 public:
  explicit RetiringOne(std::function<void()> at_end)
      : at_end_(std::move(at_end)),
        pool_({.max_workers = 1,
               .max_spares = 1,
               .idle_time = absl::ZeroDuration(),
               .observer = this}) {
    Event go;
    Event ran;
    BlockOne(go);
    MustSchedule(pool_, [&ran] { ran.Set(); });  // by the spare
    ran.Wait();
    go.Set();
    retires_.Wait();
  }

  // One waits for `go`: the next task needs a thread in the place that is left.
  void BlockOne(Event& go) {
    MustSchedule(pool_, [&go] { go.Wait(); });
    WaitUntil([this] { return pool_.Stats().blocked == 1; });
  }
  WorkerPool& pool() { return pool_; }

 private:
  void OnWorkerEnd(int /*worker*/) override {
    if (ended_++ > 0) return;
    retires_.Set();
    at_end_();
  }

  const std::function<void()> at_end_;
  std::atomic<int> ended_{0};
  Event retires_;
  WorkerPool pool_;
};

TEST(EngineTest, NobodyWaitsForAThreadThatLeaves) {
  Event go;
  Event may_end;
  Event ran;
  RetiringOne one([&may_end] { may_end.Wait(); });
  one.BlockOne(go);
  MustSchedule(one.pool(), [&ran] { ran.Set(); });
  ran.Wait();
  may_end.Set();
  go.Set();
}

TEST(EngineTest, AThreadThatLeavesMayStartTheNextInItsPlaceAndIsJoined) {
  Event go;
  Event blocked;
  Event ran;
  std::atomic<bool> ended{false};
  {
    WorkerPool* pool = nullptr;
    RetiringOne one([&] {
      blocked.Wait();
      MustSchedule(*pool, [&ran] { ran.Set(); });
      ran.Wait();
      WaitUntil([&] { return pool->started_workers() == 0; });
      ended = true;
    });
    pool = &one.pool();
    one.BlockOne(go);
    blocked.Set();
    ran.Wait();
    go.Set();
  }
  EXPECT_TRUE(ended);
}

// --- Stuck -------------------------------------------------------------------

// What the process writes to stderr meanwhile, to be read as it comes.
class StandardError {
 public:
  StandardError() : before_(dup(2)) {
    EXPECT_EQ(pipe(ends_), 0);
    dup2(ends_[1], 2);
    close(ends_[1]);
  }
  ~StandardError() {
    dup2(before_, 2);
    close(before_);
    close(ends_[0]);
  }

  // Waits for the next line.
  std::string ReadLine() const {
    std::string line;
    for (char c = 0; c != '\n' && read(ends_[0], &c, 1) == 1;) line += c;
    return line;
  }

 private:
  const int before_;
  int ends_[2] = {-1, -1};
};

TEST(EngineTest, APoolAllOfWhoseWorkersWaitSaysSo) {
  for (const int spares : {0, 1}) {
    Event go;
    WorkerPool pool(
        {.max_workers = 1, .name_prefix = "crew", .max_spares = spares});
    std::string line;
    {
      const StandardError error;
      for (int i = 0; i < spares + 1; ++i)
        MustSchedule(pool, [&go] { go.Wait(); });
      MustSchedule(pool, [&go] { go.Set(); });
      line = error.ReadLine();
    }
    go.Set();
    EXPECT_THAT(line, testing::HasSubstr("crew: all of its "));
    EXPECT_THAT(line, testing::HasSubstr("crew_0"));
    EXPECT_THAT(line, testing::HasSubstr("1 tasks are queued"));
    EXPECT_THAT(line, testing::HasSubstr("no spare is left"));
  }
}

// --- Shutdown and its limit ---------------------------------------------------

TEST(EngineTest, TheLimitOfAShutdownCountsFromTheCall) {
  internal::ManualClock clock;
  Event begun;
  Event go;
  WorkerPool pool({.max_workers = 1});
  MustSchedule(pool, [&] {
    begun.Set();
    go.Wait();
  });
  begun.Wait();
  struct Slow {
    ~Slow() { clock.Advance(absl::Seconds(1)); }
    internal::ManualClock& clock;
  };
  MustSchedule(pool, [slow = std::shared_ptr<Slow>(new Slow{clock})] {});
  const auto report =
      pool.Shutdown(ShutdownMode::kDropQueued, absl::Milliseconds(500));
  EXPECT_EQ(report.dropped, 1u);
  EXPECT_EQ(report.running.size(), 1u);
  go.Set();
  pool.Join();
}

// --- Short forms --------------------------------------------------------------

TEST(EngineTest, ACallableCanBeScheduledAsItIs) {
  std::atomic<int> ran{0};
  WorkerPool pool(2);
  EXPECT_EQ(pool.max_workers(), 2);
  EXPECT_TRUE(pool.Schedule([&ran] { ++ran; }));
  const auto again = [&ran] { ++ran; };
  EXPECT_TRUE(pool.Schedule(again, absl::Seconds(1)));
  EXPECT_TRUE(pool.AcceptsHere());
  pool.Shutdown();
  EXPECT_FALSE(pool.AcceptsHere());
  EXPECT_FALSE(pool.Schedule(again));
  EXPECT_EQ(ran, 2);
}

// --- Initializers ------------------------------------------------------------

TEST(EngineTest, EachWorkerBeginsWithTheInitializer) {
  Lock lock;
  std::set<std::thread::id> initialized;
  std::atomic<int> uninitialized{0};
  {
    WorkerPool pool({.max_workers = 3, .initializer = [&] {
                       LockGuard guard(lock);
                       initialized.insert(std::this_thread::get_id());
                     }});
    for (int i = 0; i < 100; ++i) {
      MustSchedule(pool, [&] {
        LockGuard guard(lock);
        if (!initialized.contains(std::this_thread::get_id())) ++uninitialized;
      });
    }
  }
  EXPECT_EQ(uninitialized, 0);
}

TEST(EngineTest, InitializersMayWaitForEachOther) {
  Barrier all(3);
  WorkerPool pool({.max_workers = 3,
                   .initializer = [&all] { all.Wait(); },
                   .max_spares = 0});
  for (int i = 0; i < 3; ++i) MustSchedule(pool, [] {});
}

TEST(EngineTest, ObserversMayWaitForEachOther) {
  struct Meets : WorkerPool::Observer {
    void OnWorkerStart(int /*worker*/) override { all.Wait(); }
    Barrier all{3};
  } meets;
  WorkerPool pool({.max_workers = 3, .max_spares = 0, .observer = &meets});
  for (int i = 0; i < 3; ++i) MustSchedule(pool, [] {});
}

// The initializers wait in a way that the pool does not see.
TEST(EngineTest, AsManyBeginAsThereAreTasks) {
  std::atomic<int> begun{0};
  WorkerPool pool({.max_workers = 8,
                   .initializer =
                       [&begun] {
                         ++begun;
                         while (begun < 3) std::this_thread::yield();
                       },
                   .max_spares = 0});
  for (int i = 0; i < 3; ++i) MustSchedule(pool, [] {});
  WaitUntil([&] { return pool.Stats().done == 3; });
  EXPECT_EQ(begun, 3);
}

TEST(EngineTest, ATaskGoesRoundAnInitializerThatWaits) {
  Event go;
  std::atomic<int> begun{0};
  WorkerPool pool({.max_workers = 3,
                   .initializer =
                       [&] {
                         if (++begun == 2) go.Wait();
                       },
                   .max_spares = 0});
  MustSchedule(pool, [&go] { go.Wait(); });
  WaitUntil([&] { return pool.Stats().blocked == 1; });
  MustSchedule(pool, [&go] { go.Set(); });
  go.Wait();
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(EngineTest, BadOptionsAreRefused) {
  EXPECT_THROW(WorkerPool({.max_spares = -1}), std::invalid_argument);
  EXPECT_THROW(WorkerPool({.max_workers = 100'000}), std::invalid_argument);
  EXPECT_THROW(WorkerPool({.max_workers = 60'000, .max_spares = 60'000}),
               std::invalid_argument);
  EXPECT_THROW(WorkerPool({.idle_time = absl::Seconds(-1)}),
               std::invalid_argument);
  EXPECT_THROW(WorkerPool({.max_queued = static_cast<size_t>(-1)}),
               std::invalid_argument);
  EXPECT_THROW(WorkerPool(0), std::invalid_argument);
}

TEST(EngineTest, AnInitializerThatThrowsBreaksThePool) {
  std::atomic<int> reported{0};
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  {
    Event go;
    WorkerPool pool({.max_workers = 1, .initializer = [&go] {
                       go.Wait();
                       throw std::runtime_error("initializer");
                     }});
    for (int i = 0; i < 100; ++i) MustSchedule(pool, [] { FAIL(); });
    go.Set();
    EXPECT_TRUE((pool.Shutdown(), pool.IsBroken()));
    Task task([] {});
    EXPECT_FALSE(pool.Schedule(task));
    EXPECT_EQ(pool.Stats().dropped, 100u);
    EXPECT_THROW(pool.Invoke([] {}, [] {}), std::runtime_error);
  }
  SetExceptHook({});
  EXPECT_EQ(reported, 1);
}

// So that the hook may wait for what was queued.
TEST(EngineTest, AnInitializersErrorIsReportedWhenNothingIsQueuedAnyMore) {
  Event go;
  WorkerPool* pool = nullptr;
  std::atomic<int> queued{-1};
  SetExceptHook([&](const ExceptHookArgs&) {
    queued = static_cast<int>(pool->Stats().queued);
  });
  {
    WorkerPool broken({.max_workers = 1, .initializer = [&go] {
                         go.Wait();
                         throw std::runtime_error("initializer");
                       }});
    pool = &broken;
    for (int i = 0; i < 10; ++i) MustSchedule(broken, [] { FAIL(); });
    go.Set();
  }
  SetExceptHook({});
  EXPECT_EQ(queued, 0);
}

TEST(EngineTest, AnObserverThatThrowsHarmsNobody) {
  struct Thrower : WorkerPool::Observer {
    void OnTaskStart(int) override { throw std::runtime_error("observer"); }
  } thrower;
  std::atomic<int> reported{0};
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  int ran = 0;
  {
    WorkerPool pool({.max_workers = 1, .observer = &thrower});
    for (int i = 0; i < 3; ++i) MustSchedule(pool, [&ran] { ++ran; });
  }
  SetExceptHook({});
  EXPECT_EQ(ran, 3);
  EXPECT_EQ(reported, 3);
}

TEST(EngineTest, StatsCountWhatFailed) {
  SetExceptHook([](const ExceptHookArgs&) {});
  {
    WorkerPool pool({.max_workers = 1});
    for (int i = 0; i < 10; ++i) {
      MustSchedule(pool, [i] {
        if (i % 2 == 0) throw std::runtime_error("even");
      });
    }
    pool.Shutdown();
    EXPECT_EQ(pool.Stats().failed, 5u);
    EXPECT_EQ(pool.Stats().done, 10u);
  }
  SetExceptHook({});
}
#endif

// --- All at once -------------------------------------------------------------

// Tasks from eight threads and from tasks, a shutdown at a random moment: what
// was accepted has run or was counted as dropped.
TEST(EngineTest, NothingIsLostWhenShutDownAtAnyMoment) {
  constexpr int kThreads = 8;
  constexpr int kTasks = 5000;
  std::mt19937 random(20261126);
  for (int round = 0; round < 60; ++round) {
    std::atomic<int64_t> accepted{0};
    std::atomic<int64_t> ran{0};
    WorkerPool pool({.max_workers = 1 + round % 4,
                     .max_queued = round % 3 == 0 ? size_t{100} : 0});
    std::vector<std::thread> producers;
    for (int t = 0; t < kThreads; ++t) {
      producers.emplace_back([&] {
        for (int i = 0; i < kTasks; ++i) {
          Task task([&, i] {
            ++ran;
            if (i % 8 != 0) return;
            Task inner([&ran] { ++ran; });
            if (pool.Schedule(inner)) ++accepted;
          });
          if (!pool.Schedule(task)) return;
          ++accepted;
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    const auto mode =
        round % 2 == 0 ? ShutdownMode::kDrain : ShutdownMode::kDropQueued;
    size_t dropped = pool.Shutdown(mode).dropped;
    for (std::thread& producer : producers) producer.join();
    EXPECT_EQ(accepted, ran + static_cast<int64_t>(dropped));
    EXPECT_EQ(pool.Stats().queued, 0u);
  }
}

}  // namespace
}  // namespace heddle
