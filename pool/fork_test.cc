// The child of a fork() and the pools of its parent, whose threads it has not.

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "gtest/gtest.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

using ShutdownMode = WorkerPool::ShutdownMode;

using pool_internal::ExitCodeOfChild;

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

}  // namespace
}  // namespace heddle
