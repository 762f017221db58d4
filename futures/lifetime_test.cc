// Promises, futures and executors may be destroyed as soon as their owner knows
// that what they are for is over, while the thread that ended it may still be in
// its call. For AddressSanitizer and ThreadSanitizer above all.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/futures/as_completed.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/future.h"
#include "heddle/futures/inline_executor.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/futures/wait.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace {

using internal::RunConcurrently;

constexpr int kIterations = 2000;

// --- Promises ----------------------------------------------------------------

// How the owner learns that the result is there.
using Learn = void (*)(const Future<int>& future);

void Poll(const Future<int>& future) {
  while (!future.Done()) {
  }
}
void PollByShortWaits(const Future<int>& future) {
  while (!future.Wait(absl::Microseconds(1))) {
  }
}
void WaitForIt(const Future<int>& future) { future.Wait(); }
void WaitForTheFirst(const Future<int>& future) {
  Wait(std::vector<Future<int>>{future}, ReturnWhen::kFirstCompleted);
}
void TakeAsCompleted(const Future<int>& future) {
  for (const Future<int>& done : AsCompleted(std::vector<Future<int>>{future}))
    EXPECT_TRUE(done.Done());
}
void BeCalledBack(const Future<int>& future) {
  Event called;
  future.AddDoneCallback([&called](const Future<int>&) { called.Set(); });
  called.Wait();
}

struct Subject {
  Promise<int> promise;
  Future<int> future = promise.GetFuture();
};

// `end` ends the promise's future, and the owner destroys the promise and its
// future as soon as it knows. One that waited before has left a note that there
// may be somebody to tell.
void OwnerEndsPromise(const std::function<void(Subject&)>& end, Learn learn) {
  std::atomic<Subject*> current{nullptr};
  RunConcurrently(
      kIterations,
      [&] {
        Subject* subject;
        while ((subject = current.exchange(nullptr)) == nullptr) {
        }
        end(*subject);
      },
      [&] {
        auto subject = std::make_unique<Subject>();
        EXPECT_FALSE(subject->future.Wait(absl::ZeroDuration()));
        current.store(subject.get());
        learn(subject->future);
        subject.reset();
      });
}

class PromiseLifetimeTest : public testing::TestWithParam<Learn> {};

