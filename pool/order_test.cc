// In which order tasks from outside begin, and how many at a time: what
// worker_pool.h promises of both.

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/clock.h"

namespace heddle {
namespace {

using pool_internal::WaitUntil;
using testing::ElementsAreArray;
using testing::Le;

constexpr int kTasks = 200;

// Work that takes this long at least, whatever the machine is at.
void BusyFor(absl::Duration duration) {
  const int64_t end =
      internal::Clock::MachineNow() + absl::ToInt64Nanoseconds(duration);
  while (internal::Clock::MachineNow() < end) {
  }
}

// Lets the workers of `pool` learn that tasks are short, so that they take many
// at a time.
void TeachThatTasksAreShort(WorkerPool& pool) {
  for (unsigned round = 0; round < 20; ++round) {
    TaskQueue tasks;
    for (int i = 0; i < 500; ++i) tasks.Push(Task([] {}));
    ASSERT_TRUE(pool.ScheduleMany(tasks));
    WaitUntil([&] { return pool.Stats().done == 500u * (round + 1); });
  }
}

// Tasks from 0, the first of which waits until all others have run; so these are
// run one by one, by one other worker. Returns them as they began, after 0.
std::vector<int> BesideOneThatWaits(WorkerPool& pool,
                                    std::function<void()> task) {
  std::vector<int> begun;
  Event all;
  TaskQueue tasks;
  tasks.Push(Task([&] { all.Wait(); }));
  for (int i = 1; i < kTasks; ++i) {
    tasks.Push(Task([&, i] {
      begun.push_back(i);
      task();
      if (begun.size() == kTasks - 1) all.Set();
    }));
  }
  EXPECT_TRUE(pool.ScheduleMany(tasks));
  pool.Shutdown();
  return begun;
}

std::vector<int> Numbers(int first, int last) {
  std::vector<int> numbers;
  for (int i = first; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

WorkerPool::Options TwoWorkers() {
  return {.max_workers = 2, .start = WorkerPool::StartPolicy::kAtOnce};
}

TEST(OrderTest, TasksOfUnknownLengthAreNotHeldBack) {
  WorkerPool pool(TwoWorkers());
  EXPECT_THAT(BesideOneThatWaits(pool, [] {}),
              ElementsAreArray(Numbers(1, kTasks - 1)));
}

// What the waiting worker has taken with its task is older than all that the
// other may take, and the other's own.
TEST(OrderTest, WhatALongTaskHoldsBackGoesBeforeAnythingNewer) {
  WorkerPool pool(TwoWorkers());
  TeachThatTasksAreShort(pool);
  std::vector<int> begun =
      BesideOneThatWaits(pool, [] { BusyFor(absl::Microseconds(100)); });
  ASSERT_EQ(begun.size(), kTasks - 1u);
  // One may have been begun before it could be known how long it takes.
  EXPECT_THAT(begun[0], Le(33));
  begun.erase(begun.begin());
  EXPECT_THAT(begun, testing::WhenSorted(ElementsAreArray(begun)));
}

TEST(OrderTest, ASpareTakesTheBatchOfWhoIsBlocked) {
  WorkerPool pool({.max_workers = 1, .max_spares = 1});
  TeachThatTasksAreShort(pool);
  EXPECT_THAT(BesideOneThatWaits(pool, [] {}),
              ElementsAreArray(Numbers(1, kTasks - 1)));
}

// In a pool of one worker the next begins when the last has ended.
TEST(OrderTest, OneWorkerIsSerial) {
  for (const auto order :
       {WorkerPool::Order::kNewestFirst, WorkerPool::Order::kOldestFirst}) {
    std::vector<int> begun;
    {
      WorkerPool pool({.max_workers = 1, .order = order});
      for (int i = 0; i < kTasks; ++i) {
        pool_internal::MustSchedule(pool, [&begun, i] { begun.push_back(i); });
      }
    }
    EXPECT_THAT(begun, ElementsAreArray(Numbers(0, kTasks - 1)));
  }
}

}  // namespace
}  // namespace heddle
