// Models of results: who gives one against who waits, cancels, adds a callback,
// drops the last handle, or watches several.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/futures/future.h"
#include "heddle/futures/internal/completions.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/wait.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/fork.h"
#include "heddle/pool/internal/result_handle.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using internal::Var;

// A task and the future of its result: a Submit() without an executor.
template <typename Callable>
struct Submitted {
  using T = std::invoke_result_t<Callable&>;

  explicit Submitted(Callable callable)
      : Submitted(
            pool_internal::MakeInBlock<pool_internal::ResultTask<T, Callable>>(
                std::move(callable))) {}

  Task task;
  Future<T> future;

 private:
  explicit Submitted(pool_internal::ResultTask<T, Callable>* state)
      : task(state), future(state) {}
};

// A result that tells when it goes.
struct Mortal {
  explicit Mortal(int number) : value(number) {}
  ~Mortal() { value = 0; }

  Var<int> value;
};

TEST(FutureModel, WhoWaitsIsWokenAndSeesWhatWasDone) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Var<int> data = 0;
    Submitted submitted([&] {
      data = 1;
      return 7;
    });
    run.Run([&] { std::move(submitted.task).Run(); },
            [&] {
              explore::Check(submitted.future.Result() == 7);
              explore::Check(data == 1);
            });
  }));
}

TEST(FutureModel, WhatIsDoneWithoutAWaitIsSeenToo) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Var<int> data = 0;
    Submitted submitted([&] {
      data = 1;
      return 7;
    });
    run.Run([&] { std::move(submitted.task).Run(); },
            [&] {
              if (submitted.future.Done()) explore::Check(data == 1);
            });
  }));
}

TEST(FutureModel, ATaskRunsOrIsCancelled) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Var<int> ran = 0;
    Submitted submitted([&] { return ++ran; });
    bool cancelled = false;
    run.Run([&] { std::move(submitted.task).Run(); },
            [&] { cancelled = submitted.future.Cancel(); });
    explore::Check(submitted.future.Done());
    explore::Check(submitted.future.Cancelled() == cancelled);
    explore::Check(ran == (cancelled ? 0 : 1));
  }));
}

TEST(FutureModel, TheLastHandleGoesWhileItEnds) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Submitted submitted([] { return 7; });
    run.Run([&] { std::move(submitted.task).Run(); },
            [&] { submitted.future = Future<int>(); });
  }));
}

TEST(FutureModel, TheResultGoesWithTheLastHandleNotWithOneOfTwo) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Submitted submitted([] { return Mortal(7); });
    Future<Mortal> first = std::move(submitted.future);
    Future<Mortal> second = first;
    const auto use = [](Future<Mortal>& future) {
      explore::Check(future.Result().value == 7);
      future = Future<Mortal>();
    };
    std::move(submitted.task).Run();
    run.Run([&] { use(first); }, [&] { use(second); });
  }));
}

TEST(FutureModel, ACallbackFindsTheResultThoughTheLastHandleGoes) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Submitted submitted([] { return Mortal(7); });
    Var<int> seen = 0;
    submitted.future.AddDoneCallback(
        [&](const Future<Mortal>& future) { seen = future.Result().value; });
    run.Run([&] { std::move(submitted.task).Run(); },
            [&] { submitted.future = Future<Mortal>(); });
    explore::Check(seen == 7);
  }));
}

// Who cancels and who drops the task both call what is left of it.
TEST(FutureModel, TheLastHandleGoesWhileTheTaskIsDropped) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Submitted submitted([] { return 7; });
    internal::Atomic<int> called{0};
    submitted.future.AddDoneCallback([&](const Future<int>&) {
      called.fetch_add(1, std::memory_order_relaxed);
    });
    run.Run(
        [&] {
          explore::Check(submitted.future.Cancel());
          submitted.future = Future<int>();
        },
        [&] { submitted.task = Task(); });
    explore::Check(called.load(std::memory_order_relaxed) == 1);
  }));
}

// One has waited in vain, so that there might be somebody to tell.
TEST(FutureModel, WhoFindsAPromiseDoneMayDestroyIt) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    std::optional<Promise<int>> promise(std::in_place);
    Promise<int>* const setter = &*promise;
    Future<int> future = promise->GetFuture();
    explore::Check(!future.Wait(absl::ZeroDuration()));
    run.Run([&] { setter->SetResult(7); },
            [&] {
              if (!future.Done()) return;
              future = Future<int>();
              promise.reset();
            });
  }));
}

TEST(FutureModel, WhoFindsAPromiseFailedMayDestroyIt) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    std::optional<Promise<int>> promise(std::in_place);
    Promise<int>* const setter = &*promise;
    Future<int> future = promise->GetFuture();
    explore::Check(!future.Wait(absl::ZeroDuration()));
    const auto error = std::make_exception_ptr(7);
    run.Run([&] { setter->SetException(error); },
            [&] {
              if (!future.Done()) return;
              future = Future<int>();
              promise.reset();
            });
  }));
}

