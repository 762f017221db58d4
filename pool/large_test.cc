// Ten million tasks from eight threads through pools that are shut down at
// random moments, and as many through one pool, whose memory does not grow.
// Not part of `//...`:
//
//   tools/bazel test -c opt //pool:large_test

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

constexpr int64_t kTasks = 10'000'000;
constexpr int kThreads = 8;

// The memory of this process that is in use now.
int64_t ResidentBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    int64_t kibibytes = 0;
    status >> kibibytes;
    return kibibytes * 1024;
  }
  ADD_FAILURE() << "no VmRSS in /proc/self/status";
  return 0;
}

TEST(LargeTest, WhatIsAcceptedIsRunOrReportedWheneverItIsShutDown) {
  std::mt19937 random(20261126);
  int64_t total = 0;
  for (int round = 0; total < kTasks; ++round) {
    std::atomic<int64_t> accepted{0};
    std::atomic<int64_t> ran{0};
    WorkerPool pool({.max_workers = 1 + round % 4,
                     .max_queued = round % 3 == 0 ? size_t{100} : 0});
    std::deque<Thread> producers;
    for (int t = 0; t < kThreads; ++t) {
      producers.emplace_back([&] {
        int64_t mine = 0;
        for (;; ++mine) {
          Task task([&ran] { ran.fetch_add(1, std::memory_order_relaxed); });
          if (!pool.Schedule(task)) break;
        }
        accepted += mine;
      });
      producers.back().Start();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 100'000));
    const auto mode = round % 2 == 0 ? WorkerPool::ShutdownMode::kDrain
                                     : WorkerPool::ShutdownMode::kDropQueued;
    const WorkerPool::ShutdownReport report = pool.Shutdown(mode);
    for (Thread& producer : producers) producer.Join();
    ASSERT_EQ(accepted, ran + static_cast<int64_t>(report.dropped));
    ASSERT_EQ(report.queued, 0u);
    ASSERT_TRUE(report.running.empty());
    total += accepted;
  }
}

TEST(LargeTest, MemoryDoesNotGrowWithTheNumberOfTasks) {
  constexpr int64_t kWindow = 10'000;
  std::atomic<int64_t> ran{0};
  WorkerPool pool({.max_workers = 2});
  int64_t scheduled = 0;
  const auto schedule = [&](int64_t count) {
    for (int64_t i = 0; i < count; i += kWindow) {
      for (int64_t j = 0; j < kWindow; ++j) {
        Task task([&ran] { ran.fetch_add(1, std::memory_order_relaxed); });
        ASSERT_TRUE(pool.Schedule(task));
      }
      scheduled += kWindow;
      while (ran.load() < scheduled)
        std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  };
  schedule(kTasks / 10);
  const int64_t before = ResidentBytes();
  schedule(kTasks);
  EXPECT_LT(ResidentBytes() - before, 1 << 20);
  EXPECT_EQ(ran, scheduled);
}

}  // namespace
}  // namespace heddle
