// Whatever throws in an operation, an allocation or the copy, move or call of
// what is a user's: nothing is lost, run twice, leaked or ended by it. Each
// operation is tried with the first thing that may throw throwing, then the
// second, and so on, until none is left.

#include "absl/base/config.h"

#ifdef ABSL_HAVE_EXCEPTIONS
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <stop_token>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/futures/as_completed.h"
#include "heddle/futures/future.h"
#include "heddle/futures/inline_executor.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/wait.h"
#include "heddle/pool/async_result.h"
#include "heddle/pool/task.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/failing_new.h"

namespace heddle {
namespace {

using internal::FailAllocationAfter;
using internal::MayFail;
using internal::WithoutMemoryAfter;

// Its copies and moves may throw; counts those that live.
class Fragile {
 public:
  explicit Fragile(int number) : number_(number) { ++live; }
  Fragile(const Fragile& other) : number_(Copied(other)) { ++live; }
  Fragile(Fragile&& other)  // NOLINT: it throws, on purpose
      : number_(Copied(other)) {
    ++live;
  }
  Fragile& operator=(const Fragile&) = delete;
  ~Fragile() { --live; }

  int number() const { return number_; }

  static thread_local int live;

 private:
  static int Copied(const Fragile& other) {
    MayFail();
    return other.number_;
  }

