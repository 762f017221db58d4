// The child of a fork() and executors: those of its parent have ended, its own
// work. What holds is said in thread/README.md, "After fork()".

#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/futures/future.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/imap_results.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/thread/internal/fork_child.h"
#include "heddle/thread/this_thread.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

using internal::ExitCodeOfChild;
using internal::kChildMayStartThreads;

int UseNewExecutors(int rounds) {
  if (!kChildMayStartThreads) return 0;
  for (int round = 0; round < rounds; ++round) {
    ThreadPoolExecutor executor(2);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 20; ++i)
      futures.push_back(executor.Submit([i] { return i; }));
    for (int i = 0; i < 20; ++i) {
      if (futures[static_cast<size_t>(i)].Result() != i) return 11;
    }
    ThreadPool pool(2);
    if (pool.Apply([] { return 6; }) != 6) return 12;
  }
  return 0;
}

TEST(ForkTest, NewExecutorsWorkInTheChildOfABusyParent) {
  ThreadPoolExecutor executor(4);
  ThreadPool pool(2);
  std::atomic<bool> over{false};
  const auto submit = [&] {
    while (!over) {
      auto future = executor.Submit([] { return 1; });
      auto result = pool.ApplyAsync([] { return 2; });
      EXPECT_EQ(future.Result() + result.Get(), 3);
    }
  };
  Thread one(submit);
  Thread two(submit);
  one.Start();
  two.Start();
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(ExitCodeOfChild([] { return UseNewExecutors(2); }), 0);
  over = true;
}

TEST(ForkTest, ATaskMayForkAndItsExecutorHasEndedInTheChild) {
  auto executor = std::make_unique<ThreadPoolExecutor>(2);
  auto forked = executor->Submit([&executor] {
    return ExitCodeOfChild([&executor] {
      executor->Shutdown();
      executor.reset();
      return UseNewExecutors(5);
    });
  });
  EXPECT_EQ(forked.Result(), 0);
  auto pool = std::make_unique<ThreadPool>(2);
  EXPECT_EQ(pool->Apply([&pool] {
    return ExitCodeOfChild([&pool] {
      pool->Close();
      pool->Join();
      pool.reset();
      return UseNewExecutors(5);
    });
  }),
            0);
}

TEST(ForkTest, ADoneCallbackMayFork) {
  ThreadPoolExecutor executor(1);
  std::atomic<int> code{-2};
  Promise<int> promise;
  Future<int> future = promise.GetFuture();
  future.AddDoneCallback([&code](const Future<int>& done) {
    code = ExitCodeOfChild([&done] {
      if (done.Result() != 5) return 1;
      return UseNewExecutors(2);
    });
  });
  executor.Submit([&promise] { promise.SetResult(5); }).Result();
  EXPECT_EQ(code, 0);
}

// A result that nobody used at the moment of the fork.
TEST(ForkTest, PromisesMayBeKeptInTheChild) {
  Promise<int> promise;
  Future<int> future = promise.GetFuture();
  EXPECT_EQ(ExitCodeOfChild([&] {
              if (!kChildMayStartThreads) return 0;
              Thread thread([&promise] { promise.SetResult(5); });
              thread.Start();
              return future.Result() == 5 ? 0 : 1;
            }),
            0);
  promise.SetResult(6);
  EXPECT_EQ(future.Result(), 6);
}

// A task that waits in the child waits as any thread does: for its own pools.
TEST(ForkTest, AForkedTaskMayWaitForTasksOfTheChild) {
  ThreadPoolExecutor executor(1);
  auto forked = executor.Submit([] {
    return ExitCodeOfChild([] {
      if (!kChildMayStartThreads) return 0;
      ThreadPoolExecutor own(1);
      auto outer =
          own.Submit([&own] { return own.Submit([] { return 5; }).Result(); });
      return outer.Result() == 5 ? 0 : 1;
    });
  });
  EXPECT_EQ(forked.Result(), 0);
}

// --- On another thread's stack ----------------------------------------------

// A task that waits for one that runs, for want of stack, in another thread.
struct WaitingTask {
  char* frame = nullptr;
  uint64_t thread = 0;
};

// What lay below the frame of the task that waits: calls of Heddle's.
constexpr size_t kBelow = 8192;
constexpr char kFilling = 0x5a;

// The system itself writes and reads there: it is no object of this program's.
void CopyByPipe(const char* from, char* to) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const long size = static_cast<long>(kBelow);
  EXPECT_EQ(syscall(SYS_write, ends[1], from, kBelow), size);
  EXPECT_EQ(syscall(SYS_read, ends[0], to, kBelow), size);
  close(ends[0]);
  close(ends[1]);
}
void FillBelow(const WaitingTask& waiting) {
  static const std::vector<char> filling(kBelow, kFilling);
  CopyByPipe(filling.data(), waiting.frame - (kBelow - 1));
}
bool IsFilledBelow(const WaitingTask& waiting) {
  static std::vector<char> found(kBelow);
  CopyByPipe(waiting.frame - (kBelow - 1), found.data());
  return std::count(found.begin(), found.end(), kFilling) ==
         static_cast<std::ptrdiff_t>(kBelow);
}

// Calls `wait(task)` in a task, which is to run a task that does the same and
// wait for it there, until a task runs in another thread than that which waits
// for it. That one forks and returns. The child's threads may have been given
// the stack of the one that waits: true if the child then leaves that as it is.
template <typename Wait>
bool ReturnsOnItsOwnStack(const Wait& wait) {
  static WaitingTask waiting;
  waiting = WaitingTask();
  pid_t child = -1;
  std::function<void()> task = [&wait, &child, &task] {
    if (waiting.thread != 0 && waiting.thread != GetNativeId()) {
      child = fork();
      if (child != 0) return;
      alarm(60);
      static_cast<void>(
          std::atexit([] { _exit(IsFilledBelow(waiting) ? 7 : 8); }));
      FillBelow(waiting);
      return;
    }
    waiting.thread = GetNativeId();
    waiting.frame = static_cast<char*>(__builtin_frame_address(0)) - 512;
    wait(task);
  };
  const pid_t parent = getpid();
  const size_t before = StackSize(size_t{256} << 10);
  wait(task);
  StackSize(before);
  EXPECT_EQ(getpid(), parent);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status) == 7;
}

TEST(ForkTest, ATaskThatForkedOnAnothersStackMayReturnInTheChild) {
  if (!internal::kLastThreadMayEnd) GTEST_SKIP();
  ThreadPoolExecutor executor(1);
  EXPECT_TRUE(ReturnsOnItsOwnStack([&](const std::function<void()>& task) {
    executor.Submit(std::cref(task)).Result();
  }));
}

TEST(ForkTest, SoMayACallOfAnIMap) {
  if (!internal::kLastThreadMayEnd) GTEST_SKIP();
  for (const bool ordered : {true, false}) {
    ThreadPool pool(1);
    EXPECT_TRUE(ReturnsOnItsOwnStack([&](const std::function<void()>& task) {
      const std::vector<int> one(1);
      const auto call = [&task](int) { task(); };
      if (ordered) {
        pool.IMap(call, one).Wait();
      } else {
        pool.IMapUnordered(call, one).Wait();
      }
    }));
  }
}

}  // namespace
}  // namespace heddle
