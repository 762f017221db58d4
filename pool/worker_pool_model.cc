// Models of WorkerPool, whole: tasks, forks, waits inside tasks, shutdown. They
// are too large to be gone through to the end, but for the smallest; the
// protocols inside have models of their own in internal/.

#include <cerrno>
#include <cstddef>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/internal/start_fault.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/internal/var.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using internal::Var;

// An execution is some hundred steps long, most of them the pool's beginning and
// end.
testing::AssertionResult HoldsInSome(const explore::Body& body) {
  return explore::HoldsInSamples(body, 10'000);
}

template <typename Function>
bool Schedule(WorkerPool& pool, Function function) {
  Task task(function);
  return pool.Schedule(task);
}

TEST(WorkerPoolModel, ATaskRunsOnceAndItsWorkIsSeen) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Var<int> data = 1;
    {
      WorkerPool pool({.max_workers = 1, .max_spares = 0});
      explore::Check(Schedule(pool, [&] { data = data + 1; }));
    }
    explore::Check(data == 2);
  }));
}

TEST(WorkerPoolModel, TwoWorkersRunWhatTwoThreadsSchedule) {
  EXPECT_TRUE(HoldsInSome([](Execution& run) {
    Var<int> a = 0;
    Var<int> b = 0;
    {
      WorkerPool pool({.max_workers = 2, .max_spares = 0});
      run.Run([&] { explore::Check(Schedule(pool, [&] { ++a; })); },
              [&] { explore::Check(Schedule(pool, [&] { ++b; })); });
    }
    explore::Check(a == 1 && b == 1);
  }));
}

// The first ends only when the second has run, and waits in a way that its pool
// does not see: the second needs the other worker.
TEST(WorkerPoolModel, NoTaskWaitsWhileAWorkerSleeps) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    internal::Atomic<bool> second{false};
    WorkerPool pool({.max_workers = 2, .max_spares = 0});
    explore::Check(Schedule(pool, [&] {
      while (!second.load(std::memory_order_acquire)) internal::SpinPause();
    }));
    explore::Check(
        Schedule(pool, [&] { second.store(true, std::memory_order_release); }));
  }));
}

TEST(WorkerPoolModel, AnIdleWorkerIsCalled) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Event ran[2];
    WorkerPool pool({.max_workers = 1, .max_spares = 0});
    for (Event& event : ran) {
      explore::Check(Schedule(pool, [&] { event.Set(); }));
      event.Wait();
    }
  }));
}

TEST(WorkerPoolModel, ABlockedWorkerIsReplaced) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Event second;
    WorkerPool pool({.max_workers = 1, .max_spares = 1});
    explore::Check(Schedule(pool, [&] { second.Wait(); }));
    explore::Check(Schedule(pool, [&] { second.Set(); }));
  }));
}

TEST(WorkerPoolModel, WhatATaskSchedulesAndWaitsForRuns) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Event done;
    WorkerPool pool({.max_workers = 1, .max_spares = 1});
    explore::Check(Schedule(pool, [&] {
      Event inner;
      explore::Check(Schedule(pool, [&] { inner.Set(); }));
      inner.Wait();
      done.Set();
    }));
    done.Wait();
  }));
}

TEST(WorkerPoolModel, AgainstShutdownATaskIsRunOrRefused) {
  EXPECT_TRUE(HoldsInSome([](Execution& run) {
    int ran = 0;
    int accepted = 0;
    {
      WorkerPool pool({.max_workers = 1, .max_spares = 0});
      run.Run([&] { accepted += Schedule(pool, [&] { ++ran; }) ? 1 : 0; },
              [&] { pool.Shutdown(); });
    }
    explore::Check(ran == accepted);
  }));
}

TEST(WorkerPoolModel, WhatIsDroppedIsCountedOnce) {
  EXPECT_TRUE(HoldsInSome([](Execution& run) {
    int ran = 0;
    int accepted = 0;
    int dropped = 0;
    {
      WorkerPool pool({.max_workers = 1, .max_spares = 0});
      run.Run(
          [&] {
            accepted += Schedule(pool, [&] { ++ran; }) ? 1 : 0;
            accepted += Schedule(pool, [&] { ++ran; }) ? 1 : 0;
          },
          [&] {
            dropped = static_cast<int>(
                pool.Shutdown(WorkerPool::ShutdownMode::kDropQueued).dropped);
          });
    }
    explore::Check(ran + dropped == accepted);
  }));
}

