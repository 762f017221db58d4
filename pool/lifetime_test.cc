// A pool may be ended by a task of its own, from the moment at which that task
// has been accepted: nothing that the pool does for the caller who scheduled it
// comes later. Most of use under asan and tsan.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/task.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/spin.h"

namespace heddle {
namespace {

constexpr int kRounds = 400;

// Delays of different lengths, so that a task ends its pool at every moment of
// the call that scheduled it.
class Delays {
 public:
  void Next() {
    state_ = state_ * 1103515245 + 12345;
    for (unsigned i = 0; i < (state_ >> 16) % 64; ++i) internal::SpinPause();
  }

 private:
  unsigned state_ = 1;
};

// A task that ends the pool, which `pool` owns, after a while; and an event that
// is set after that.
template <typename Pool>
auto EndIt(std::unique_ptr<Pool>& pool, Delays& delays, Event& ended) {
  return [&pool, &delays, &ended] {
    delays.Next();
    pool = nullptr;
    ended.Set();
  };
}

class LifetimeTest : public testing::TestWithParam<WorkerPool::StartPolicy> {
 protected:
  std::unique_ptr<WorkerPool> MakePool(WorkerPool::Order order) {
    return std::make_unique<WorkerPool>(WorkerPool::Options{
        .max_workers = 2, .start = GetParam(), .order = order});
  }
};

INSTANTIATE_TEST_SUITE_P(, LifetimeTest,
                         testing::Values(WorkerPool::StartPolicy::kOnDemand,
                                         WorkerPool::StartPolicy::kAtOnce),
                         [](const auto& policy) {
                           return policy.param ==
                                          WorkerPool::StartPolicy::kOnDemand
                                      ? "OnDemand"
                                      : "AtOnce";
                         });

TEST_P(LifetimeTest, OfAWorkerPoolThatATaskEnds) {
  Delays delays;
  for (int i = 0; i < kRounds; ++i) {
    Event ended;
    auto pool = MakePool(WorkerPool::Order::kNewestFirst);
    WorkerPool& p = *pool;
    Task task(EndIt(pool, delays, ended));
    ASSERT_TRUE(p.Schedule(task));
    ended.Wait();
  }
}

TEST_P(LifetimeTest, OfAWorkerPoolThatOneOfManyTasksEnds) {
  Delays delays;
  for (int i = 0; i < kRounds; ++i) {
    Event ended;
    auto pool = MakePool(WorkerPool::Order::kNewestFirst);
    WorkerPool& p = *pool;
    TaskQueue tasks;
    for (int n = 0; n < i % 4; ++n) tasks.Push(Task([] {}));
    tasks.Push(Task(EndIt(pool, delays, ended)));
    ASSERT_TRUE(p.ScheduleMany(tasks));
    ended.Wait();
  }
}

TEST_P(LifetimeTest, OfAWorkerPoolThatATasksTaskEnds) {
  Delays delays;
  for (int i = 0; i < kRounds; ++i) {
    Event ended;
    auto pool = MakePool(i % 2 == 0 ? WorkerPool::Order::kNewestFirst
                                    : WorkerPool::Order::kOldestFirst);
    WorkerPool& p = *pool;
    Task task([&] {
      Task last(EndIt(pool, delays, ended));
      EXPECT_TRUE(p.Schedule(last));
    });
    ASSERT_TRUE(p.Schedule(task));
    ended.Wait();
  }
}

// A bounded pool is called for each task.
TEST_P(LifetimeTest, OfABoundedWorkerPoolThatATaskEnds) {
  Delays delays;
  for (int i = 0; i < kRounds; ++i) {
    Event ended;
    auto pool = std::make_unique<WorkerPool>(WorkerPool::Options{
        .max_workers = 1, .start = GetParam(), .max_queued = 1});
    WorkerPool& p = *pool;
    Task first([&] { delays.Next(); });
    ASSERT_TRUE(p.Schedule(first));
    Task last(EndIt(pool, delays, ended));
    ASSERT_TRUE(p.Schedule(last));
    ended.Wait();
  }
}

// What a dropping shutdown drops may own the pool.
TEST_P(LifetimeTest, OfAWorkerPoolThatADroppedTaskEnds) {
  struct Owner {
    ~Owner() {
      go_on.Set();
      pool = nullptr;  // waits for the task that runs
    }
    Event& go_on;
    std::unique_ptr<WorkerPool> pool;
  };
  for (int i = 0; i < kRounds / 10; ++i) {
    Event begun;
    Event go_on;
    auto pool = std::make_unique<WorkerPool>(WorkerPool::Options{
        .max_workers = 1, .start = GetParam(), .max_spares = 0});
    WorkerPool& p = *pool;
    Task running([&] {
      begun.Set();
      go_on.Wait();
    });
    ASSERT_TRUE(p.Schedule(running));
    begun.Wait();
    Task dropped(
        [owner = std::shared_ptr<Owner>(new Owner{go_on, std::move(pool)})] {});
    ASSERT_TRUE(p.Schedule(dropped));
    EXPECT_EQ(p.Shutdown(WorkerPool::ShutdownMode::kDropQueued).dropped, 1u);
  }
}

TEST(ThreadPoolLifetimeTest, ACallEndsItsPool) {
  Delays delays;
  for (int i = 0; i < kRounds; ++i) {
    Event ended;
    auto pool = std::make_unique<ThreadPool>(2);
    ThreadPool& p = *pool;
    p.ApplyAsync(EndIt(pool, delays, ended));
    ended.Wait();
  }
}

TEST(ThreadPoolLifetimeTest, AMapsCallbackEndsItsPool) {
  Delays delays;
  for (int i = 0; i < kRounds; ++i) {
    Event ended;
    auto pool = std::make_unique<ThreadPool>(2);
    ThreadPool& p = *pool;
    const auto end = EndIt(pool, delays, ended);
    p.MapAsync(
        Callbacks{[end](const std::vector<int>&) { end(); }},
        [](int n) { return n; }, std::vector<int>{1, 2, 3});
    ended.Wait();
  }
}

// The commonest owner: an object that its last task keeps.
TEST(ThreadPoolLifetimeTest, TheLastCallOwnsTheOwner) {
  struct Service : std::enable_shared_from_this<Service> {
    void Start(Event& over) {
      pool.ApplyAsync([self = shared_from_this(), &over]() mutable {
        self = nullptr;
        over.Set();
      });
    }
    ThreadPool pool{1};
  };
  for (int i = 0; i < kRounds; ++i) {
    Event over;
    auto service = std::make_shared<Service>();
    service->Start(over);
    service = nullptr;
    over.Wait();
  }
}

// Each waits for the next, which runs in place; on another thread's stack where
// this one's is half used.
void EndTheProgramWithin(ThreadPool& pool, int calls) {
  volatile char used[size_t{64} << 10];
  used[0] = 0;
  if (calls == 0) std::exit(7);
  pool.ApplyAsync([&pool, calls] { EndTheProgramWithin(pool, calls - 1); })
      .Get();
  static_cast<void>(used[0]);
}

TEST(ThreadPoolLifetimeDeathTest, ACallThatRunsDeepInPlaceEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static ThreadPool pool(1);
        pool.ApplyAsync([] { EndTheProgramWithin(pool, 200); }).Get();
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace heddle
