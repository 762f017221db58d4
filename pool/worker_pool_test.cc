#include "heddle/pool/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/task.h"
#include "heddle/sync/event.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/this_thread.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using StartPolicy = WorkerPool::StartPolicy;
using ShutdownMode = WorkerPool::ShutdownMode;

using pool_internal::Close;
using pool_internal::MustSchedule;
using pool_internal::WaitUntil;

TEST(WorkerPoolTest, RunsWhatIsScheduled) {
  WorkerPool pool;
  Event ran;
  MustSchedule(pool, [&ran] { ran.Set(); });
  EXPECT_TRUE(ran.Wait());
}

TEST(WorkerPoolTest, OneWorkerRunsTasksInTheirOrder) {
  std::vector<int> order;
  {
    WorkerPool pool({.max_workers = 1, .max_spares = 0});
    for (int i = 0; i < 1000; ++i)
      MustSchedule(pool, [&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 1000);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(WorkerPoolTest, DestructorRunsWhatWasAccepted) {
  std::atomic<int> ran{0};
  {
    WorkerPool pool({.max_workers = 3});
    for (int i = 0; i < 1000; ++i) MustSchedule(pool, [&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(WorkerPoolTest, DefaultIsOneWorkerForEachUsableCpu) {
  EXPECT_GE(WorkerPool().max_workers(), 1);
}

TEST(WorkerPoolTest, AtOnceStartsAllWorkersInTheConstructor) {
  const WorkerPool pool({.max_workers = 3, .start = StartPolicy::kAtOnce});
  EXPECT_EQ(pool.started_workers(), 3);
}

TEST(WorkerPoolTest, OnDemandStartsAWorkerOnlyWhenNoneIsFree) {
  WorkerPool pool({.max_workers = 3, .max_spares = 0});
  EXPECT_EQ(pool.started_workers(), 0);
  Event go;
  std::atomic<int> running{0};
  Event all_run;
  for (int i = 1; i <= 5; ++i) {
    MustSchedule(pool, [&] {
      if (++running == 3) all_run.Set();
      go.Wait();
    });
    EXPECT_GE(pool.started_workers(), 1);
    EXPECT_LE(pool.started_workers(), std::min(i, 3));
  }
  EXPECT_TRUE(all_run.Wait());
  EXPECT_EQ(pool.started_workers(), 3);
  go.Set();
}

TEST(WorkerPoolTest, AnIdleWorkerIsUsedAgain) {
  WorkerPool pool({.max_workers = 8});
  for (int i = 0; i < 200; ++i) {
    Event ran;
    MustSchedule(pool, [&ran] { ran.Set(); });
    ran.Wait();
  }
  // A worker that has run its task may not be idle yet when the next one comes,
  // so a second one can start now and then; never one for each task.
  EXPECT_LE(pool.started_workers(), 8);
  EXPECT_GE(pool.started_workers(), 1);
}

TEST(WorkerPoolTest, TasksRunSideBySideAsFarAsThereAreWorkers) {
  // Each task waits for all others: less than four at once would never end.
  WorkerPool pool({.max_workers = 4});
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> arrived{0};
    Event all;
    std::atomic<int> left{4};
    Event done;
    for (int i = 0; i < 4; ++i) {
      MustSchedule(pool, [&] {
        if (++arrived == 4) all.Set();
        all.Wait();
        if (--left == 0) done.Set();
      });
    }
    EXPECT_TRUE(done.Wait());
  }
}

TEST(WorkerPoolTest, TasksMayScheduleTasks) {
  std::atomic<int> ran{0};
  Event done;
  WorkerPool pool({.max_workers = 2});
  std::function<void(int)> spawn = [&](int depth) {
    if (++ran == 127) done.Set();
    if (depth == 0) return;
    for (int i = 0; i < 2; ++i)
      MustSchedule(pool, [&spawn, depth] { spawn(depth - 1); });
  };
  MustSchedule(pool, [&spawn] { spawn(6); });
  EXPECT_TRUE(done.Wait());
}

TEST(WorkerPoolTest, RefusedTaskStaysWithTheCaller) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Close(pool);
  int ran = 0;
  Task task([&ran] { ++ran; });
  EXPECT_FALSE(pool.Schedule(task));
  ASSERT_TRUE(task);
  std::move(task).Run();
  EXPECT_EQ(ran, 1);
}

TEST(WorkerPoolTest, ShutdownDrainsWhatWasAccepted) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Event begun;
  Event go;
  int ran = 0;
  MustSchedule(pool, [&] {
    begun.Set();
    go.Wait();
  });
  for (int i = 0; i < 10; ++i) MustSchedule(pool, [&ran] { ++ran; });
  begun.Wait();
  EXPECT_EQ(Close(pool), 0);
  go.Set();
  EXPECT_TRUE(pool.Join());
  EXPECT_EQ(ran, 10);
}

TEST(WorkerPoolTest, ShutdownDroppingTellsHowManyAndDestroysThem) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Event begun;
  Event go;
  bool ran = false;
  MustSchedule(pool, [&] {
    begun.Set();
    go.Wait();
  });
  begun.Wait();
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  MustSchedule(pool, [&ran, held = std::move(held)] { ran = true; });
  MustSchedule(pool, [&ran] { ran = true; });
  EXPECT_EQ(Close(pool, ShutdownMode::kDropQueued), 2);
  EXPECT_TRUE(watch.expired());
  go.Set();
  EXPECT_TRUE(pool.Join());
  EXPECT_FALSE(ran);
}

TEST(WorkerPoolTest, DrainingCanStillBeTurnedIntoDropping) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Event begun;
  Event go;
  MustSchedule(pool, [&] {
    begun.Set();
    go.Wait();
  });
  begun.Wait();
  MustSchedule(pool, [] {});
  EXPECT_EQ(Close(pool, ShutdownMode::kDrain), 0);
  EXPECT_EQ(Close(pool, ShutdownMode::kDropQueued), 1);
  EXPECT_EQ(Close(pool, ShutdownMode::kDropQueued), 0);
  go.Set();
}

TEST(WorkerPoolTest, ADroppedTaskMayUseThePool) {
  // What it holds is destroyed outside the pool's lock.
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Event begun;
  Event go;
  bool refused = false;
  MustSchedule(pool, [&] {
    begun.Set();
    go.Wait();
  });
  begun.Wait();
  MustSchedule(pool, [when_dropped = absl::MakeCleanup([&] {
                        Task another([] {});
                        refused = !pool.Schedule(another);
                      })] {});
  EXPECT_EQ(Close(pool, ShutdownMode::kDropQueued), 1);
  EXPECT_TRUE(refused);
  go.Set();
}

TEST(WorkerPoolTest, JoinWaitsWithinItsLimit) {
  internal::ManualClock clock;
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Event go;
  MustSchedule(pool, [&go] { go.Wait(); });
  Close(pool);
  EXPECT_FALSE(pool.Join(absl::ZeroDuration()));
  std::optional<bool> joined;
  Thread joiner([&] { joined = pool.Join(absl::Seconds(10)); });
  joiner.Start();
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(10));
  joiner.Join();
  EXPECT_EQ(joined, false);
  go.Set();
  EXPECT_TRUE(pool.Join());
  EXPECT_TRUE(pool.Join(absl::ZeroDuration()));
}

TEST(WorkerPoolTest, IdleWorkersEndAtShutdown) {
  WorkerPool pool({.max_workers = 4, .start = StartPolicy::kAtOnce});
  Close(pool);
  EXPECT_TRUE(pool.Join());
}

TEST(WorkerPoolTest, IsWorkerHereTellsTheThreadsApart) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  WorkerPool other({.max_workers = 1, .max_spares = 0});
  EXPECT_FALSE(pool.IsWorkerHere());
  bool in_task = false;
  bool in_other = true;
  MustSchedule(pool, [&] {
    in_task = pool.IsWorkerHere();
    in_other = other.IsWorkerHere();
  });
  Close(pool);
  pool.Join();
  EXPECT_TRUE(in_task);
  EXPECT_FALSE(in_other);
}

