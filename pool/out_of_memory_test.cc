// Memory runs out at each allocation in turn: an error is thrown, and nothing
// is lost or wedged.

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/config.h"
#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/failing_new.h"

#ifdef ABSL_HAVE_EXCEPTIONS
namespace heddle {
namespace {

using ShutdownMode = WorkerPool::ShutdownMode;

using internal::WithoutMemoryAfter;
using pool_internal::Close;
using pool_internal::WaitUntil;

TEST(OutOfMemoryTest, ATaskIsMadeOrItIsNot) {
  struct Large {
    void operator()() const {}
    std::shared_ptr<int> held;
    char bytes[2000] = {};  // so that no cache has a block for it
  };
  auto held = std::make_shared<int>(1);
  const Large callable{held};
  bool failed = true;
  EXPECT_FALSE(WithoutMemoryAfter(0, failed, [&] { Task task(callable); }));
  EXPECT_EQ(held.use_count(), 2);
  EXPECT_TRUE(WithoutMemoryAfter(1, failed, [&] { Task task(callable); }));
  EXPECT_FALSE(failed);
  EXPECT_EQ(held.use_count(), 2);
}

TEST(OutOfMemoryTest, WithoutAFirstWorkerTheTaskStaysWithTheCaller) {
  bool failed = true;
  int failures = 0;
  for (int n = 0; failed; ++n) {
    int ran = 0;
    WorkerPool pool({.max_workers = 2});
    Task task([&ran] { ++ran; });
    bool accepted = false;
    if (!WithoutMemoryAfter(n, failed,
                            [&] { accepted = pool.Schedule(task); })) {
      ++failures;
      EXPECT_TRUE(task);
      EXPECT_EQ(ran, 0);
      accepted = pool.Schedule(task);
    }
    EXPECT_TRUE(accepted);
    EXPECT_FALSE(task);
    Close(pool);
    pool.Join();
    EXPECT_EQ(ran, 1);
  }
  EXPECT_GT(failures, 0);
}

TEST(OutOfMemoryTest, WithAWorkerATaskIsAcceptedAsAWholeOrNot) {
  bool failed = true;
  for (int n = 0; failed; ++n) {
    std::atomic<int> ran{0};
    Event go;
    WorkerPool pool({.max_workers = 2, .max_spares = 0});
    Event begun;
    Task first([&] {
      begun.Set();
      go.Wait();
      ++ran;
    });
    ASSERT_TRUE(pool.Schedule(first));
    begun.Wait();
    Task second([&] { ++ran; });
    bool accepted = false;
    // Without a second thread the pool goes on with the one it has; without
    // memory to queue it the task is ours.
    if (!WithoutMemoryAfter(n, failed,
                            [&] { accepted = pool.Schedule(second); })) {
      ASSERT_TRUE(second);
      accepted = pool.Schedule(second);
    }
    EXPECT_TRUE(accepted);
    go.Set();
    Close(pool);
    pool.Join();
    EXPECT_EQ(ran, 2);
  }
}

TEST(OutOfMemoryTest, ATaskWithoutMemoryTakesNoRoom) {
  bool failed = true;
  for (int n = 0; failed; ++n) {
    WorkerPool pool({.max_workers = 1,
                     .max_spares = 0,
                     .max_queued = 1,
                     .when_full = WorkerPool::WhenFull::kRefuse});
    Event begun;
    Event go;
    Task first([&] {
      begun.Set();
      go.Wait();
    });
    ASSERT_TRUE(pool.Schedule(first));
    begun.Wait();
    Task second([] {});
    bool accepted = false;
    if (!WithoutMemoryAfter(n, failed,
                            [&] { accepted = pool.Schedule(second); })) {
      EXPECT_TRUE(pool.Schedule(second)) << "there is room for one";
    }
    go.Set();
  }
}

TEST(OutOfMemoryTest, OfManyTasksAllAreAcceptedOrNone) {
  bool failed = true;
  int failures = 0;
  for (int n = 0; failed; ++n) {
    std::atomic<int> ran{0};
    WorkerPool pool({.max_workers = 2});
    TaskQueue tasks;
    for (int i = 0; i < 200; ++i) tasks.Push(Task([&] { ++ran; }));
    bool accepted = false;
    if (!WithoutMemoryAfter(n, failed,
                            [&] { accepted = pool.ScheduleMany(tasks); })) {
      ++failures;
      ASSERT_EQ(tasks.size(), 200u);
      accepted = pool.ScheduleMany(tasks);
    }
    EXPECT_TRUE(accepted);
    EXPECT_TRUE(tasks.empty());
    pool.Shutdown();
    EXPECT_EQ(ran, 200);
  }
  EXPECT_GT(failures, 0);
}

TEST(OutOfMemoryTest, ATaskThatSchedulesKeepsWhatIsRefused) {
  bool failed = true;
  int failures = 0;
  for (int n = 0; failed; ++n) {
    std::atomic<int> ran{0};
    Event done;
    WorkerPool pool({.max_workers = 1});
    Task outer([&] {
      const absl::Cleanup at_end = [&] { done.Set(); };
      for (int i = 0; i < 200; ++i) {
        Task inner([&] { ++ran; });
        bool accepted = false;
        const auto schedule = [&] { accepted = pool.Schedule(inner); };
        if (i < 100) {
          schedule();
        } else if (!WithoutMemoryAfter(n, failed, schedule)) {
          ++failures;
          ASSERT_TRUE(inner);
          schedule();
        }
        ASSERT_TRUE(accepted);
      }
    });
    ASSERT_TRUE(pool.Schedule(outer));
    done.Wait();  // the end of acceptance is for its own tasks too
    pool.Shutdown();
    EXPECT_EQ(ran, 200);
  }
  EXPECT_GT(failures, 0);
}

TEST(OutOfMemoryTest, APoolStartsAllItsWorkersOrNone) {
  bool failed = true;
  int failures = 0;
  for (int n = 0; failed; ++n) {
    std::optional<WorkerPool> pool;
    if (!WithoutMemoryAfter(n, failed, [&] {
          pool.emplace(WorkerPool::Options{
              .max_workers = 4, .start = WorkerPool::StartPolicy::kAtOnce});
        })) {
      ++failures;
      EXPECT_FALSE(pool.has_value());
    }
  }
  EXPECT_GT(failures, 4);
}

TEST(OutOfMemoryTest, AskingAndEndingNeedNone) {
  WorkerPool pool({.max_workers = 1, .max_spares = 0});
  Event ran;
  Task first([&ran] { ran.Set(); });
  ASSERT_TRUE(pool.Schedule(first));
  ran.Wait();
  WaitUntil([&] { return pool.Stats().idle == 1; });
  bool failed = true;
  EXPECT_TRUE(WithoutMemoryAfter(0, failed, [&] {
    static_cast<void>(pool.IsWorkerHere());
    Close(pool, ShutdownMode::kDropQueued);
    pool.Join();
  }));
  EXPECT_FALSE(failed);
}

TEST(OutOfMemoryTest, AShutdownWithoutMemoryForTheNamesOfWhoIsBusyIsOne) {
  Event go;
  WorkerPool pool({.max_workers = 1});
  Event begun;
  Task busy([&] {
    begun.Set();
    go.Wait();
  });
  ASSERT_TRUE(pool.Schedule(busy));
  begun.Wait();
  bool failed = false;
  EXPECT_TRUE(WithoutMemoryAfter(0, failed, [&] { Close(pool); }));
  EXPECT_TRUE(failed) << "there is a name in the report";
  EXPECT_TRUE(pool.IsShutDown());
  go.Set();
  EXPECT_TRUE(pool.Join());
}

}  // namespace
}  // namespace heddle
#endif
