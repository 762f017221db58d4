#include "heddle/futures/future.h"

#include <any>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/cleanup/cleanup.h"
#include "absl/hash/hash_testing.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/manual_executor.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/errors.h"
#include "heddle/sync/event.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using ::testing::Pointee;

const int kSeven = 7;

TEST(FutureTest, HandlesMayBeInSets) {
  ManualExecutor executor;
  const Future<int> a = executor.Submit([] { return 1; });
  const Future<int> b = executor.Submit([] { return 2; });
  EXPECT_EQ((std::set<Future<int>>{a, b, Future<int>(a)}).size(), 2u);
  EXPECT_EQ((std::unordered_set<Future<int>>{a, b, Future<int>(a)}).size(), 2u);
}

// What a call returns by rvalue reference lives in what it was called with.
TEST(FutureTest, RvaluesAreKeptAsValuesAndConstantsMoveOut) {
  ManualExecutor executor;
  const std::string text(100, 'x');
  const Future<std::string> rvalue = executor.Submit(
      [](std::string&& s) -> std::string&& { return std::move(s); }, text);
  Future<const std::unique_ptr<int>> constant = executor.Submit(
      []() -> const std::unique_ptr<int> { return std::make_unique<int>(7); });
  executor.RunAll();
  EXPECT_EQ(rvalue.Result(), text);
  EXPECT_EQ(*std::move(constant).Result(), 7);
}

TEST(FutureTest, DefaultMadeHandleIsNotValid) {
  EXPECT_FALSE(Future<int>().valid());
}

TEST(FutureTest, StatesOfAFutureThatRuns) {
  ManualExecutor executor;
  std::optional<Future<int>> future;
  bool running_inside = false;
  future = executor.Submit([&] {
    running_inside = future->Running() && !future->Done() && !future->Cancel();
    return 7;
  });
  EXPECT_TRUE(future->valid());
  EXPECT_FALSE(future->Running());
  EXPECT_FALSE(future->Done());
  executor.RunAll();
  EXPECT_TRUE(running_inside);
  EXPECT_FALSE(future->Running());
  EXPECT_TRUE(future->Done());
  EXPECT_FALSE(future->Cancelled());
  EXPECT_FALSE(future->Cancel());
  EXPECT_EQ(future->Result(), 7);
}

TEST(FutureTest, ResultMayBeAskedAgainAndByEveryHandle) {
  ManualExecutor executor;
  const Future<std::string> first =
      executor.Submit([] { return std::string("once"); });
  const Future<std::string> second = first;
  executor.RunAll();
  EXPECT_EQ(&first.Result(), &second.Result());
  EXPECT_EQ(first.Result(), "once");
}

TEST(FutureTest, MoveOnlyResultsMoveOut) {
  ManualExecutor executor;
  Future<std::unique_ptr<int>> future =
      executor.Submit([] { return std::make_unique<int>(3); });
  executor.RunAll();
  EXPECT_THAT(future.Result(), Pointee(3));
  const std::unique_ptr<int> out = std::move(future).Result();
  EXPECT_THAT(out, Pointee(3));
}

TEST(FutureTest, VoidReferenceAndImmovableResults) {
  ManualExecutor executor;
  int x = 0;
  struct Immovable {
    explicit Immovable(int v) : value(v) {}
    Immovable(const Immovable&) = delete;
    Immovable& operator=(const Immovable&) = delete;
    int value;
  };
  const Future<void> nothing = executor.Submit([&x] { x = 1; });
  const Future<int&> reference = executor.Submit([&x]() -> int& { return x; });
  const Future<Immovable> fixed = executor.Submit([] { return Immovable(9); });
  const Future<std::any> any =
      executor.Submit([] { return std::any(std::string("any")); });
  executor.RunAll();
  nothing.Result();
  EXPECT_EQ(&reference.Result(), &x);
  EXPECT_EQ(fixed.Result().value, 9);
  EXPECT_EQ(std::any_cast<std::string>(any.Result()), "any");
}

TEST(FutureTest, CancelBeforeTheRunIsFinalAndFreesTheCallable) {
  ManualExecutor executor;
  bool freed = false;
  bool ran = false;
  const Future<void> future = executor.Submit(
      [&ran, end = absl::MakeCleanup([&freed] { freed = true; })] {
        ran = true;
      });
  EXPECT_TRUE(future.Cancel());
  EXPECT_TRUE(freed);
  EXPECT_TRUE(future.Done());
  EXPECT_TRUE(future.Cancelled());
  EXPECT_FALSE(future.Running());
  EXPECT_TRUE(future.Cancel());  // again
  EXPECT_TRUE(future.Wait(absl::ZeroDuration()));
  executor.RunAll();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(future.Cancelled());
}