TEST(WorkerPoolTest, MayBeDestroyedByItsOwnTask) {
  Event destroyed;
  auto pool =
      std::make_unique<WorkerPool>(WorkerPool::Options{.max_workers = 2});
  WorkerPool& alias = *pool;
  Event handed_over;
  MustSchedule(alias, [&] {
    handed_over.Wait();
    pool.reset();
    destroyed.Set();
  });
  handed_over.Set();
  EXPECT_TRUE(destroyed.Wait());
}

TEST(WorkerPoolTest, DestroyedByItsOwnTaskItStillRunsWhatWasAccepted) {
  for (int round = 0; round < 200; ++round) {
    constexpr int kTasks = 50;
    std::atomic<int> ran{0};
    Event all_ran;
    const auto count = [&] {
      if (++ran == kTasks + 2) all_ran.Set();
    };
    auto pool =
        std::make_unique<WorkerPool>(WorkerPool::Options{.max_workers = 3});
    WorkerPool& alias = *pool;
    Event handed_over;
    Event destroyed;
    MustSchedule(alias, [&] {
      handed_over.Wait();
      pool.reset();
      destroyed.Set();
      count();
    });
    MustSchedule(alias, [&] {  // runs in another worker meanwhile
      destroyed.Wait();
      count();
    });
    for (int i = 0; i < kTasks; ++i) MustSchedule(alias, count);
    handed_over.Set();
    EXPECT_TRUE(all_ran.Wait());
  }
}

