// Chains of any length: of callbacks that give the next result, of results that
// hold the next future, of tasks that wait for the next. In little stack.

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/futures/as_completed.h"
#include "heddle/futures/future.h"
#include "heddle/futures/inline_executor.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/promise.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/futures/wait.h"
#include "heddle/pool/errors.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/this_thread.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
constexpr size_t kLength = 100'000;
constexpr size_t kWaits = 5'000;
#else
constexpr size_t kLength = 1'000'000;
constexpr size_t kWaits = 50'000;
#endif
constexpr size_t kLittleStack = 65536;

// In a thread with little stack.
template <typename Body>
void WithLittleStack(Body body) {
  Thread thread({.stack_size = kLittleStack}, body);
  thread.Start();
  thread.Join();
}

// --- What comes of a result -----------------------------------------------------

TEST(DepthTest, CallbacksMayGiveTheNextResult) {
  std::vector<Promise<size_t>> promises(kLength);
  for (size_t i = 0; i + 1 < kLength; ++i) {
    promises[i].GetFuture().AddDoneCallback(
        [&promises, i](const Future<size_t>& done) {
          promises[i + 1].SetResult(done.Result() + 1);
        });
  }
  WithLittleStack([&] { promises[0].SetResult(1); });
  EXPECT_EQ(promises.back().GetFuture().Result(), kLength);
}

TEST(DepthTest, CallbacksMayCancelTheNext) {
  std::vector<Promise<int>> promises(kLength);
  for (size_t i = 0; i + 1 < kLength; ++i) {
    promises[i].GetFuture().AddDoneCallback([&promises, i](const Future<int>&) {
      promises[i + 1].GetFuture().Cancel();
    });
  }
  WithLittleStack([&] { promises[0].GetFuture().Cancel(); });
  EXPECT_TRUE(promises.back().GetFuture().Cancelled());
}

TEST(DepthTest, CallbacksMayHoldTheNextPromise) {
  auto first = std::make_unique<Promise<int>>();
  const Future<int> last = [&] {
    Promise<int> next;
    Future<int> end = next.GetFuture();
    for (size_t i = 1; i < kLength; ++i) {
      Promise<int> promise;
      promise.GetFuture().AddDoneCallback(
          [next = std::move(next)](const Future<int>&) {});
      next = std::move(promise);
    }
    *first = std::move(next);
    return end;
  }();
  WithLittleStack([&] { first.reset(); });
  EXPECT_TRUE(last.Done());
}

TEST(DepthTest, CallbacksMayBeAddedByCallbacksOfWhatIsDone) {
  Promise<int> promise;
  promise.SetResult(1);
  const Future<int> done = promise.GetFuture();
  size_t called = 0;
  std::function<void(const Future<int>&)> again = [&](const Future<int>&) {
    if (++called < kLength) done.AddDoneCallback(again);
  };
  WithLittleStack([&] { done.AddDoneCallback(again); });
  EXPECT_EQ(called, kLength);
}

TEST(DepthTest, TasksRunInlineMayGiveTheNextResult) {
  InlineExecutor executor;
  std::vector<Promise<size_t>> promises(kLength);
  for (size_t i = 0; i + 1 < kLength; ++i) {
    promises[i].GetFuture().AddDoneCallback([&, i](const Future<size_t>& done) {
      executor.Submit([&promises, i, n = done.Result()] {
        promises[i + 1].SetResult(n + 1);
      });
    });
  }
  WithLittleStack([&] { promises[0].SetResult(1); });
  EXPECT_EQ(promises.back().GetFuture().Result(), kLength);
}

struct Link {
  std::optional<Future<Link>> next;
};

TEST(DepthTest, ResultsMayHoldTheNextFuture) {
  std::optional<Future<Link>> first;
  for (size_t i = 0; i < kLength; ++i) {
    Promise<Link> promise;
    promise.SetResult(Link{std::move(first)});
    first = promise.GetFuture();
  }
  WithLittleStack([&] { first.reset(); });
}