TEST(FutureTest, AnUnrunTaskThatIsDroppedIsCancelled) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 1; });
  executor.DropOne();
  EXPECT_TRUE(future.Cancelled());
  EXPECT_TRUE(future.Wait());
}

TEST(FutureTest, WorkGoesOnWithoutHandles) {
  ManualExecutor executor;
  bool ran = false;
  {
    const Future<void> dropped = executor.Submit([&ran] { ran = true; });
  }
  executor.RunAll();
  EXPECT_TRUE(ran);
}

TEST(FutureTest, TheCallableIsGoneWhenTheResultIsThere) {
  ManualExecutor executor;
  bool freed = false;
  std::optional<bool> freed_when_done;
  Future<void> future =
      executor.Submit([end = absl::MakeCleanup([&freed] { freed = true; })] {});
  Thread waiter([&] {
    future.Wait();
    freed_when_done = freed;
  });
  waiter.Start();
  executor.RunAll();
  waiter.Join();
  EXPECT_EQ(freed_when_done, true);
}

TEST(FutureTest, TheResultIsDestroyedWithTheLastHandle) {
  ManualExecutor executor;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  std::optional<Future<std::shared_ptr<int>>> a = executor.Submit(
      [held = std::move(held)]() mutable { return std::move(held); });
  auto b = a;
  executor.RunAll();
  a.reset();
  EXPECT_FALSE(watch.expired());
  b.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(FutureTest, WaitEndsByItsLimitAndLeavesTheFutureAsItWas) {
  internal::ManualClock clock;
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 4; });
  EXPECT_FALSE(future.Wait(absl::ZeroDuration()));
  EXPECT_FALSE(future.Wait(-absl::Seconds(1)));
  std::optional<bool> waited;
  Thread waiter([&] { waited = future.Wait(absl::Seconds(3)); });
  waiter.Start();
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(3));
  waiter.Join();
  EXPECT_EQ(waited, false);
  executor.RunAll();
  EXPECT_TRUE(future.Wait(absl::ZeroDuration()));
  EXPECT_EQ(future.Result(absl::ZeroDuration()), 4);
}

TEST(FutureTest, AStopEndsTheWaitAndWhatIsDoneWinsOverIt) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 4; });
  std::stop_source stop;
  std::optional<bool> waited;
  Thread waiter([&] { waited = future.Wait(stop.get_token()); });
  waiter.Start();
  stop.request_stop();
  waiter.Join();
  EXPECT_EQ(waited, false);
  EXPECT_FALSE(future.Wait(stop.get_token()));
  executor.RunAll();
  EXPECT_TRUE(future.Wait(stop.get_token()));
}

TEST(FutureTest, EveryWaiterIsReleased) {
  for (int round = 0; round < 50; ++round) {
    ManualExecutor executor;
    const Future<int> future = executor.Submit([] { return 5; });
    std::atomic<int> sum{0};
    const auto wait = [&] { sum += future.Result(); };
    internal::RunConcurrently(1, wait, wait, wait, [&] { executor.RunAll(); });
    EXPECT_EQ(sum, 15);
  }
}

TEST(FutureTest, CancelAgainstRunHasOneOutcome) {
  int cancelled = 0;
  for (int round = 0; round < 2000; ++round) {
    ManualExecutor executor;
    bool ran = false;
    const Future<void> future = executor.Submit([&ran] { ran = true; });
    bool cancel = false;
    internal::RunConcurrently(
        1, [&] { cancel = future.Cancel(); }, [&] { executor.RunAll(); });
    EXPECT_TRUE(future.Done());
    EXPECT_NE(cancel, ran);
    EXPECT_EQ(future.Cancelled(), cancel);
    cancelled += cancel ? 1 : 0;
  }
  RecordProperty("cancelled", cancelled);
}

TEST(FutureTest, CancelReleasesThoseWhoWait) {
  for (int round = 0; round < 200; ++round) {
    ManualExecutor executor;
    const Future<void> future = executor.Submit([] {});
    std::atomic<int> released{0};
    const auto wait = [&] { released += future.Wait() ? 1 : 0; };
    internal::RunConcurrently(1, wait, wait, [&] { future.Cancel(); });
    EXPECT_EQ(released, 2);
  }
}