TEST(WorkerPoolTest, AWorkerOfADeadPoolIsNoWorkerOfTheNext) {
  // The next pool may get the memory of the dead one, and its address.
  struct MakesPoolAtThreadExit {
    ~MakesPoolAtThreadExit() {
      if (is_worker == nullptr) return;
      {
        const WorkerPool next({.max_workers = 1, .max_spares = 0});
        *is_worker = next.IsWorkerHere();
      }
      done->Set();
    }
    bool* is_worker = nullptr;
    Event* done = nullptr;
  };
  bool is_worker = false;
  Event handed_over;
  Event done;
  auto pool = std::make_unique<WorkerPool>(
      WorkerPool::Options{.max_workers = 1, .max_spares = 0});
  WorkerPool& alias = *pool;
  MustSchedule(alias, [&] {
    static thread_local MakesPoolAtThreadExit at_exit;
    at_exit.is_worker = &is_worker;
    at_exit.done = &done;
    handed_over.Wait();
    pool.reset();
  });
  handed_over.Set();
  EXPECT_TRUE(done.Wait());
  EXPECT_FALSE(is_worker);
}

TEST(WorkerPoolTest, EachTaskMayScheduleTheNextManyTimesOver) {
  constexpr int kLength = 100'000;
  WorkerPool pool({.max_workers = 2});
  Event done;
  struct Link {
    void operator()() const {
      if (left == 0) {
        done->Set();
      } else {
        MustSchedule(*pool, Link{pool, done, left - 1});
      }
    }
    WorkerPool* pool;
    Event* done;
    int left;
  };
  MustSchedule(pool, Link{&pool, &done, kLength});
  EXPECT_TRUE(done.Wait());
}

TEST(WorkerPoolTest, ManyDroppedTasksAreDroppedOneByOne) {
  constexpr size_t kTasks = 1'000'000;  // a recursion would overflow the stack
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Event begun;
  Event go;
  MustSchedule(pool, [&] {
    begun.Set();
    go.Wait();
  });
  begun.Wait();
  for (size_t i = 0; i < kTasks; ++i) MustSchedule(pool, [] {});
  EXPECT_EQ(Close(pool, ShutdownMode::kDropQueued), kTasks);
  go.Set();
}

TEST(WorkerPoolTest, ATaskMayShutItsPoolDownAndDropTheRest) {
  WorkerPool pool({.max_workers = 2, .max_spares = 0});
  Event go;
  Event second_begun;
  Event second_may_end;
  std::optional<size_t> dropped;
  std::optional<size_t> dropped_again;
  bool refused = false;
  MustSchedule(pool, [&] {
    go.Wait();
    dropped = Close(pool, ShutdownMode::kDropQueued);
    dropped_again = Close(pool, ShutdownMode::kDropQueued);
    Task task([] {});
    refused = !pool.Schedule(task);
    second_may_end.Set();
  });
  MustSchedule(pool, [&] {
    second_begun.Set();
    second_may_end.Wait();
  });
  second_begun.Wait();
  for (int i = 0; i < 5; ++i) MustSchedule(pool, [] { ADD_FAILURE(); });
  go.Set();
  second_may_end.Wait();
  EXPECT_TRUE(pool.Join());
  EXPECT_EQ(dropped, 5);
  EXPECT_EQ(dropped_again, 0);
  EXPECT_TRUE(refused);
}

