// The child of a fork(), the pools of its parent, whose threads it has not, and
// its own. What holds is said in thread/README.md, "After fork()".

#include "heddle/pool/internal/fork.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/pool/blocking_region.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/fork_child.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

using ShutdownMode = WorkerPool::ShutdownMode;

using internal::kChildMayStartThreads;
using pool_internal::ExitCodeOfChild;
using pool_internal::MustSchedule;

TEST(ForkTest, InTheChildTheParentsPoolsHaveEndedAndNobodyWaits) {
  std::atomic<bool> over{false};
  auto pool = std::make_unique<WorkerPool>(WorkerPool::Options{
      .max_workers = 2, .start = WorkerPool::StartPolicy::kAtOnce});
  Thread busy([&] {
    while (!over) {
      TaskQueue tasks;
      for (int i = 0; i < 20; ++i) tasks.Push(Task([] {}));
      ASSERT_TRUE(pool->ScheduleMany(tasks));
      std::this_thread::sleep_for(std::chrono::microseconds(10));
    }
  });
  busy.Start();
  Task task([] {});
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(ExitCodeOfChild([&] {
                if (pool->Schedule(task) || !task) return 1;
                if (!pool->IsShutDown()) return 2;
                if (pool->Shutdown(ShutdownMode::kDropQueued).dropped != 0)
                  return 3;
                if (!pool->Join()) return 4;
                pool.reset();
                return 0;
              }),
              0);
  }
  over = true;
  EXPECT_TRUE(busy.Join());
  // The parent's is as it was.
  EXPECT_TRUE(pool->Schedule(task));
  EXPECT_FALSE(pool->IsShutDown());
}

TEST(ForkTest, AlsoInTheChildOfATask) {
  int code = -1;
  {
    WorkerPool pool({.max_workers = 2});
    Task task([&] {
      code = ExitCodeOfChild([&] {
        Task next([] {});
        if (pool.IsWorkerHere() || pool.AcceptsHere()) return 1;
        if (pool.Schedule(next) || !next) return 2;
        pool.Shutdown();
        return pool.Join() ? 0 : 3;
      });
    });
    ASSERT_TRUE(pool.Schedule(task));
  }
  EXPECT_EQ(code, 0);
}

// Pools of the child's own, which work whatever the parent's were doing.
int UseNewPools(int rounds) {
  if (!kChildMayStartThreads) return 0;
  for (int round = 0; round < rounds; ++round) {
    WorkerPool pool({.max_workers = 3});
    std::atomic<int> ran{0};
    for (int i = 0; i < 200; ++i) {
      Task task([&ran] { ++ran; });
      if (!pool.Schedule(task)) return 11;
    }
    if (pool.Shutdown(ShutdownMode::kDrain).dropped != 0) return 12;
    if (ran != 200) return 13;
  }
  return 0;
}

TEST(ForkTest, NewPoolsWorkInTheChildOfAnIdleParent) {
  WorkerPool pool(
      {.max_workers = 16, .start = WorkerPool::StartPolicy::kAtOnce});
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(ExitCodeOfChild([] { return UseNewPools(50); }), 0);
}

TEST(ForkTest, NewPoolsWorkInTheChildOfABusyParent) {
  std::atomic<bool> over{false};
  WorkerPool pool({.max_workers = 4,
                   .start = WorkerPool::StartPolicy::kAtOnce,
                   .max_queued = 500});
  // Many tasks that live at once: their memory comes and goes by the slab.
  const auto submit = [&] {
    while (!over) {
      Task task([] {});
      if (!pool.Schedule(task)) return;
    }
  };
  Thread one(submit);
  Thread two(submit);
  one.Start();
  two.Start();
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(ExitCodeOfChild([] { return UseNewPools(2); }), 0);
  over = true;
}

TEST(ForkTest, ATaskMayForkAndItsPoolHasEndedInTheChild) {
  auto pool = std::make_unique<WorkerPool>(WorkerPool::Options{
      .max_workers = 2, .start = WorkerPool::StartPolicy::kAtOnce});
  std::atomic<int> code{-2};
  MustSchedule(*pool, [&] {
    const BlockingRegion region;
    code = ExitCodeOfChild([&] {
      const BlockingRegion inner;
      Task task([] {});
      if (pool->Schedule(task) || !pool->IsShutDown()) return 1;
      if (pool->IsWorkerHere()) return 2;
      if (!pool->Join()) return 3;
      pool->Shutdown(ShutdownMode::kDropQueued);
      pool.reset();
      return UseNewPools(5);
    });
  });
  pool->Shutdown(ShutdownMode::kDrain);
  EXPECT_EQ(code, 0);
}

// What is queued runs in the parent alone.
TEST(ForkTest, ATaskThatForkedMayReturnInTheChild) {
  if (!internal::kLastThreadMayEnd) GTEST_SKIP();
  WorkerPool pool({.max_workers = 1});
  const pid_t parent = getpid();
  pid_t child = -1;
  std::atomic<int> ran{0};
  MustSchedule(pool, [&] {
    const BlockingRegion region;
    child = fork();
    if (child == 0) internal::PassOverLostThreadsAtExit();
  });
  for (int i = 0; i < 10; ++i) {
    MustSchedule(pool, [&] {
      if (getpid() != parent) _exit(9);
      ++ran;
    });
  }
  pool.Shutdown(ShutdownMode::kDrain);
  ASSERT_EQ(getpid(), parent);
  EXPECT_EQ(ran, 10);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

struct ForkingObserver : WorkerPool::Observer {
  void OnTaskEnd(int, bool) override {
    code = ExitCodeOfChild([] { return UseNewPools(2); });
  }
  std::atomic<int> code{-2};
};

TEST(ForkTest, AnObserverMayFork) {
  ForkingObserver observer;
  WorkerPool pool({.max_workers = 1, .observer = &observer});
  MustSchedule(pool, [] {});
  pool.Shutdown(ShutdownMode::kDrain);
  EXPECT_EQ(observer.code, 0);
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ForkTest, WhoTookAForkAndForksTouchesItNoMoreInTheChild) {
  bool in_child = false;
  int status = -1;
  auto function = [&] {
    const pid_t pid = fork();
    if (pid == 0) {
      in_child = true;
      internal::Throw(std::runtime_error("to be kept in the fork"));
    }
    waitpid(pid, &status, 0);
  };
  pool_internal::ForkOf<decltype(function)> fork_of_other(function);
  Task(&fork_of_other).Run();
  if (in_child) _exit(fork_of_other.error() == nullptr ? 0 : 1);
  fork_of_other.Wait();
  EXPECT_EQ(status, 0);
}
#endif

}  // namespace
}  // namespace heddle