TEST_P(PromiseLifetimeTest, ByOneWhoSeesTheResult) {
  OwnerEndsPromise([](Subject& subject) { subject.promise.SetResult(1); },
                   GetParam());
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST_P(PromiseLifetimeTest, ByOneWhoSeesTheException) {
  const auto error = internal::MakeExceptionPtr(std::runtime_error("no disk"));
  OwnerEndsPromise(
      [&](Subject& subject) { subject.promise.SetException(error); },
      GetParam());
}
#endif

TEST_P(PromiseLifetimeTest, ByOneWhoSeesTheCancellation) {
  OwnerEndsPromise([](Subject& subject) { subject.future.Cancel(); },
                   GetParam());
}

INSTANTIATE_TEST_SUITE_P(Owner, PromiseLifetimeTest,
                         testing::Values(Poll, PollByShortWaits, WaitForIt,
                                         WaitForTheFirst, TakeAsCompleted,
                                         BeCalledBack));

// The promise is gone: its end is what the others see.
TEST(PromiseLifetimeTest, TheLastFutureGoesWithThePromise) {
  std::atomic<Promise<int>*> current{nullptr};
  RunConcurrently(
      kIterations,
      [&] {
        Promise<int>* promise;
        while ((promise = current.exchange(nullptr)) == nullptr) {
        }
        delete promise;
      },
      [&] {
        auto promise = std::make_unique<Promise<int>>();
        Future<int> future = promise->GetFuture();
        current.store(promise.release());
        Poll(future);
        future = Future<int>();
      });
}

// --- Futures -----------------------------------------------------------------

// Those who watch several leave at any time, those who wait for one likewise,
// and the last handle goes. (What AsCompleted() throws, then, would end a program
// without exceptions.)
#ifdef ABSL_HAVE_EXCEPTIONS
TEST(FutureLifetimeTest, WhoWatchesLeavesWhileResultsCome) {
  ThreadPoolExecutor executor(2);
  for (int i = 0; i < kIterations; ++i) {
    std::vector<Future<std::unique_ptr<int>>> futures;
    for (int n = 0; n < 3; ++n) {
      futures.push_back(
          executor.Submit([n] { return std::make_unique<int>(n); }));
    }
    const absl::Duration limit = absl::Nanoseconds(i % 20 * 100);
    if (i % 2 == 0) {
      Wait(futures, ReturnWhen::kFirstException, limit);
    } else {
      auto completed = AsCompleted(futures, limit);
      static_cast<void>(internal::CatchAll([&] { completed.begin(); }));
    }
    futures.clear();
  }
}
#endif

// --- Executors ---------------------------------------------------------------

template <typename T>
class ExecutorLifetimeTest : public testing::Test {};
using Executors =
    testing::Types<ThreadPoolExecutor, InlineExecutor, ManualExecutor>;
TYPED_TEST_SUITE(ExecutorLifetimeTest, Executors);

// Has what was submitted run, where that takes a call; the others may have gone.
template <typename T>
void RunAllOf(T* executor) {
  if constexpr (std::is_same_v<T, ManualExecutor>) executor->RunAll();
}

TYPED_TEST(ExecutorLifetimeTest, ByItsLastTask) {
  for (int i = 0; i < kIterations / 10; ++i) {
    auto* const executor = new TypeParam;
    Event ended;
    executor->Submit([&, executor] {
      delete executor;
      ended.Set();
    });
    RunAllOf<TypeParam>(executor);
    ended.Wait();
  }
}

TYPED_TEST(ExecutorLifetimeTest, ByTheCallbackOfItsLastFuture) {
  for (int i = 0; i < kIterations / 10; ++i) {
    auto* const executor = new TypeParam;
    Promise<void> promise;
    Event ended;
    // Of a future that the task gives, so that it is there before the task.
    promise.GetFuture().AddDoneCallback([&, executor](const Future<void>&) {
      delete executor;
      ended.Set();
    });
    executor->Submit([&promise] { promise.SetResult(); });
    RunAllOf<TypeParam>(executor);
    ended.Wait();
  }
}

// Another thread has seen what the task did, and its Submit() has not returned.
TYPED_TEST(ExecutorLifetimeTest, ByOneWhoSeesTheResultOfItsLastTask) {
  std::atomic<TypeParam*> current{nullptr};
  std::atomic<Promise<void>*> result{nullptr};
  RunConcurrently(
      kIterations / 4,
      [&] {
        TypeParam* executor;
        while ((executor = current.exchange(nullptr)) == nullptr) {
        }
        Promise<void>* const promise = result.load();
        executor->Submit([promise] { promise->SetResult(); });
        RunAllOf<TypeParam>(executor);
      },
      [&] {
        auto executor = std::make_unique<TypeParam>();
        Promise<void> promise;
        const Future<void> future = promise.GetFuture();
        result.store(&promise);
        current.store(executor.get());
        future.Wait();
        executor.reset();
      });
}

// What the end drops tells callbacks, and those schedule more: refused.
#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ManualExecutorLifetimeTest, ItsEndRefusesWhatItsEndBringsAbout) {
  auto executor = std::make_unique<ManualExecutor>();
  ManualExecutor* const raw = executor.get();
  int refused = 0;
  for (int i = 0; i < 3; ++i) {
    executor->Submit([] {}).AddDoneCallback([&](const Future<void>& done) {
      EXPECT_TRUE(done.Cancelled());
      if (internal::CatchAll([&] { raw->Submit([] {}); }) != nullptr) ++refused;
    });
  }
  executor.reset();
  EXPECT_EQ(refused, 3);
}
#endif

}  // namespace
}  // namespace heddle