TEST(WorkerPoolTest, JoinMayBeCalledByManyAndAgain) {
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> ran{0};
    std::atomic<int> joined{0};
    WorkerPool pool({.max_workers = 2});
    for (int i = 0; i < 10; ++i) MustSchedule(pool, [&ran] { ++ran; });
    Close(pool);
    const auto join = [&] { joined += pool.Join() && ran == 10 ? 1 : 0; };
    internal::RunConcurrently(1, join, join, join);
    EXPECT_TRUE(pool.Join());
    EXPECT_EQ(joined, 3);
  }
}

TEST(WorkerPoolTest, AStopEndsTheWaitOfJoin) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Event go;
  MustSchedule(pool, [&go] { go.Wait(); });
  Close(pool);
  std::stop_source stop;
  internal::RunConcurrently(
      1, [&] { EXPECT_FALSE(pool.Join(stop.get_token())); },
      [&] { stop.request_stop(); });
  go.Set();
  EXPECT_TRUE(pool.Join(WaitLimit()));
}

TEST(WorkerPoolTest, ATaskIsGoneBeforeItsWorkerSleeps) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Event gone;
  MustSchedule(pool,
               [when_gone = absl::MakeCleanup([&gone] { gone.Set(); })] {});
  EXPECT_TRUE(gone.Wait());
}

TEST(WorkerPoolDeathTest, AStaticPoolMayDieInItsOwnWorkerThatCallsExit) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static WorkerPool pool({.max_workers = 2});
        Task task([] { std::exit(7); });
        static_cast<void>(pool.Schedule(task));
        Event().Wait();
      },
      ::testing::ExitedWithCode(7), "");
}

TEST(WorkerPoolDeathTest, ATaskMayEndTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // With others that sleep; that have something to do; with a spare; with none.
  for (const int workers : {3, 2, 1}) {
    for (const int queued : {0, 3}) {
      EXPECT_EXIT(
          {
            static WorkerPool pool({.max_workers = workers,
                                    .start = StartPolicy::kAtOnce,
                                    .max_spares = workers == 2 ? 1 : 0});
            Event go;
            Task task([&go] {
              go.Wait();
              std::exit(7);
            });
            static_cast<void>(pool.Schedule(task));
            for (int i = 0; i < queued; ++i) {
              Task other([] { std::fputs("[ran]", stderr); });
              static_cast<void>(pool.Schedule(other));
            }
            go.Set();
            Event().Wait();
          },
          ::testing::ExitedWithCode(7),
          workers > 1 && queued > 0 ? "^\\[ran\\]\\[ran\\]\\[ran\\]$" : "^$");
    }
  }
}

TEST(WorkerPoolDeathTest, SoMayAnInitializer) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static std::atomic<int> begun{0};
        static WorkerPool pool({.max_workers = 2,
                                .start = StartPolicy::kAtOnce,
                                .initializer = [] {
                                  if (++begun == 2) std::exit(7);
                                }});
        Event().Wait();
      },
      ::testing::ExitedWithCode(7), "^$");
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(WorkerPoolDeathTest, ThreadsThatAUserEndsEndTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        WorkerPool pool(
            {.max_workers = 1, .initializer = [] { pthread_exit(nullptr); }});
        static_cast<void>(pool.Schedule([] {}));
      },
      "a worker of a pool was ended by pthread_exit");
  EXPECT_DEATH(
      {
        WorkerPool pool(1);
        static_cast<void>(pool.Schedule([] { pthread_exit(nullptr); }));
      },
      "");
}
#endif

TEST(WorkerPoolDeathTest, APoolThatIsNeverDestroyedRunsWhatItAcceptedAtExit) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static auto* const pool = new WorkerPool({.max_workers = 2});
        for (int i = 0; i < 3; ++i) {
          Task task([] { std::fputs("[ran]", stderr); });
          static_cast<void>(pool->Schedule(task));
        }
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "^\\[ran\\]\\[ran\\]\\[ran\\]$");
}

