#include "heddle/pool/internal/injection_queue.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"

namespace heddle {
namespace pool_internal {
namespace {

using Outcome = InjectionQueue::Outcome;
using Source = InjectionQueue::Source;

// Tasks that write their number down.
class Numbers {
 public:
  Task Next() {
    return Task([this, n = next_++] { run.push_back(n); });
  }
  TaskQueue& Next(TaskQueue& tasks, size_t count) {
    for (size_t i = 0; i < count; ++i) tasks.Push(Next());
    return tasks;
  }
  void ExpectInOrder(size_t count) {
    ASSERT_EQ(run.size(), count);
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(run[i], i);
  }

  std::vector<size_t> run;

 private:
  size_t next_ = 0;
};

// Takes up to `most`, to `batch`; returns how many.
size_t Take(InjectionQueue& queue, size_t most, Task::Node** batch) {
  size_t taken = 1;
  batch[0] = queue.Take(
      most, [&](Task::Node* const* rest, size_t count, uint64_t /*number*/) {
        std::copy_n(rest, count, batch + 1);
        taken += count;
      });
  return batch[0] == nullptr ? 0 : taken;
}

void RunAll(InjectionQueue& queue, size_t takers) {
  Task::Node* batch[InjectionQueue::kMaxBatch];
  while (const size_t taken = Take(queue, queue.Share(takers), batch)) {
    for (size_t i = 0; i < taken; ++i) Task(batch[i]).Run();
  }
}

TEST(InjectionQueueTest, GivesOutInOrderAcrossBlocks) {
  Numbers numbers;
  InjectionQueue queue(/*pool=*/1);
  for (int i = 0; i < 500; ++i) {
    Task task = numbers.Next();
    EXPECT_EQ(queue.Push(task, Source::kOutside),
              i == 0 ? Outcome::kFirst : Outcome::kMore);
  }
  EXPECT_EQ(queue.size(), 500u);
  RunAll(queue, 2);
  EXPECT_FALSE(queue.HasTasks());
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.pushed(), 500u);
  numbers.ExpectInOrder(500);
}

TEST(InjectionQueueTest, ManyAtOnceKeepTheirPlace) {
  Numbers numbers;
  InjectionQueue queue(/*pool=*/1);
  TaskQueue tasks;
  for (const size_t count : {size_t{1}, size_t{62}, size_t{63}, size_t{200}}) {
    EXPECT_NE(queue.PushMany(numbers.Next(tasks, count), Source::kOutside),
              Outcome::kClosed);
    EXPECT_TRUE(tasks.empty());
    Task one = numbers.Next();
    EXPECT_EQ(queue.Push(one, Source::kOutside), Outcome::kMore);
    // Some are taken in between: lists are joined where one has begun.
    Task::Node* node = nullptr;
    ASSERT_EQ(Take(queue, 1, &node), 1u);
    Task(node).Run();
  }
  RunAll(queue, 1);
  numbers.ExpectInOrder(330);
}

TEST(InjectionQueueTest, ABatchIsAShareAndAtMostThirtyTwo) {
  Numbers numbers;
  InjectionQueue queue(/*pool=*/1);
  TaskQueue tasks;
  ASSERT_EQ(queue.PushMany(numbers.Next(tasks, 200), Source::kOutside),
            Outcome::kFirst);
  Task::Node* batch[InjectionQueue::kMaxBatch];
  size_t left = 200;
  while (left > 0) {
    const size_t taken = Take(queue, queue.Share(/*takers=*/2), batch);
    EXPECT_EQ(taken, std::clamp<size_t>(left / 4, 1, 32));
    for (size_t i = 0; i < taken; ++i) Task(batch[i]).Run();
    left -= taken;
  }
  numbers.ExpectInOrder(200);
}

TEST(InjectionQueueTest, ClosedItRefusesAndLeavesTheTasks) {
  Numbers numbers;
  InjectionQueue queue(/*pool=*/1);
  Task task = numbers.Next();
  EXPECT_EQ(queue.Push(task, Source::kOutside), Outcome::kFirst);
  queue.Close(Source::kOutside);
  task = numbers.Next();
  EXPECT_EQ(queue.Push(task, Source::kOutside), Outcome::kClosed);
  EXPECT_TRUE(task);
  TaskQueue tasks;
  tasks.Push(std::move(task));
  EXPECT_EQ(queue.PushMany(numbers.Next(tasks, 100), Source::kOutside),
            Outcome::kClosed);
  EXPECT_EQ(tasks.size(), 101u);
  RunAll(queue, 1);
  while (Task refused = tasks.Pop()) std::move(refused).Run();
  numbers.ExpectInOrder(102);
}

TEST(InjectionQueueTest, ClosedToOthersItTakesWhatItsOwnTasksBring) {
  Numbers numbers;
  InjectionQueue queue(/*pool=*/1);
  TaskQueue tasks;
  queue.Close(Source::kOutside);
  Task task = numbers.Next();
  EXPECT_EQ(queue.Push(task, Source::kOutside), Outcome::kClosed);
  EXPECT_EQ(queue.Push(task, Source::kOwnTask), Outcome::kFirst);
  EXPECT_EQ(queue.PushMany(numbers.Next(tasks, 2), Source::kOwnTask),
            Outcome::kMore);
  queue.Close(Source::kOwnTask);
  queue.Close(Source::kOutside);  // does not open it again
  EXPECT_EQ(queue.PushMany(numbers.Next(tasks, 2), Source::kOwnTask),
            Outcome::kClosed);
  RunAll(queue, 1);
  while (Task refused = tasks.Pop()) std::move(refused).Run();
  numbers.ExpectInOrder(5);
}

TEST(InjectionQueueTest, TheFirstIsHeldBackUntilItsCallerIsReady) {
  Numbers numbers;
  InjectionQueue queue(/*pool=*/1);
  int calls = 0;
  const auto ready = [&] { ++calls; };
  for (int i = 0; i < 3; ++i) {
    Task task = numbers.Next();
    queue.Push(task, Source::kOutside, ready);
  }
  EXPECT_EQ(calls, 1);
  RunAll(queue, 1);
  TaskQueue tasks;
  queue.PushMany(numbers.Next(tasks, 3), Source::kOutside, ready);
  EXPECT_EQ(calls, 2);
  RunAll(queue, 1);
}

TEST(InjectionQueueTest, WhatIsLeftCanBeTakenAllAtOnce) {
  Numbers numbers;
  InjectionQueue queue(/*pool=*/1);
  TaskQueue tasks;
  ASSERT_EQ(queue.PushMany(numbers.Next(tasks, 100), Source::kOutside),
            Outcome::kFirst);
  Task::Node* node = nullptr;
  ASSERT_EQ(Take(queue, 1, &node), 1u);
  Task(node).Run();
  ASSERT_EQ(queue.PushMany(numbers.Next(tasks, 100), Source::kOutside),
            Outcome::kFirst);
  queue.TakeAll(tasks);
  EXPECT_EQ(tasks.size(), 199u);
  EXPECT_EQ(queue.size(), 0u);
  while (Task task = tasks.Pop()) std::move(task).Run();
  numbers.ExpectInOrder(200);
}

TEST(InjectionQueueTest, KnowsWhatHasBeenFetched) {
  Numbers numbers;
  InjectionQueue queue(/*pool=*/1);
  TaskQueue tasks;
  ASSERT_EQ(queue.PushMany(numbers.Next(tasks, 100), Source::kOutside),
            Outcome::kFirst);
  EXPECT_EQ(queue.fetched(), 0u);
  Task::Node* node = nullptr;
  ASSERT_EQ(Take(queue, 1, &node), 1u);
  Task(node).Run();
  EXPECT_EQ(queue.fetched(), 99u);
  // What comes now is not, until those are gone; nor does it count in a share.
  ASSERT_EQ(queue.PushMany(numbers.Next(tasks, 100), Source::kOutside),
            Outcome::kFirst);
  EXPECT_EQ(queue.fetched(), 99u);
  EXPECT_EQ(queue.Share(/*takers=*/2), 24u);
  EXPECT_EQ(queue.size(), 199u);
  for (int i = 0; i < 99; ++i) {
    ASSERT_EQ(Take(queue, 1, &node), 1u);
    Task(node).Run();
  }
  EXPECT_EQ(queue.fetched(), 0u);
  EXPECT_EQ(queue.size(), 100u);
  EXPECT_EQ(queue.Share(/*takers=*/2), 25u);
  queue.TakeAll(tasks);
  EXPECT_EQ(queue.fetched(), 0u);
  while (Task task = tasks.Pop()) std::move(task).Run();
  numbers.ExpectInOrder(200);
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