TEST(WorkerPoolModel, AForkIsCalledOnceWhoeverTakesIt) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Var<int> a = 0;
    Var<int> b = 0;
    WorkerPool pool({.max_workers = 2, .max_spares = 0});
    pool.Invoke([&] { ++a; }, [&] { ++b; });
    explore::Check(a == 1 && b == 1);
  }));
}

TEST(WorkerPoolModel, WhoWaitsForRoomGetsItOrIsRefused) {
  EXPECT_TRUE(HoldsInSome([](Execution& run) {
    int ran = 0;
    int accepted = 0;
    {
      WorkerPool pool({.max_workers = 1, .max_spares = 0, .max_queued = 1});
      const auto schedule = [&] {
        accepted += Schedule(pool, [&] { ++ran; }) ? 1 : 0;
      };
      run.Run(
          [&] {
            schedule();
            schedule();
          },
          schedule, [&] { pool.Shutdown(); });
    }
    explore::Check(ran == accepted);
  }));
}

// (W4)
TEST(WorkerPoolModel, ATaskMayEndItsPoolWhoeverHasScheduledIt) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Event ended;
    auto* const pool = new WorkerPool({.max_workers = 1});
    explore::Check(Schedule(*pool, [&, pool] {
      delete pool;
      ended.Set();
    }));
    ended.Wait();
  }));
}

// (W2): the destructor refuses what comes from outside, and runs what its tasks
// bring about.
template <WorkerPool::Order order>
void DrainsWhatTasksSchedule(Execution& /*run*/) {
  Var<int> ran = 0;
  {
    WorkerPool pool({.max_workers = 1, .order = order});
    explore::Check(Schedule(pool, [&] {
      explore::Check(Schedule(
          pool, [&] { explore::Check(Schedule(pool, [&] { ++ran; })); }));
    }));
  }
  explore::Check(ran == 1);
}

TEST(WorkerPoolModel, WhatATaskSchedulesIsDrainedNewestFirst) {
  EXPECT_TRUE(
      HoldsInSome(DrainsWhatTasksSchedule<WorkerPool::Order::kNewestFirst>));
}

TEST(WorkerPoolModel, WhatATaskSchedulesIsDrainedOldestFirst) {
  EXPECT_TRUE(
      HoldsInSome(DrainsWhatTasksSchedule<WorkerPool::Order::kOldestFirst>));
}

TEST(WorkerPoolModel, TwoWorkersDrainAndEnd) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    internal::Atomic<int> ran{0};
    {
      WorkerPool pool({.max_workers = 2});
      const auto grow = [&] {
        ran.fetch_add(1, std::memory_order_relaxed);
        explore::Check(Schedule(
            pool, [&] { ran.fetch_add(1, std::memory_order_relaxed); }));
      };
      explore::Check(Schedule(pool, grow));
      explore::Check(Schedule(pool, grow));
    }
    explore::Check(ran.load(std::memory_order_relaxed) == 4);
  }));
}

// A spare that ends while its pool drains leaves nobody asleep (W2).
TEST(WorkerPoolModel, ASpareMayEndWhileItsPoolDrains) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Event second;
    WorkerPool pool({.max_workers = 1,
                     .max_spares = 1,
                     .idle_time = absl::Milliseconds(1)});
    explore::Check(Schedule(pool, [&] { second.Wait(); }));
    explore::Check(Schedule(pool, [&] { second.Set(); }));
  }));
}

// Nor a task behind (R4).
TEST(WorkerPoolModel, ASpareThatEndsLeavesNoTask) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    Event spare_is_there;
    Event go;
    WorkerPool pool({.max_workers = 1,
                     .max_spares = 1,
                     .idle_time = absl::Milliseconds(1)});
    explore::Check(Schedule(pool, [&] { go.Wait(); }));
    explore::Check(Schedule(pool, [&] { spare_is_there.Set(); }));
    spare_is_there.Wait();
    explore::Check(Schedule(pool, [&] { go.Set(); }));
    go.Wait();
  }));
}