struct SchedulesWhenDestroyed {
  ~SchedulesWhenDestroyed() {
    WorkerPool late({.max_workers = 1, .start = StartPolicy::kAtOnce});
    Task task([] { std::fputs("[ran]", stderr); });
    std::fputs(late.Schedule(task) ? "[accepted]" : "[refused]", stderr);
  }
};

TEST(WorkerPoolDeathTest, APoolThatIsMadeWhileStaticsDieAcceptsNothing) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static const SchedulesWhenDestroyed object;
        static WorkerPool pool({.max_workers = 1, .max_spares = 0});
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "^\\[refused\\]$");
}

TEST(WorkerPoolTest, WorkersAreNumberedAfterThePrefix) {
  std::vector<std::string> names;
  {
    WorkerPool pool({.max_workers = 1, .name_prefix = "indexer"});
    MustSchedule(pool, [&] { names.push_back(CurrentThread().name()); });
  }
  {
    WorkerPool pool({.max_workers = 1, .max_spares = 0});
    MustSchedule(pool, [&] { names.push_back(CurrentThread().name()); });
  }
  ASSERT_EQ(names.size(), 2u);
  EXPECT_EQ(names[0], "indexer_0");
  EXPECT_THAT(names[1], testing::StartsWith("WorkerPool-"));
  EXPECT_THAT(names[1], testing::EndsWith("_0"));
}

TEST(WorkerPoolTest, WorkersAreNoDaemonsWhoeverStartsThem) {
  bool daemon = true;
  Thread starter({.daemon = true}, [&] {
    WorkerPool pool({.max_workers = 1, .max_spares = 0});
    MustSchedule(pool, [&] { daemon = CurrentThread().daemon(); });
  });
  starter.Start();
  EXPECT_TRUE(starter.Join());
  EXPECT_FALSE(daemon);
}

TEST(WorkerPoolTest, SubmittingWhileShuttingDownIsRunOrRefused) {
  // Conservation: each task is accepted and run, or refused and ours.
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> ran{0};
    std::atomic<int> refused{0};
    std::atomic<int> dropped{0};
    {
      WorkerPool pool({.max_workers = 2});
      const auto submit = [&] {
        for (int i = 0; i < 20; ++i) {
          Task task([&ran] { ++ran; });
          if (!pool.Schedule(task)) ++refused;
        }
      };
      const bool drop = round % 2 == 0;
      internal::RunConcurrently(1, submit, submit, [&] {
        dropped += static_cast<int>(Close(
            pool, drop ? ShutdownMode::kDropQueued : ShutdownMode::kDrain));
      });
    }
    EXPECT_EQ(ran + refused + dropped, 40);
  }
}

TEST(WorkerPoolTest, ManyProducersLoseNothing) {
  std::atomic<int64_t> sum{0};
  {
    WorkerPool pool({.max_workers = 3});
    const auto produce = [&] {
      for (int i = 1; i <= 5000; ++i) {
        Task task([&sum, i] { sum += i; });
        if (!pool.Schedule(task)) ADD_FAILURE();
      }
    };
    internal::RunConcurrently(1, produce, produce, produce, produce);
  }
  EXPECT_EQ(sum, 4 * 12'502'500);
}

TEST(WorkerPoolTest, NoTaskIsStrandedWhenWorkersFallAsleep) {
  // One task at a time, each scheduled when the workers are about to sleep.
  WorkerPool pool({.max_workers = 2, .start = StartPolicy::kAtOnce});
  for (int i = 0; i < 20000; ++i) {
    std::atomic<bool> ran{false};
    Event done;
    MustSchedule(pool, [&] {
      ran = true;
      done.Set();
    });
    ASSERT_TRUE(done.Wait());
    ASSERT_TRUE(ran);
  }
}

