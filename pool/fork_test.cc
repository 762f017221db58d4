// The child of a fork() and the pools of its parent, whose threads it has not.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "gtest/gtest.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

using ShutdownMode = WorkerPool::ShutdownMode;

// Forks, and returns the exit code that the child makes of `child()`; -1: it did
// not end so. (No death test: those print, and the child of a busy process may
// do little, even less than allocate.)
template <typename Function>
int ExitCodeOfChild(Function child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child());
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
    return -1;
  return WEXITSTATUS(status);
}

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

}  // namespace
}  // namespace heddle
