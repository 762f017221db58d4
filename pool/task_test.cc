#include "heddle/pool/task.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/cleanup/cleanup.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/thread/except_hook.h"

namespace heddle {
namespace {

using ::testing::ElementsAre;

TEST(TaskTest, DefaultMadeTaskIsEmpty) { EXPECT_FALSE(Task()); }

TEST(TaskTest, RunsItsCallableOnceAndIsEmptyThen) {
  int runs = 0;
  Task task([&runs] { ++runs; });
  ASSERT_TRUE(task);
  std::move(task).Run();
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(task);  // NOLINT(bugprone-use-after-move): that is the promise
}

TEST(TaskTest, TakesMoveOnlyAndMutableCallables) {
  int seen = 0;
  Task task([&seen, p = std::make_unique<int>(5)]() mutable {
    ++*p;
    seen = *p;
  });
  std::move(task).Run();
  EXPECT_EQ(seen, 6);
}

TEST(TaskTest, DestroysTheCallableAfterTheRun) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  Task task([held = std::move(held)] {});
  std::move(task).Run();
  EXPECT_TRUE(watch.expired());
}

TEST(TaskTest, DestructionDropsTheCallableUnrun) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  bool ran = false;
  {
    const Task task([held = std::move(held), &ran] { ran = true; });
  }
  EXPECT_TRUE(watch.expired());
  EXPECT_FALSE(ran);
}

TEST(TaskTest, MovesBetweenHandlesAndDropsWhatWasThere) {
  std::vector<std::string> log;
  const auto make = [&log](const std::string& name) {
    std::shared_ptr<void> end(
        nullptr, [&log, name](void*) { log.push_back("dropped " + name); });
    return Task([&log, name, end] { log.push_back("ran " + name); });
  };
  Task a = make("a");
  Task b = make("b");
  a = std::move(b);
  EXPECT_THAT(log, ElementsAre("dropped a"));
  std::move(a).Run();
  EXPECT_THAT(log, ElementsAre("dropped a", "ran b", "dropped b"));
}

TEST(TaskTest, HoldsOverAlignedAndLargeCallables) {
  struct alignas(128) Aligned {
    char bytes[1024] = {};
    bool* aligned;
    void operator()() const {
      *aligned = reinterpret_cast<uintptr_t>(this) % 128 == 0;
    }
  };
  bool aligned = false;
  // Not a local variable: with AddressSanitizer GCC does not align those so far.
  const auto callable = std::make_unique<Aligned>();
  callable->aligned = &aligned;
  Task task(*callable);
  std::move(task).Run();
  EXPECT_TRUE(aligned);
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(TaskTest, WhatTheCallableThrowsGoesToTheExceptHook) {
  std::vector<std::string> reported;
  SetExceptHook([&reported](const ExceptHookArgs& args) {
    reported.push_back(DescribeException(args.exception));
  });
  Task standard([] { throw std::runtime_error("lost"); });
  std::move(standard).Run();
  Task other([] { throw 42; });
  std::move(other).Run();
  SetExceptHook(nullptr);
  EXPECT_THAT(reported, ElementsAre("std::runtime_error: lost", "int"));
}

TEST(TaskTest, ADestructorThatThrowsGoesToTheExceptHook) {
  int reported = 0;
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  struct Bomb {
    explicit Bomb(bool on) : armed(on) {}
    Bomb(Bomb&& other) noexcept : armed(std::exchange(other.armed, false)) {}
    ~Bomb() noexcept(false) {
      if (armed) throw std::runtime_error("destructor");
    }
    void operator()() const {}
    bool armed;
  };
  Task task(Bomb(true));
  std::move(task).Run();
  SetExceptHook(nullptr);
  EXPECT_EQ(reported, 1);
}

TEST(TaskTest, ACopyThatThrowsLeavesNothingBehind) {
  struct ThrowsOnCopy {
    ThrowsOnCopy() = default;
    ThrowsOnCopy(const ThrowsOnCopy&) { throw std::runtime_error("copy"); }
    void operator()() const {}
  };
  const ThrowsOnCopy callable;
  EXPECT_THROW(Task{callable}, std::runtime_error);  // a leak fails under asan
}
#endif

TEST(TaskQueueTest, GivesTasksBackInTheirOrder) {
  std::vector<int> order;
  TaskQueue queue;
  for (int i = 0; i < 5; ++i)
    queue.Push(Task([&order, i] { order.push_back(i); }));
  EXPECT_EQ(queue.size(), 5);
  while (Task task = queue.Pop()) std::move(task).Run();
  EXPECT_TRUE(queue.empty());
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
}

TEST(TaskQueueTest, DropsWhatIsLeftInOrder) {
  std::vector<int> dropped;
  {
    TaskQueue queue;
    TaskQueue other;
    for (int i = 0; i < 3; ++i) {
      queue.Push(Task([end = absl::MakeCleanup(
                           [&dropped, i] { dropped.push_back(i); })] {}));
    }
    other.swap(queue);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(other.size(), 3);
  }
  EXPECT_THAT(dropped, ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace heddle