TEST(FutureTest, CancelReleasesThoseWhoWaitBeforeTheCallableIsDestroyed) {
  // A callable may own what waits for its future: a thread that it joins.
  ManualExecutor executor;
  Event released;
  const Future<void> future = executor.Submit(
      [when_gone = absl::MakeCleanup([&released] { released.Wait(); })] {});
  internal::ManualClock clock;
  Thread waiter([&] {
    // With a limit, so that the test can tell when it sleeps.
    EXPECT_TRUE(future.Wait(absl::Hours(1)));
    released.Set();
  });
  waiter.Start();
  clock.AwaitSleepers(1);
  EXPECT_TRUE(future.Cancel());
  waiter.Join();
}

TEST(FutureTest, TheHandleThatCancelsMayGoWithTheCallable) {
  ManualExecutor executor;
  auto handle = std::make_unique<Future<void>>();
  Future<void>* const alias = handle.get();
  bool ended = false;
  // As if the executor dropped the task at the same time: nobody else holds it.
  // (Shared pointers call their deleters in the end. absl::Cleanup would do, but
  // for GCC 12, which sees uninitialized captures in it here at -O1.)
  const auto at_the_end = [](auto action) {
    return std::shared_ptr<void>(nullptr, [action](void*) { action(); });
  };
  *alias = executor.Submit([end = at_the_end([&ended] { ended = true; }),
                            last = at_the_end([&executor, handle = &handle] {
                              handle->reset();
                              executor.DropOne();
                            })] {});
  EXPECT_TRUE(alias->Cancel());
  EXPECT_TRUE(ended);
}

TEST(FutureTest, ResultsOfOddTypes) {
  struct alignas(256) Aligned {
    char byte = 1;
  };
  ManualExecutor executor;
  const Future<Aligned> aligned = executor.Submit([] { return Aligned(); });
  Future<const std::string> constant =
      executor.Submit([]() -> const std::string { return "constant"; });
  const Future<void (&)(int&)> function =
      executor.Submit([]() -> void (&)(int&) {
        return *static_cast<void (*)(int&)>([](int& n) { ++n; });
      });
  const Future<const int&> reference = executor.Submit(
      [](const int& n) -> const int& { return n; }, std::cref(kSeven));
  executor.RunAll();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(&aligned.Result()) % 256, 0);
  EXPECT_EQ(constant.Result(), "constant");
  EXPECT_EQ(std::move(constant).Result(), "constant");
  int n = 1;
  function.Result()(n);
  EXPECT_EQ(n, 2);
  EXPECT_EQ(&reference.Result(), &kSeven);
}

TEST(FutureTest, TheLastHandleMayGoInATask) {
  ThreadPoolExecutor executor(2);
  for (int i = 0; i < 1000; ++i) {
    Future<std::string> first =
        executor.Submit([] { return std::string(100, 'x'); });
    executor.Submit([first = std::move(first)] {});
  }
}

TEST(FutureTest, MutableResultChangesWhatAllHandlesSee) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 1; });
  const Future<int> other = future;
  executor.RunAll();
  future.MutableResult() = 2;
  EXPECT_EQ(other.Result(), 2);
}

TEST(FutureTest, LastHandleAgainstCompletion) {
  // Whoever is last frees the state; a mistake is a use after free under asan.
  for (int round = 0; round < 2000; ++round) {
    ManualExecutor executor;
    std::optional<Future<std::string>> future =
        executor.Submit([] { return std::string(100, 'x'); });
    internal::RunConcurrently(
        1, [&] { future.reset(); }, [&] { executor.RunAll(); });
  }
}

TEST(FutureTest, HandlesOfOneResultAreEqualAndHashAlike) {
  ManualExecutor executor;
  const Future<int> a = executor.Submit([] { return 1; });
  const Future<int> b = executor.Submit([] { return 1; });
  const Future<int> a2 = a;
  EXPECT_EQ(a, a2);
  EXPECT_NE(a, b);
  EXPECT_TRUE(
      absl::VerifyTypeImplementsAbslHashCorrectly({a, b, a2, Future<int>()}));
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(FutureTest, AHandleWithoutAResultSaysSo) {
  const Future<int> none;
  EXPECT_THROW(static_cast<void>(none.Done()), std::logic_error);
  EXPECT_THROW(none.Cancel(), std::logic_error);
  EXPECT_THROW(none.Wait(), std::logic_error);
  EXPECT_THROW(none.Result(), std::logic_error);
}

TEST(FutureTest, RethrowsTheSameObjectEachTime) {
  ManualExecutor executor;
  const Future<int> future =
      executor.Submit([]() -> int { throw std::runtime_error("mine"); });
  executor.RunAll();
  const std::runtime_error* first = nullptr;
  for (int i = 0; i < 2; ++i) {
    try {
      future.Result();
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "mine");
      if (i == 0) first = &error;
      EXPECT_EQ(&error, first);
    }
  }
  EXPECT_FALSE(future.Cancelled());
  EXPECT_TRUE(future.Done());
}

