// A number of workers that is given is a promise, whatever tasks wait in: with
// one worker the next task begins when the last has ended, in their order. In
// all three classes, for each kind of wait that Heddle has.

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/futures/as_completed.h"
#include "heddle/futures/future.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/futures/wait.h"
#include "heddle/pool/blocking_region.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/task.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/select.h"
#include "heddle/sync/barrier.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/event.h"
#include "heddle/sync/latch.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

#ifdef ABSL_HAVE_EXCEPTIONS
namespace heddle {
namespace {

using testing::ElementsAre;

// Longer than a worker is blocked before it would be replaced.
const WaitLimit kWhile = absl::Milliseconds(3);

struct KindOfWait {
  std::string name;
  std::function<void()> wait;
};

// What another thread than the tasks' has, and does not give.
class Busy {
 public:
  Busy() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock.lock();
    rlock.lock();
    shared_lock.lock();
    full.Put(1);
    thread.Start();
  }
  ~Busy() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    shared_lock.unlock();
    rlock.unlock();
    lock.unlock();
    stop.Set();
    promise.SetResult(1);
  }

  Event event;
  Lock lock;
  RLock rlock;
  SharedLock shared_lock;
  Semaphore semaphore{0};
  Latch latch{1};
  Queue<int> empty;
  Queue<int> full{1};
  Promise<int> promise;
  std::vector<Future<int>> futures{promise.GetFuture()};
  Event stop;
  Thread thread{[this] { stop.Wait(); }};
};

// Each kind of wait, for what does not come.
std::vector<KindOfWait> Waits(Busy& busy) {
  return {
      {"Event", [&] { EXPECT_FALSE(busy.event.Wait(kWhile)); }},
      {"Lock", [&] { EXPECT_FALSE(busy.lock.try_lock_for(kWhile)); }},
      {"RLock", [&] { EXPECT_FALSE(busy.rlock.try_lock_for(kWhile)); }},
      {"SharedLock",
       [&] { EXPECT_FALSE(busy.shared_lock.try_lock_for(kWhile)); }},
      {"SharedLock, shared",
       [&] { EXPECT_FALSE(busy.shared_lock.try_lock_shared_for(kWhile)); }},
      {"Semaphore", [&] { EXPECT_FALSE(busy.semaphore.Acquire(kWhile)); }},
      {"Condition",
       []() ABSL_NO_THREAD_SAFETY_ANALYSIS {
         Condition condition;
         condition.lock();
         EXPECT_FALSE(condition.Wait(kWhile));
         condition.unlock();
       }},
      {"Barrier",
       [] {
         Barrier barrier(2);
         EXPECT_THROW(barrier.Wait(kWhile), BrokenBarrierError);
       }},
      {"Latch", [&] { EXPECT_FALSE(busy.latch.Wait(kWhile)); }},
      {"Queue::Get", [&] { EXPECT_FALSE(busy.empty.Get(kWhile)); }},
      {"Queue::Put", [&] { EXPECT_FALSE(busy.full.Put(2, kWhile)); }},
      {"Queue::Join", [&] { EXPECT_FALSE(busy.full.Join(kWhile)); }},
      {"SelectGet",
       [&] { EXPECT_FALSE(SelectGet(busy.empty, busy.event, kWhile)); }},
      {"Future::Wait", [&] { EXPECT_FALSE(busy.futures[0].Wait(kWhile)); }},
      {"Future::Result",
       [&] { EXPECT_THROW(busy.futures[0].Result(kWhile), TimeoutError); }},
      {"Wait",
       [&] {
         EXPECT_FALSE(
             Wait(busy.futures, ReturnWhen::kAllCompleted, kWhile).done.size());
       }},
      {"AsCompleted",
       [&] {
         EXPECT_THROW(
             {
               for (auto& future : AsCompleted(busy.futures, kWhile))
                 ADD_FAILURE() << future.Result();
             },
             TimeoutError);
       }},
      {"Thread::Join", [&] { EXPECT_FALSE(busy.thread.Join(kWhile)); }},
      {"BlockingRegion",
       [&] {
         const BlockingRegion region;
         EXPECT_FALSE(busy.event.Wait(kWhile));
       }},
  };
}

// Runs `schedule(task)` for some tasks that wait, and `end()`; they must not have
// met, and begin in their order.
template <typename Schedule, typename End>
void ExpectSerial(const KindOfWait& kind, Schedule schedule, End end) {
  SCOPED_TRACE(kind.name);
  // Plain: in one worker nothing needs a lock.
  std::vector<int> begun;
  int inside = 0;
  int most_inside = 0;
  for (int i = 0; i < 4; ++i) {
    schedule([&, i] {
      begun.push_back(i);
      most_inside = std::max(most_inside, ++inside);
      kind.wait();
      --inside;
    });
  }
  end();
  EXPECT_EQ(most_inside, 1);
  EXPECT_THAT(begun, ElementsAre(0, 1, 2, 3));
}

TEST(SerialTest, AWorkerPoolOfOne) {
  Busy busy;
  for (const KindOfWait& kind : Waits(busy)) {
    for (const auto order :
         {WorkerPool::Order::kNewestFirst, WorkerPool::Order::kOldestFirst}) {
      WorkerPool pool({.max_workers = 1, .order = order});
      ExpectSerial(
          kind,
          [&](auto function) {
            Task task(function);
            ASSERT_TRUE(pool.Schedule(task));
          },
          [&] { pool.Shutdown(); });
    }
  }
}

TEST(SerialTest, AThreadPoolOfOne) {
  Busy busy;
  for (const KindOfWait& kind : Waits(busy)) {
    ThreadPool pool(1);
    ExpectSerial(
        kind, [&](auto function) { pool.ApplyAsync(function); },
        [&] {
          pool.Close();
          pool.Join();
        });
  }
}

TEST(SerialTest, AThreadPoolExecutorOfOne) {
  Busy busy;
  for (const KindOfWait& kind : Waits(busy)) {
    ThreadPoolExecutor executor(1);
    ExpectSerial(
        kind, [&](auto function) { executor.Submit(function); },
        [&] { executor.Shutdown(); });
  }
}

// A number of spares that is given is taken, whether workers are given or not.
TEST(SerialTest, SparesAreThereWhereTheyAreAskedFor) {
  const auto expect_spares = [](auto schedule) {
    Event event;
    schedule([&] { event.Wait(); });
    schedule([&] { event.Set(); });
    EXPECT_TRUE(event.Wait(absl::Seconds(60)));
  };
  {
    WorkerPool pool({.max_workers = 1, .max_spares = 1});
    expect_spares([&](auto function) {
      Task task(function);
      ASSERT_TRUE(pool.Schedule(task));
    });
    pool.Shutdown();
  }
  {
    ThreadPool pool({.workers = 1, .max_spares = 1});
    expect_spares([&](auto function) { pool.ApplyAsync(function); });
    pool.Close();
    pool.Join();
  }
  {
    ThreadPoolExecutor executor({.max_workers = 1, .max_spares = 1});
    expect_spares([&](auto function) { executor.Submit(function); });
    executor.Shutdown();
  }
}

TEST(SerialTest, NoSparesAreLessThanNone) {
  EXPECT_THROW(WorkerPool({.max_spares = -1}), std::invalid_argument);
  EXPECT_THROW(ThreadPool({.max_spares = -1}), std::invalid_argument);
  EXPECT_THROW(ThreadPoolExecutor({.max_spares = -1}), std::invalid_argument);
}

}  // namespace
}  // namespace heddle
#endif  // ABSL_HAVE_EXCEPTIONS