#ifdef ABSL_HAVE_EXCEPTIONS
// While it lives, the system refuses every new thread: none has room for the
// stack that threads have by default.
class NoNewThreads {
 public:
  NoNewThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    EXPECT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 47), 0);
    EXPECT_EQ(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
  }
  NoNewThreads(const NoNewThreads&) = delete;
  NoNewThreads& operator=(const NoNewThreads&) = delete;
  ~NoNewThreads() {
    EXPECT_EQ(pthread_setattr_default_np(&before_), 0);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

TEST(WorkerPoolTest, WithoutAFirstThreadTheTaskStaysWithTheCaller) {
  WorkerPool pool({.max_workers = 2});
  int ran = 0;
  Task task([&ran] { ++ran; });
  {
    const NoNewThreads refused;
    EXPECT_THROW(static_cast<void>(pool.Schedule(task)), std::system_error);
  }
  ASSERT_TRUE(task);
  EXPECT_EQ(pool.started_workers(), 0);
  EXPECT_TRUE(pool.Schedule(task));
  Close(pool);
  EXPECT_TRUE(pool.Join());
  EXPECT_EQ(ran, 1);
}

TEST(WorkerPoolTest, WithoutALaterThreadItGoesOnWithThoseItHas) {
  constexpr int kWorkers = 16;
  for (int had = 1; had < kWorkers; ++had) {
    std::atomic<int> begun{0};
    std::atomic<int> ran{0};
    std::atomic<bool> go{false};
    // A spare for those that wait would be no later worker.
    WorkerPool pool({.max_workers = kWorkers, .max_spares = 0});
    // One by one, and in no wait of Heddle's: whoever calls for a worker because
    // of a task that another has just taken would have one more started.
    for (int i = 0; i < had; ++i) {
      MustSchedule(pool, [&] {
        ++begun;
        while (!go) std::this_thread::sleep_for(std::chrono::microseconds(100));
        ++ran;
      });
      WaitUntil([&] { return begun == i + 1; });
    }
    WaitUntil([&] { return pool.started_workers() == had; });
    {
      const NoNewThreads refused;
      for (int i = had; i < kWorkers; ++i) MustSchedule(pool, [&] { ++ran; });
      // One that cannot be started is counted while that is tried.
      WaitUntil([&] { return pool.started_workers() == had; });
    }
    go = true;
    Close(pool);
    EXPECT_TRUE(pool.Join());
    EXPECT_EQ(ran, kWorkers);
  }
}

TEST(WorkerPoolTest, AtOnceWithoutThreadsThereIsNoPool) {
  const NoNewThreads refused;
  EXPECT_THROW(WorkerPool({.max_workers = 2, .start = StartPolicy::kAtOnce}),
               std::system_error);
}

TEST(WorkerPoolTest, AThrowingTaskIsReportedAndTheWorkerLivesOn) {
  std::atomic<int> reported{0};
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  int ran = 0;
  {
    WorkerPool pool({.max_workers = 1, .max_spares = 0});
    for (int i = 0; i < 3; ++i)
      MustSchedule(pool, [] { throw std::runtime_error("task"); });
    MustSchedule(pool, [] { throw "a type of no use"; });
    MustSchedule(pool, [&ran] { ++ran; });
  }
  SetExceptHook(nullptr);
  EXPECT_EQ(reported, 4);
  EXPECT_EQ(ran, 1);
}

TEST(WorkerPoolTest, NegativeMaxWorkersIsRefused) {
  EXPECT_THROW(WorkerPool({.max_workers = -1}), std::invalid_argument);
}

TEST(WorkerPoolTest, SparesThatLeaveNoRoomForAWorkerAreRefused) {
  EXPECT_THROW(WorkerPool({.max_spares = 65535}), std::invalid_argument);
  const WorkerPool pool({.max_spares = 65534});
  EXPECT_EQ(pool.max_workers(), 1);
}

TEST(WorkerPoolTest, JoinBeforeShutdownIsAnError) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  EXPECT_THROW(pool.Join(), std::logic_error);
}

TEST(WorkerPoolTest, JoinInItsOwnWorkerIsAnError) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  bool refused = false;
  Event tried;
  MustSchedule(pool, [&] {
    Close(pool);
    try {
      pool.Join();
    } catch (const std::logic_error&) {
      refused = true;
    }
    tried.Set();
  });
  tried.Wait();
  EXPECT_TRUE(refused);
}
#endif

}  // namespace
}  // namespace heddle