// (W6): the only worker is at the first task when the shutdown returns; so the
// second, which that schedules meanwhile, has not begun, and never does.
TEST(WorkerPoolModel, NothingBeginsAfterADroppingShutdown) {
  EXPECT_TRUE(HoldsInSome([](Execution& run) {
    internal::Atomic<bool> first_ended{false};
    internal::Atomic<bool> second_ran{false};
    bool first_was_there = false;
    bool accepted = false;
    size_t dropped = 0;
    Event begun;
    {
      WorkerPool pool({.max_workers = 1});
      explore::Check(Schedule(pool, [&] {
        begun.Set();
        accepted = Schedule(
            pool, [&] { second_ran.store(true, std::memory_order_seq_cst); });
        first_ended.store(true, std::memory_order_seq_cst);
      }));
      begun.Wait();
      run.Run([&] {
        dropped = pool.Shutdown(WorkerPool::ShutdownMode::kDropQueued,
                                absl::ZeroDuration())
                      .dropped;
        first_was_there = !first_ended.load(std::memory_order_seq_cst);
      });
    }
    const bool ran = second_ran.load(std::memory_order_seq_cst);
    explore::Check(!(first_was_there && ran));
    explore::Check((accepted ? 1u : 0u) == dropped + (ran ? 1u : 0u));
  }));
}

// (W7): the initializers wait for each other, in a way that the pool does not
// see.
TEST(WorkerPoolModel, AsManyWorkersBeginAsThereAreTasks) {
  EXPECT_TRUE(HoldsInSome([](Execution& run) {
    internal::Atomic<int> begun{0};
    internal::Atomic<int> ran{0};
    {
      WorkerPool pool({.max_workers = 2,
                       .initializer =
                           [&] {
                             begun.fetch_add(1, std::memory_order_seq_cst);
                             while (begun.load(std::memory_order_seq_cst) < 2)
                               internal::SpinPause();
                           },
                       .max_spares = 0});
      const auto schedule = [&] {
        explore::Check(Schedule(
            pool, [&] { ran.fetch_add(1, std::memory_order_seq_cst); }));
      };
      run.Run(schedule, schedule);
    }
    explore::Check(ran.load(std::memory_order_seq_cst) == 2);
  }));
}

// (W3): whoever starts the next thread in the place, the one that leaves is
// joined.
TEST(WorkerPoolModel, ASpareThatEndsMaySchedule) {
  EXPECT_TRUE(HoldsInSome([](Execution& /*run*/) {
    struct Ends : WorkerPool::Observer {
      void OnWorkerEnd(int /*worker*/) override {
        if (Schedule(*pool,
                     [this] { ran.fetch_add(1, std::memory_order_seq_cst); }))
          accepted.fetch_add(1, std::memory_order_seq_cst);
        ended.fetch_add(1, std::memory_order_seq_cst);
      }
      WorkerPool* pool = nullptr;
      internal::Atomic<int> accepted{0};
      internal::Atomic<int> ran{0};
      internal::Atomic<int> ended{0};
    } ends;
    {
      Event second;
      WorkerPool pool({.max_workers = 1,
                       .max_spares = 1,
                       .idle_time = absl::Milliseconds(1),
                       .observer = &ends});
      ends.pool = &pool;
      explore::Check(Schedule(pool, [&] { second.Wait(); }));
      explore::Check(Schedule(pool, [&] { second.Set(); }));
    }
    explore::Check(ends.ended.load(std::memory_order_seq_cst) >= 1);
    explore::Check(ends.accepted.load(std::memory_order_seq_cst) ==
                   ends.ran.load(std::memory_order_seq_cst));
  }));
}

// (W1): the start that fails may be the one that the other submitter counts on.
TEST(WorkerPoolModel, WhereAStartFailsATaskIsRunOrItsOwnerKnows) {
  EXPECT_TRUE(HoldsInSome([](Execution& run) {
    internal::Atomic<int> starts{0};
    internal::Atomic<int> ran{0};
    int accepted[2] = {0, 0};
    const internal::StartFault fault([&] {
      const bool first = starts.fetch_add(1, std::memory_order_relaxed) == 0;
      return first ? EAGAIN : 0;
    });
    {
      WorkerPool pool({.max_workers = 1});
      const auto schedule = [&](int i) {
        bool ok = false;
        const auto error = internal::CatchAll([&] {
          ok = Schedule(pool,
                        [&] { ran.fetch_add(1, std::memory_order_relaxed); });
        });
        accepted[i] = error == nullptr && ok ? 1 : 0;
      };
      run.Run([&] { schedule(0); }, [&] { schedule(1); });
    }
    explore::Check(ran.load(std::memory_order_relaxed) ==
                   accepted[0] + accepted[1]);
  }));
}

}  // namespace
}  // namespace heddle