struct Failure : std::exception {
  explicit Failure(Future<int> cause) : next(std::move(cause)) {}
  Future<int> next;
};

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(DepthTest, ExceptionsMayHoldTheNextFuture) {
  Future<int> first;
  for (size_t i = 0; i < kLength / 10; ++i) {
    Promise<int> promise;
    promise.SetException(internal::MakeExceptionPtr(Failure(std::move(first))));
    first = promise.GetFuture();
  }
  WithLittleStack([&] { first = Future<int>(); });
}
#endif

struct CancelsNext {
  explicit CancelsNext(Future<void> future) : next(std::move(future)) {}
  CancelsNext(CancelsNext&&) = default;
  ~CancelsNext() {
    if (next.valid()) next.Cancel();
  }
  void operator()() const {}
  Future<void> next;
};

TEST(DepthTest, DestructorsMayCancelTheNext) {
  ManualExecutor executor;
  const Future<void> last = executor.Submit([] {});
  Future<void> first = last;
  for (size_t i = 1; i < kLength; ++i)
    first = executor.Submit(CancelsNext(std::move(first)));
  WithLittleStack([&] { first.Cancel(); });
  EXPECT_TRUE(last.Cancelled());
}

// Where it is told: future.h.
TEST(DepthTest, NestedCallbacksAreCalledBeforeSetResultReturnsUpToADepth) {
  constexpr size_t kPromises = 12;
  std::vector<Promise<void>> promises(kPromises);
  std::vector<bool> returned(kPromises, false);
  size_t before = 0;  // callbacks that ended before the one that caused them
  for (size_t i = 0; i + 1 < kPromises; ++i) {
    promises[i].GetFuture().AddDoneCallback([&, i](const Future<void>&) {
      promises[i + 1].SetResult();
      if (i + 2 < kPromises && returned[i + 1]) ++before;
      returned[i] = true;
    });
  }
  promises[0].SetResult();
  for (size_t i = 0; i + 1 < kPromises; ++i) EXPECT_TRUE(returned[i]) << i;
  EXPECT_GE(before, 7u);
  EXPECT_LT(before, kPromises - 2);
}

// --- Waits in place ---------------------------------------------------------------

class WaitDepthTest : public testing::Test {
 protected:
  WaitDepthTest() : before_(StackSize(kLittleStack)) {}
  ~WaitDepthTest() override { StackSize(before_); }

  // A chain of tasks of one worker, each of which waits for the next, which is
  // queued behind it: `wait` returns what it came to.
  template <typename WaitForIt>
  static size_t RunChain(size_t length, WaitForIt wait) {
    std::vector<Future<size_t>> futures(length);
    Event all_there;
    ThreadPoolExecutor executor(1);
    for (size_t i = 0; i < length; ++i) {
      futures[i] = executor.Submit([&, i]() -> size_t {
        all_there.Wait();
        return i + 1 < length ? wait(futures[i + 1]) + 1 : 1;
      });
    }
    all_there.Set();
    return futures[0].Result();
  }

 private:
  const size_t before_;
};

TEST_F(WaitDepthTest, ForAResult) {
  EXPECT_EQ(
      RunChain(kWaits, [](const Future<size_t>& f) { return f.Result(); }),
      kWaits);
}

TEST_F(WaitDepthTest, ForTheFirstOfSeveral) {
  EXPECT_EQ(RunChain(kWaits / 10,
                     [](const Future<size_t>& next) {
                       Promise<size_t> never;
                       const auto [done, not_done] = Wait(
                           std::vector<Future<size_t>>{never.GetFuture(), next},
                           ReturnWhen::kFirstCompleted);
                       return done[0].Result();
                     }),
            kWaits / 10);
}

TEST_F(WaitDepthTest, ForThoseThatAreCompleted) {
  EXPECT_EQ(RunChain(kWaits / 10,
                     [](const Future<size_t>& next) {
                       size_t sum = 0;
                       for (const auto& done :
                            AsCompleted(std::vector<Future<size_t>>{next}))
                         sum += done.Result();
                       return sum;
                     }),
            kWaits / 10);
}

}  // namespace
}  // namespace heddle
