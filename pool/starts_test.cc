// Every start of a thread can fail, the k-th for all k, in every call that may
// need one: what was accepted is run, or its caller has learned of the error;
// and as soon as threads can be had again all is as if nothing had happened.

#include <atomic>
#include <cerrno>
#include <functional>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/pool/async_result.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/task.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/start_fault.h"

#ifdef ABSL_HAVE_EXCEPTIONS
namespace heddle {
namespace {

using internal::StartFault;

// For what would hang: long enough for any machine.
constexpr absl::Duration kLong = absl::Seconds(60);

// Fails the starts from the first-th to the last-th, counted from 1.
class FailingStarts {
 public:
  FailingStarts(int first, int last)
      : first_(first), last_(last), fault_([this] {
          const int n = ++starts_;
          return first_ <= n && n <= last_ ? EAGAIN : 0;
        }) {}
  bool has_failed() const { return starts_ >= first_; }

 private:
  const int first_;
  const int last_;
  std::atomic<int> starts_{0};
  StartFault fault_;
};

// Counts what was accepted and what was run.
class Work {
 public:
  // `call()` gives `count` tasks to a pool, each of which is to call Run();
  // or throws std::system_error, and then none.
  template <typename Call>
  void Accept(int count, Call call) {
    try {
      call();
      accepted_ += count;
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code().value(), EAGAIN);
    }
  }
  void Run() { ++run_; }
  void ExpectAllRun() { EXPECT_EQ(run_, accepted_); }