TEST(FutureTest, AResultWhoseDestructorThrowsGoesToTheExceptHook) {
  int reported = 0;
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  struct Bomb {
    Bomb() = default;
    Bomb(const Bomb&) = delete;
    Bomb& operator=(const Bomb&) = delete;
    ~Bomb() noexcept(false) { throw std::runtime_error("destructor"); }
  };
  ManualExecutor executor;
  {
    const Future<Bomb> future = executor.Submit([] { return Bomb(); });
    executor.RunAll();
    EXPECT_TRUE(future.Done());
  }
  SetExceptHook(nullptr);
  EXPECT_EQ(reported, 1);
}

TEST(FutureTest, ACallableWhoseDestructorThrowsDoesNotHarmTheResult) {
  int reported = 0;
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  struct Bomb {
    explicit Bomb(bool on) : armed(on) {}
    Bomb(Bomb&& other) noexcept : armed(std::exchange(other.armed, false)) {}
    ~Bomb() noexcept(false) {
      if (armed) throw std::runtime_error("destructor");
    }
    int operator()() const { return 5; }
    bool armed;
  };
  ManualExecutor executor;
  const Future<int> ran = executor.Submit(Bomb(true));
  const Future<int> cancelled = executor.Submit(Bomb(true));
  EXPECT_TRUE(cancelled.Cancel());
  executor.RunAll();
  SetExceptHook(nullptr);
  EXPECT_EQ(ran.Result(), 5);
  EXPECT_TRUE(cancelled.Cancelled());
  EXPECT_EQ(reported, 2);
}

TEST(FutureTest, ACopyThatThrowsIsNotSubmitted) {
  struct ThrowsOnCopy {
    ThrowsOnCopy() = default;
    ThrowsOnCopy(const ThrowsOnCopy&) { throw std::runtime_error("copy"); }
    void operator()() const {}
  };
  const ThrowsOnCopy throws;
  ManualExecutor executor;
  EXPECT_THROW(executor.Submit(throws), std::runtime_error);
  EXPECT_THROW(executor.Submit([](const ThrowsOnCopy&) {}, throws),
               std::runtime_error);
  EXPECT_EQ(executor.size(), 0);
}

TEST(FutureTest, CarriesExceptionsOfEveryType) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([]() -> int { throw 42; });
  executor.RunAll();
  EXPECT_THROW(future.Result(), int);
}

TEST(FutureTest, CarriesWhatTheResultsConstructorThrows) {
  ManualExecutor executor;
  struct ThrowsWhenMade {
    ThrowsWhenMade() { throw std::runtime_error("constructor"); }
  };
  const Future<ThrowsWhenMade> future =
      executor.Submit([] { return ThrowsWhenMade(); });
  executor.RunAll();
  EXPECT_THROW(future.Result(), std::runtime_error);
}

TEST(FutureTest, ExceptionReturnsWhatWasThrownOrNull) {
  ManualExecutor executor;
  const Future<void> good = executor.Submit([] {});
  const Future<void> bad =
      executor.Submit([] { throw std::runtime_error("bad"); });
  const Future<void> late = executor.Submit([] {});
  const Future<void> cancelled = executor.Submit([] {});
  cancelled.Cancel();
  executor.RunOne();
  executor.RunOne();
  EXPECT_EQ(good.Exception(), nullptr);
  EXPECT_NE(bad.Exception(), nullptr);
  EXPECT_THROW(static_cast<void>(late.Exception(absl::ZeroDuration())),
               TimeoutError);
  EXPECT_THROW(static_cast<void>(cancelled.Exception()), CancelledError);
}

TEST(FutureTest, ResultThrowsTimeoutErrorAndTheWorkGoesOn) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 6; });
  EXPECT_THROW(future.Result(absl::ZeroDuration()), TimeoutError);
  executor.RunAll();
  EXPECT_EQ(future.Result(), 6);
}

TEST(FutureTest, ResultOfACancelledFutureThrowsCancelledError) {
  ManualExecutor executor;
  const Future<int> future = executor.Submit([] { return 6; });
  future.Cancel();
  EXPECT_THROW(future.Result(), CancelledError);
}
#endif

}  // namespace
}  // namespace heddle
