// What a task costs in memory when the pool has come to its stride: nothing is
// allocated, neither by who schedules nor by who runs.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/pool/internal/block_cache.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/failing_new.h"

namespace heddle {
namespace {

using internal::AllocationsOfThisThread;

// What a worker that is the only one has allocated so far.
int64_t AllocationsOfWorker(WorkerPool& pool) {
  Event done;
  std::atomic<int64_t> count{0};
  Task ask([&] {
    count = AllocationsOfThisThread();
    done.Set();
  });
  EXPECT_TRUE(pool.Schedule(ask));
  done.Wait();
  return count;
}

constexpr int kTasks = 1000;

// Leaves more blocks of each size in the cache than a round ever holds at once:
// how many that is depends on how far the worker happens to be behind.
void FillCache() {
  for (size_t size = 64; size <= 512; size += 64) {
    std::vector<void*> blocks(size_t{2} * kTasks);
    for (void*& block : blocks) block = pool_internal::AllocateBlock(size);
    for (void* block : blocks) pool_internal::FreeBlock(block, size);
  }
}

// Calls `round()`, which waits for what it schedules, until all other memory
// that it takes has been had once, and then counts what further rounds allocate.
template <typename Round>
void ExpectNoneAllocated(WorkerPool& pool, Round round) {
  if (pool_internal::MaxCachedBytesPerThread() == 0)
    GTEST_SKIP() << "sanitizers see every block";
  FillCache();
  for (int i = 0; i < 20; ++i) round();
  const int64_t here = AllocationsOfThisThread();
  const int64_t there = AllocationsOfWorker(pool);
  for (int i = 0; i < 20; ++i) round();
  EXPECT_EQ(AllocationsOfThisThread(), here);
  EXPECT_EQ(AllocationsOfWorker(pool), there);
}

TEST(NoAllocationTest, WhatTheCacheKeepsIsBounded) {
  const int64_t before = internal::LiveBytesOfThisThread();
  {
    std::vector<void*> blocks(size_t{100'000});
    for (void*& block : blocks) block = pool_internal::AllocateBlock(128);
    EXPECT_GT(internal::LiveBytesOfThisThread(), before + 12'800'000);
    for (void* block : blocks) pool_internal::FreeBlock(block, 128);
  }
  const auto most =
      static_cast<int64_t>(pool_internal::MaxCachedBytesPerThread() +
                           pool_internal::MaxCachedBytesInDepot());
  // A little more is the system's own.
  EXPECT_LE(internal::LiveBytesOfThisThread() - before, most + most / 100);
}

TEST(NoAllocationTest, AThreadThatEndsLeavesItsMemoryToOthers) {
  if (pool_internal::MaxCachedBytesPerThread() == 0)
    GTEST_SKIP() << "sanitizers see every block";
  int64_t allocated = 0;
  for (int i = 0; i < 200; ++i) {
    void* left_here = nullptr;
    std::thread([&] {
      const int64_t before = AllocationsOfThisThread();
      void* const freed = pool_internal::AllocateBlock(64);
      left_here = pool_internal::AllocateBlock(64);
      pool_internal::FreeBlock(freed, 64);
      allocated += AllocationsOfThisThread() - before;
    }).join();
    pool_internal::FreeBlock(left_here, 64);
  }
  EXPECT_LT(allocated, 20);
}

TEST(NoAllocationTest, NeitherSchedulingNorRunningAllocates) {
  Event done;
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  ExpectNoneAllocated(pool, [&] {
    for (int i = 1; i <= kTasks; ++i) {
      Task task([&done, i] {
        if (i == kTasks) done.Set();
      });
      ASSERT_TRUE(pool.Schedule(task));
    }
    done.Wait();
    done.Clear();
  });
}

TEST(NoAllocationTest, NeitherDoesSchedulingManyAtOnce) {
  Event done;
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  ExpectNoneAllocated(pool, [&] {
    TaskQueue tasks;
    for (int i = 1; i <= kTasks; ++i) {
      tasks.Push(Task([&done, i] {
        if (i == kTasks) done.Set();
      }));
    }
    ASSERT_TRUE(pool.ScheduleMany(tasks));
    done.Wait();
    done.Clear();
  });
}

TEST(NoAllocationTest, NeitherDoTasksThatScheduleTasks) {
  Event done;
  std::atomic<int> left{0};
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  ExpectNoneAllocated(pool, [&] {
    left = kTasks;
    Task outer([&] {
      for (int i = 0; i < kTasks; ++i) {
        Task inner([&] {
          if (--left == 0) done.Set();
        });
        ASSERT_TRUE(pool.Schedule(inner));
      }
    });
    ASSERT_TRUE(pool.Schedule(outer));
    done.Wait();
    done.Clear();
  });
}

TEST(NoAllocationTest, NeitherDoForks) {
  Event done;
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  ExpectNoneAllocated(pool, [&] {
    Task outer([&] {
      int sum = 0;
      for (int i = 0; i < kTasks; ++i)
        pool.Invoke([&sum] { ++sum; }, [&sum] { ++sum; });
      EXPECT_EQ(sum, 2 * kTasks);
      done.Set();
    });
    ASSERT_TRUE(pool.Schedule(outer));
    done.Wait();
    done.Clear();
  });
}

}  // namespace
}  // namespace heddle