  const int number_;
};
thread_local int Fragile::live = 0;

// A call of it may throw too.
struct FragileCall {
  Fragile operator()() const {
    MayFail();
    ++*runs;
    return Fragile(7);
  }
  Fragile held{1};
  int* runs;
};

// Calls `body(n)` for n = 0, 1, ... until it says that nothing failed any more.
template <typename Body>
void Sweep(Body body) {
  bool failed = true;
  int n = 0;
  for (; failed; ++n) {
    SCOPED_TRACE(n);
    failed = body(n);
    EXPECT_EQ(Fragile::live, 0);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(n, 1);
}

TEST(ThrowingTest, ATaskIsRefusedOrRunsOnceAndItsResultIsThere) {
  Sweep([](int n) {
    ManualExecutor executor;
    int runs = 0;
    bool failed = false;
    Future<Fragile> future;
    const FragileCall call{Fragile(1), &runs};
    const bool ok = WithoutMemoryAfter(n, failed, [&] {
      future = executor.Submit(
          [](const FragileCall& f, const Fragile&) { return f(); }, call,
          Fragile(2));
    });
    EXPECT_EQ(ok, executor.size() == 1u);
    EXPECT_EQ(ok, future.valid());
    executor.RunAll();
    EXPECT_EQ(runs, ok ? 1 : 0);
    if (ok) {
      EXPECT_EQ(future.Result().number(), 7);
    }
    return failed;
  });
}

// What stops it is made beside what is called.
TEST(ThrowingTest, ATaskThatTakesAStopTokenIsRefusedAsAWhole) {
  Sweep([](int n) {
    ManualExecutor executor;
    bool failed = false;
    Future<int> future;
    const bool ok = WithoutMemoryAfter(n, failed, [&] {
      future =
          executor.Submit([](const std::stop_token& /*token*/,
                             const Fragile& held) { return held.number(); },
                          Fragile(2));
    });
    EXPECT_EQ(ok, future.valid());
    executor.RunAll();
    if (ok) {
      EXPECT_EQ(future.Result(), 2);
    }
    return failed;
  });
}

TEST(ThrowingTest, WhatARunThrowsIsItsResult) {
  Sweep([](int n) {
    ManualExecutor executor;
    int runs = 0;
    bool failed = false;
    const Future<Fragile> future =
        executor.Submit(FragileCall{Fragile(1), &runs});
    EXPECT_TRUE(WithoutMemoryAfter(n, failed, [&] { executor.RunAll(); }));
    EXPECT_TRUE(future.Done());
    EXPECT_FALSE(future.Cancelled());
    if (failed) {
      EXPECT_THROW(future.Result(), std::bad_alloc);
    } else {
      EXPECT_EQ(future.Result().number(), 7);
    }
    return failed;
  });
}

TEST(ThrowingTest, AnInlineExecutorRefusesOrRuns) {
  Sweep([](int n) {
    InlineExecutor executor;
    int runs = 0;
    bool failed = false;
    Future<Fragile> future;
    const bool ok = WithoutMemoryAfter(n, failed, [&] {
      future = executor.Submit(FragileCall{Fragile(1), &runs});
    });
    EXPECT_EQ(ok, future.valid());
    if (ok && failed) {
      EXPECT_THROW(future.Result(), std::bad_alloc);
    } else if (ok) {
      EXPECT_EQ(runs, 1);
    }
    EXPECT_TRUE(executor.Shutdown()) << "nothing runs any more";
    return failed;
  });
}

TEST(ThrowingTest, APlainTaskIsRefusedOrRuns) {
  SetExceptHook([](const ExceptHookArgs&) {});
  Sweep([](int n) {
    ManualExecutor executor;
    int runs = 0;
    bool failed = false;
    const FragileCall call{Fragile(1), &runs};
    const bool ok =
        WithoutMemoryAfter(n, failed, [&] { executor.Schedule(Task(call)); });
    EXPECT_EQ(ok, executor.size() == 1u);
    executor.RunAll();
    EXPECT_EQ(runs, ok ? 1 : 0);
    return failed;
  });
  SetExceptHook({});
}

TEST(ThrowingTest, ACallbackIsAddedOrItIsNot) {
  for (const bool done : {false, true}) {
    Sweep([done](int n) {
      Promise<int> promise;
      if (done) promise.SetResult(1);
      int called = 0;
      bool failed = false;
      const Future<int> future = promise.GetFuture();
      const auto callback = [&called, held = Fragile(1)](const Future<int>&) {
        ++called;
      };
      const bool ok = WithoutMemoryAfter(
          n, failed, [&] { future.AddDoneCallback(callback); });
      if (!done) promise.SetResult(1);
      EXPECT_EQ(called, ok ? 1 : 0);
      return failed;
    });
  }
}

TEST(ThrowingTest, APromiseIsGivenItsResultOrIsAsItWas) {
  Sweep([](int n) {
    Promise<Fragile> promise;
    const Fragile result(7);
    bool failed = false;
    const bool ok =
        WithoutMemoryAfter(n, failed, [&] { promise.SetResult(result); });
    EXPECT_EQ(promise.GetFuture().Done(), ok);
    if (!ok) promise.SetResult(8);
    EXPECT_EQ(promise.GetFuture().Result().number(), ok ? 7 : 8);
    return failed;
  });
}

TEST(ThrowingTest, APromiseIsBrokenOrCancelledWhereThereIsNoMemory) {
  Sweep([](int n) {
    auto promise = std::make_unique<Promise<Fragile>>();
    const Future<Fragile> future = promise->GetFuture();
    bool failed = false;
    EXPECT_TRUE(WithoutMemoryAfter(n, failed, [&] { promise.reset(); }));
    EXPECT_TRUE(future.Done());
    return failed;
  });
}

TEST(ThrowingTest, AResultThatCannotBeMovedOutIsStillThere) {
  Sweep([](int n) {
    Promise<Fragile> promise;
    promise.SetResult(7);
    Future<Fragile> future = promise.GetFuture();
    bool failed = false;
    WithoutMemoryAfter(
        n, failed, [&] { EXPECT_EQ(std::move(future).Result().number(), 7); });
    EXPECT_EQ(future.Result().number(), 7);
    return failed;
  });
}

TEST(ThrowingTest, WhoWatchesSeveralWatchesAllOrNone) {
  Sweep([](int n) {
    std::vector<Promise<int>> promises(3);
    std::vector<Future<int>> futures;
    for (Promise<int>& promise : promises)
      futures.push_back(promise.GetFuture());
    promises[1].SetResult(1);
    bool failed = false;
    bool ok = WithoutMemoryAfter(n, failed, [&] {
      const auto [done, not_done] =
          Wait(futures, ReturnWhen::kFirstException, absl::ZeroDuration());
      EXPECT_EQ(done.size(), 1u);
      EXPECT_EQ(not_done.size(), 2u);
    });
    if (ok) {
      FailAllocationAfter(-1);
      bool second = false;
      WithoutMemoryAfter(n, second, [&] {
        auto completed = AsCompleted(futures);
        EXPECT_EQ(completed.begin()->Result(), 1);
      });
      failed = failed || second;
    }
    for (int i : {0, 2}) promises[static_cast<size_t>(i)].SetResult(i);
    for (const Future<int>& future : futures) EXPECT_TRUE(future.Done());
    return failed;
  });
}

TEST(ThrowingTest, ACallWhoseCallbackCannotBeMovedLeavesNothingBehind) {
  struct Callback {
    Callback() = default;
    Callback(const Callback& /*other*/) { MayFail(); }
    Callback& operator=(const Callback&) = delete;
    void operator()() const {}
  };
  Sweep([](int n) {
    ThreadPool pool(1);
    const auto held = std::make_shared<int>(1);
    bool failed = false;
    const bool ok = WithoutMemoryAfter(n, failed, [&] {
      pool.ApplyAsync(
              Callbacks<Callback>{Callback()},
              [](const std::shared_ptr<int>& /*held*/) {}, held)
          .Wait();
    });
    EXPECT_NE(ok, failed);
    EXPECT_EQ(held.use_count(), 1);
    return failed;
  });
}

// In the pool's worker the first thing that may throw, the second, ... does.
TEST(ThrowingTest, ACallInAPoolEndsAndTellsItsCallback) {
  SetExceptHook([](const ExceptHookArgs&) {});
  for (const bool in_worker : {false, true}) {
    bool failed = true;
    for (int n = 0; failed; ++n) {
      SCOPED_TRACE(n);
      ThreadPool pool(1);
      int told = 0;
      bool worker_failed = false;
      const auto on_result = [&](const Fragile& result) {
        const Fragile copy = result;
        told += copy.number();
      };
      const auto on_error = [&](const std::exception_ptr&) { told = -1; };
      const auto call = [n, in_worker] {
        if (in_worker) FailAllocationAfter(n);
        MayFail();
        const Fragile result(7);
        return Fragile(result);
      };
      failed = false;
      AsyncResult<Fragile> result;
      const bool ok = WithoutMemoryAfter(in_worker ? -1 : n, failed, [&] {
        result = pool.ApplyAsync(Callbacks{on_result, on_error}, call);
      });
      if (in_worker) {
        failed = false;
        result.Wait();
        pool.Apply([&] {
          worker_failed = !internal::FailureIsAhead();
          FailAllocationAfter(-1);
        });
        failed = worker_failed;
      }
      if (ok) {
        result.Wait();
        if (result.Successful()) {
          EXPECT_EQ(result.Get().number(), 7);
          EXPECT_TRUE(told == 7 || (failed && told == 0));
        } else {
          EXPECT_EQ(told, -1);
        }
      }
      ASSERT_LT(n, 200);
    }
  }
  SetExceptHook({});
}

}  // namespace
}  // namespace heddle
#endif