// Dropped for a reason, the task leaves nothing: neither its memory nor, when
// the news of it is there, what its callable held.
TEST(FutureModel, WhatADroppedTaskHeldIsGoneWithTheNews) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Var<int> held = 0;
    struct Holder {
      explicit Holder(Var<int>& count) : held(&count) { *held = *held + 1; }
      Holder(Holder&& other) noexcept
          : held(std::exchange(other.held, nullptr)) {}
      ~Holder() {
        if (held != nullptr) *held = *held - 1;
      }
      Var<int>* held;
    };
    Submitted submitted([holder = Holder(held)] { return 7; });
    run.Run([&] { std::move(submitted.task).Drop(std::make_exception_ptr(7)); },
            [&] {
              submitted.future.Wait();
              explore::Check(!submitted.future.Cancelled());
              explore::Check(held == 0);
              submitted.future = Future<int>();
            });
  }));
}

TEST(FutureModel, ACallbackIsCalledOnceWhoeverComesFirst) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Promise<int> promise;
    const Future<int> future = promise.GetFuture();
    internal::Atomic<int> called{0};
    run.Run([&] { promise.SetResult(7); },
            [&] {
              future.AddDoneCallback([&](const Future<int>& done) {
                explore::Check(done.Result() == 7);
                called.fetch_add(1, std::memory_order_relaxed);
              });
            });
    explore::Check(called.load(std::memory_order_relaxed) == 1);
  }));
}

TEST(FutureModel, CallbacksOfTwoThreadsAreBothCalled) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Promise<int> promise;
    const Future<int> future = promise.GetFuture();
    internal::Atomic<int> called{0};
    const auto add = [&] {
      future.AddDoneCallback([&](const Future<int>&) {
        called.fetch_add(1, std::memory_order_relaxed);
      });
    };
    run.Run([&] { promise.SetResult(7); }, add, add);
    explore::Check(called.load(std::memory_order_relaxed) == 2);
  }));
}

TEST(FutureModel, OfTwoWhoSetAPromiseOneIsRefused) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Promise<int> promise;
    const Future<int> future = promise.GetFuture();
    internal::Atomic<int> refused{0};
    const auto set = [&] {
      try {
        promise.SetResult(7);
      } catch (const InvalidStateError&) {
        refused.fetch_add(1, std::memory_order_relaxed);
      }
    };
    run.Run(set, set);
    explore::Check(refused.load(std::memory_order_relaxed) == 1);
    explore::Check(future.Result() == 7);
  }));
}

// Of two who set a promise, whoever makes the result first fails.
template <typename Begin>
bool WhoSetsItAfterAFailureComesAfterIt(Begin begin) {
  struct Second {
    explicit Second(Var<int>& tried) {
      tried = tried + 1;  // as if it were a part of this
      if (tried == 1) throw std::runtime_error("the first");
    }
  };
  return Holds(3, [&](Execution& run) {
    Promise<Second> promise;
    const Future<Second> future = promise.GetFuture();
    begin(promise);
    Var<int> tried = 0;
    internal::Atomic<int> failed{0};
    internal::Atomic<int> refused{0};
    const auto set = [&] {
      try {
        promise.SetResult(tried);
      } catch (const InvalidStateError&) {
        refused.fetch_add(1, std::memory_order_relaxed);
      } catch (const std::runtime_error&) {
        failed.fetch_add(1, std::memory_order_relaxed);
      }
    };
    run.Run(set, set);
    explore::Check(failed.load(std::memory_order_relaxed) == 1);
    explore::Check(future.Done() ==
                   (refused.load(std::memory_order_relaxed) == 0));
  });
}

TEST(FutureModel, WhoSetsAPromiseAfterAFailureComesAfterIt) {
  EXPECT_TRUE(WhoSetsItAfterAFailureComesAfterIt([](auto& /*promise*/) {}));
}

TEST(FutureModel, WhoSetsARunningPromiseAfterAFailureComesAfterIt) {
  EXPECT_TRUE(WhoSetsItAfterAFailureComesAfterIt(
      [](auto& promise) { promise.SetRunningOrNotifyCancel(); }));
}

TEST(FutureModel, APromiseIsRunningOrCancelled) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Promise<int> promise;
    const Future<int> future = promise.GetFuture();
    bool cancelled = false;
    bool began = false;
    run.Run([&] { cancelled = future.Cancel(); },
            [&] {
              began = promise.SetRunningOrNotifyCancel();
              if (began) promise.SetResult(7);
            });
    explore::Check(began != cancelled);
    explore::Check(future.Done() && future.Cancelled() == cancelled);
  }));
}

