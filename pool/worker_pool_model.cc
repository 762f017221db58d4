// Models of WorkerPool, whole: tasks, forks, waits inside tasks, shutdown. They
// are too large to be gone through to the end, but for the smallest; the
// protocols inside have models of their own in internal/.

#include "gtest/gtest.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/spin.h"
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

}  // namespace
}  // namespace heddle