 private:
  std::atomic<int> accepted_{0};
  std::atomic<int> run_{0};
};

// scenario(work) while the k-th start fails, and three in a row, for all k.
template <typename Scenario>
void Sweep(Scenario scenario) {
  for (const int row : {1, 3}) {
    for (int k = 1;; ++k) {
      SCOPED_TRACE(testing::Message() << row << " from the start number " << k);
      Work work;
      FailingStarts starts(k, k + row - 1);
      scenario(work);
      work.ExpectAllRun();
      if (!starts.has_failed() || testing::Test::HasFailure()) break;
    }
  }
}

void Schedule(WorkerPool& pool, Work& work, std::function<void()> function) {
  Task task([&work, function = std::move(function)] {
    function();
    work.Run();
  });
  work.Accept(1, [&] { ASSERT_TRUE(pool.Schedule(task)); });
}

TEST(StartsTest, OfWorkersThatTasksNeed) {
  Sweep([](Work& work) {
    WorkerPool pool({.max_workers = 3});
    for (int i = 0; i < 10; ++i) Schedule(pool, work, [] {});
  });
}

TEST(StartsTest, OfWorkersThatManyTasksNeed) {
  Sweep([](Work& work) {
    WorkerPool pool({.max_workers = 3});
    for (int i = 0; i < 3; ++i) {
      TaskQueue tasks;
      for (int n = 0; n < 5; ++n) tasks.Push(Task([&] { work.Run(); }));
      work.Accept(5, [&] { ASSERT_TRUE(pool.ScheduleMany(tasks)); });
    }
  });
}

TEST(StartsTest, OfAllWorkersAtOnce) {
  Sweep([](Work& work) {
    std::optional<WorkerPool> pool;
    try {
      pool.emplace(WorkerPool::Options{
          .max_workers = 3, .start = WorkerPool::StartPolicy::kAtOnce});
    } catch (const std::system_error&) {
      return;
    }
    Schedule(*pool, work, [] {});
  });
}

// Each task waits for the one behind it.
TEST(StartsTest, OfSpares) {
  Sweep([](Work& work) {
    Event events[4];
    WorkerPool pool({.max_workers = 1, .max_spares = 3});
    events[3].Set();
    for (int i = 0; i < 3; ++i) {
      Schedule(pool, work, [&events, i] {
        EXPECT_TRUE(events[i + 1].Wait(kLong));
        events[i].Set();
      });
    }
    // For the one before one that was refused.
    for (Event& event : events) event.Set();
  });
}

TEST(StartsTest, OfWorkersThatForksNeed) {
  Sweep([](Work& work) {
    WorkerPool pool({.max_workers = 3});
    work.Accept(4, [&] {
      pool.Invoke(
          [&] {
            pool.Invoke([&] { work.Run(); }, [&] { work.Run(); });
            work.Run();
          },
          [&] { work.Run(); });
    });
  });
}

TEST(StartsTest, OfWorkersThatTasksOfTasksNeed) {
  for (const auto order :
       {WorkerPool::Order::kNewestFirst, WorkerPool::Order::kOldestFirst}) {
    Sweep([order](Work& work) {
      WorkerPool pool({.max_workers = 3, .order = order});
      Schedule(pool, work, [&] {
        for (int i = 0; i < 5; ++i) Schedule(pool, work, [] {});
      });
    });
  }
}

TEST(StartsTest, OfAThreadPoolsCalls) {
  Sweep([](Work& work) {
    std::optional<ThreadPool> pool;
    try {
      pool.emplace(ThreadPool::Options{.workers = 2, .max_spares = 2});
    } catch (const std::system_error&) {
      return;
    }
    // The two that wait need spares.
    Event event;
    std::vector<AsyncResult<void>> waiters;
    for (int i = 0; i < 2; ++i) {
      work.Accept(1, [&] {
        waiters.push_back(pool->ApplyAsync([&] {
          EXPECT_TRUE(event.Wait(kLong));
          work.Run();
        }));
      });
    }
    const std::vector<int> numbers(10);
    const auto run = [&](int n) {
      work.Run();
      return n;
    };
    work.Accept(1, [&] { pool->Apply(run, 1); });
    work.Accept(10, [&] { pool->Map(run, numbers); });
    work.Accept(10, [&] {
      for (int n : pool->IMap(run, numbers)) EXPECT_EQ(n, 0);
    });
    work.Accept(10, [&] { pool->ForEach(numbers, [&](int n) { run(n); }); });
    event.Set();
  });
}

// A submitter does not count on a thread that another submitter is starting.
TEST(StartsTest, TheFirstFailsInAnotherThread) {
  Event begun;
  std::atomic<int> starts{0};
  StartFault fault([&] {
    if (++starts > 1) return 0;
    begun.Set();
    for (int i = 0; i < 10'000; ++i) std::this_thread::yield();
    return EAGAIN;
  });
  WorkerPool pool({.max_workers = 1});
  std::thread first([&] {
    Task task([] {});
    EXPECT_THROW(static_cast<void>(pool.Schedule(task)), std::system_error);
    EXPECT_TRUE(task);
  });
  begun.Wait();
  Event ran;
  pool_internal::MustSchedule(pool, [&] { ran.Set(); });
  first.join();
  EXPECT_TRUE(ran.Wait(kLong));
}

TEST(StartsTest, AFailedOneTakesNoPlaceForEver) {
  WorkerPool pool({.max_workers = 1});
  for (int i = 0; i < 3; ++i) {
    StartFault fault([] { return EAGAIN; });
    Task task([] {});
    EXPECT_THROW(static_cast<void>(pool.Schedule(task)), std::system_error);
  }
  Event ran;
  pool_internal::MustSchedule(pool, [&] { ran.Set(); });
  EXPECT_TRUE(ran.Wait(kLong));
}

// Nothing is scheduled any more, and the only worker is blocked: it tries again
// itself.
TEST(StartsTest, ABlockedWorkerTriesAgain) {
  FailingStarts starts(2, 4);
  Event event;
  WorkerPool pool({.max_workers = 1, .max_spares = 1});
  std::atomic<bool> was_set{false};
  pool_internal::MustSchedule(pool, [&] { was_set = event.Wait(kLong); });
  pool_internal::WaitUntil([&] { return pool.Stats().blocked == 1; });
  pool_internal::MustSchedule(pool, [&] { event.Set(); });
  pool.Shutdown();
  EXPECT_TRUE(starts.has_failed());
  EXPECT_TRUE(was_set);
}

// A worker is blocked where it cannot try again; whoever schedules next does.
TEST(StartsTest, TheNextScheduleTriesAgain) {
  FailingStarts starts(2, 2);
  std::atomic<bool> go_on{false};
  WorkerPool pool({.max_workers = 2});
  pool_internal::MustSchedule(
      pool, [&] { pool_internal::WaitUntil([&] { return go_on.load(); }); });
  pool_internal::WaitUntil([&] { return pool.Stats().queued == 0; });
  Event ran;
  pool_internal::MustSchedule(pool, [] {});  // its worker cannot be had
  EXPECT_TRUE(starts.has_failed());
  EXPECT_EQ(pool.started_workers(), 1);
  pool_internal::MustSchedule(pool, [&] { ran.Set(); });
  EXPECT_EQ(pool.started_workers(), 2);
  EXPECT_TRUE(ran.Wait(kLong));
  go_on = true;
}

}  // namespace
}  // namespace heddle
#endif  // ABSL_HAVE_EXCEPTIONS