TEST(FutureModel, WhoWaitsForTheFirstOfTwoIsToldOfIt) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Promise<int> a;
    Promise<int> b;
    const std::vector<Future<int>> futures = {a.GetFuture(), b.GetFuture()};
    run.Run([&] { a.SetResult(1); },
            [&] {
              const auto [done, not_done] =
                  Wait(futures, ReturnWhen::kFirstCompleted);
              explore::Check(done.size() == 1 && done[0].Result() == 1);
            });
    b.SetResult(2);
  }));
}

TEST(FutureModel, OfTwoResultsBothAreToldOf) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Promise<int> a;
    Promise<int> b;
    futures_internal::Completions completions(
        {pool_internal::ResultAccess::StateOf(a.GetFuture()),
         pool_internal::ResultAccess::StateOf(b.GetFuture())});
    run.Run(
        [&] {
          a.SetResult(1);
          b.SetResult(2);
        },
        [&] {
          const WaitLimit limit = WaitLimit().Started();
          explore::Check(completions.Next(limit) == size_t{0});
          explore::Check(completions.Next(limit) == size_t{1});
        });
  }));
}

TEST(FutureModel, WhoWatchesMayGoWhileAResultComes) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Promise<int> promise;
    const Future<int> future = promise.GetFuture();
    run.Run([&] { promise.SetResult(7); },
            [&] {
              const futures_internal::Completions completions(
                  {pool_internal::ResultAccess::StateOf(future)});
            });
  }));
}

TEST(FutureModel, OfTwoTasksThatWaitForEachOtherOneIsToldSo) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    std::optional<Future<int>> futures[2];
    internal::Atomic<int> told{0};
    const auto wait_for = [&](int i) {
      try {
        return futures[i]->Result();
      } catch (const DeadlockError&) {
        told.fetch_add(1, std::memory_order_relaxed);
        return 7;
      }
    };
    Submitted a([&] { return wait_for(1); });
    Submitted b([&] { return wait_for(0); });
    futures[0] = a.future;
    futures[1] = b.future;
    run.Run([&] { std::move(a.task).Run(); }, [&] { std::move(b.task).Run(); });
    explore::Check(told.load(std::memory_order_relaxed) == 1);
    explore::Check(a.future.Result() == 7 && b.future.Result() == 7);
  }));
}

// A fork that another took waits for the task whose fork it is. The task's wait
// for the fork may close the ring, and cannot end by an error.
TEST(FutureModel, InARingThroughAForkOneIsToldSo) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    std::optional<Future<int>> future;
    internal::Atomic<int> told{0};
    auto wait = [&] {
      try {
        future->Wait();
      } catch (const DeadlockError&) {
        told.fetch_add(1, std::memory_order_relaxed);
      }
    };
    pool_internal::ForkOf<decltype(wait)> fork(wait);
    Submitted task([&] {
      fork.Wait();
      return 7;
    });
    future = task.future;
    run.Run([&] { std::move(task.task).Run(); }, [&] { Task(&fork).Run(); });
    explore::Check(told.load(std::memory_order_relaxed) == 1);
    explore::Check(future->Result() == 7);
  }));
}

// In a worker, who waits for the first of several runs what is queued of them.
TEST(FutureModel, WhoWaitsForTheFirstMakesItUnlessAnotherDoes) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    constexpr uint64_t kPool = 7;
    const Promise<int> never;
    Var<int> ran = 0;
    Submitted submitted([&]() -> int { return ++ran; });
    submitted.task.set_pool(kPool);
    const std::vector<Future<int>> futures = {never.GetFuture(),
                                              submitted.future};
    run.Run([&] { std::move(submitted.task).Run(); },
            [&] {
              internal::ThisThread().pool = kPool;
              const auto [done, not_done] =
                  Wait(futures, ReturnWhen::kFirstCompleted);
              internal::ThisThread().pool = 0;
              explore::Check(done.size() == 1 && done[0].Result() == 1);
            });
    explore::Check(ran == 1);
  }));
}

TEST(FutureModel, WhoWaitsForTheFirstMakesItIfNobodyElseDoes) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    constexpr uint64_t kPool = 7;
    const Promise<int> never;
    Submitted submitted([] { return 1; });
    submitted.task.set_pool(kPool);
    const std::vector<Future<int>> futures = {never.GetFuture(),
                                              submitted.future};
    run.Run([&] {
      internal::ThisThread().pool = kPool;
      const auto [done, not_done] = Wait(futures, ReturnWhen::kFirstCompleted);
      internal::ThisThread().pool = 0;
      explore::Check(done.size() == 1 && done[0].Result() == 1);
    });
    submitted.task = Task();
  }));
}

}  // namespace
}  // namespace heddle
