#include "heddle/futures/promise.h"

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/futures/future.h"
#include "heddle/pool/errors.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

TEST(PromiseTest, ItsFutureGetsTheResult) {
  Promise<std::string> promise;
  const Future<std::string> future = promise.GetFuture();
  EXPECT_FALSE(future.Done());
  EXPECT_FALSE(future.Running());
  promise.SetResult(size_t{3}, 'x');  // what a std::string is made of
  EXPECT_TRUE(future.Done());
  EXPECT_EQ(future.Result(), "xxx");
  EXPECT_EQ(promise.GetFuture(), future);
}

TEST(PromiseTest, WithOrWithoutRunningFirst) {
  Promise<void> promise;
  const Future<void> future = promise.GetFuture();
  EXPECT_TRUE(promise.SetRunningOrNotifyCancel());
  EXPECT_TRUE(future.Running());
  EXPECT_FALSE(future.Cancel());
  promise.SetResult();
  EXPECT_FALSE(future.Running());
  future.Result();
}

TEST(PromiseTest, ResultsMayBeReferencesMoveOnlyOrImmovable) {
  int number = 1;
  Promise<int&> reference;
  reference.SetResult(number);
  EXPECT_EQ(&reference.GetFuture().Result(), &number);

  Promise<std::unique_ptr<int>> move_only;
  move_only.SetResult(std::make_unique<int>(2));
  EXPECT_EQ(*move_only.GetFuture().Result(), 2);

  struct Aggregate {
    int number;
    std::string text;
  };
  Promise<Aggregate> aggregate;
  aggregate.SetResult(3, "x");
  EXPECT_EQ(aggregate.GetFuture().Result().text, "x");

  struct Immovable {
    explicit Immovable(int n) : number(n) {}
    Immovable(const Immovable&) = delete;
    Immovable& operator=(const Immovable&) = delete;
    int number;
  };
  Promise<Immovable> immovable;
  immovable.SetResult(3);
  const Future<Immovable> future = immovable.GetFuture();
  EXPECT_EQ(future.Result().number, 3);
}

TEST(PromiseTest, ACancelledOneSaysSo) {
  Promise<int> promise;
  const Future<int> future = promise.GetFuture();
  EXPECT_TRUE(future.Cancel());
  EXPECT_TRUE(future.Done());
  EXPECT_FALSE(promise.SetRunningOrNotifyCancel());
  EXPECT_FALSE(promise.SetRunningOrNotifyCancel()) << "as often as it is asked";
}

TEST(PromiseTest, WakesWhoWaits) {
  Promise<int> promise;
  const Future<int> future = promise.GetFuture();
  std::thread waiter([future] { EXPECT_EQ(future.Result(), 7); });
  promise.SetResult(7);
  waiter.join();
}

TEST(PromiseTest, MovesWithItsFuture) {
  Promise<int> first;
  const Future<int> future = first.GetFuture();
  Promise<int> second = std::move(first);
  EXPECT_EQ(second.GetFuture(), future);
  second.SetResult(1);
  EXPECT_EQ(future.Result(), 1);
}

TEST(PromiseTest, StaysWhatItIsWhenItIsMovedToItself) {
  Promise<int> promise;
  const Future<int> future = promise.GetFuture();
  Promise<int>& same = promise;
  promise = std::move(same);
  EXPECT_FALSE(future.Done());
  std::swap(promise, same);
  EXPECT_FALSE(future.Done());
  EXPECT_EQ(promise.GetFuture(), future);
  promise.SetResult(1);
  EXPECT_EQ(future.Result(), 1);
}

TEST(PromiseTest, IsDroppedByTheOneThatTakesItsPlace) {
  Promise<int> promise;
  const Future<int> first = promise.GetFuture();
  promise = Promise<int>();
  EXPECT_TRUE(first.Done());
  EXPECT_NE(promise.GetFuture(), first);
}

TEST(PromiseTest, SetAgainstCancelHasOneOutcome) {
  for (int round = 0; round < 500; ++round) {
    Promise<int> promise;
    const Future<int> future = promise.GetFuture();
    bool began = false;
    bool was_cancelled = false;
    internal::RunConcurrently(
        1, [&] { was_cancelled = future.Cancel(); },
        [&] {
          began = promise.SetRunningOrNotifyCancel();
          if (began) promise.SetResult(7);
        });
    EXPECT_NE(began, was_cancelled);
    EXPECT_EQ(future.Cancelled(), was_cancelled);
  }
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(PromiseTest, ItsFutureGetsTheException) {
  Promise<int> promise;
  const Future<int> future = promise.GetFuture();
  promise.SetException(std::make_exception_ptr(std::runtime_error("no disk")));
  EXPECT_THROW(future.Result(), std::runtime_error);
  EXPECT_NE(future.Exception(), nullptr);
}

TEST(PromiseTest, DroppedItBreaksTheFuture) {
  Future<int> dropped;
  Future<int> running;
  Future<int> replaced;
  {
    Promise<int> promise;
    dropped = promise.GetFuture();
    Promise<int> begun;
    running = begun.GetFuture();
    begun.SetRunningOrNotifyCancel();
    Promise<int> other;
    replaced = other.GetFuture();
    other = Promise<int>();
    EXPECT_THROW(replaced.Result(), BrokenPromise);
  }
  EXPECT_THROW(dropped.Result(), BrokenPromise);
  EXPECT_THROW(running.Result(), BrokenPromise);
}

TEST(PromiseTest, DroppedAfterACancellationItLeavesThat) {
  Future<int> future;
  {
    Promise<int> promise;
    future = promise.GetFuture();
    future.Cancel();
  }
  EXPECT_THROW(future.Result(), CancelledError);
}

template <typename Call>
std::string MessageOfInvalidState(Call call) {
  try {
    call();
  } catch (const InvalidStateError& error) {
    return error.what();
  }
  return "no error";
}

TEST(PromiseTest, MisuseIsAnErrorAndChangesNothing) {
  Promise<int> promise;
  const Future<int> future = promise.GetFuture();
  promise.SetRunningOrNotifyCancel();
  EXPECT_EQ(MessageOfInvalidState([&] { promise.SetRunningOrNotifyCancel(); }),
            "Promise: the future is running already");
  EXPECT_TRUE(future.Running());
  EXPECT_THROW(promise.SetException(nullptr), std::invalid_argument);
  EXPECT_TRUE(future.Running());
  promise.SetResult(1);
  EXPECT_EQ(MessageOfInvalidState([&] { promise.SetResult(2); }),
            "Promise: the future has its result already");
  EXPECT_EQ(MessageOfInvalidState(
                [&] { promise.SetException(std::make_exception_ptr(3)); }),
            "Promise: the future has its result already");
  EXPECT_THROW(promise.SetRunningOrNotifyCancel(), InvalidStateError);
  EXPECT_EQ(future.Result(), 1);

  Promise<int> cancelled;
  cancelled.GetFuture().Cancel();
  EXPECT_EQ(MessageOfInvalidState([&] { cancelled.SetResult(1); }),
            "Promise: the future was cancelled");
}

TEST(PromiseTest, AResultThatCannotBeMadeLeavesTheFutureAsItWas) {
  struct Throwing {
    explicit Throwing(bool throws) {
      if (throws) throw std::runtime_error("constructor");
    }
  };
  Promise<Throwing> promise;
  const Future<Throwing> future = promise.GetFuture();
  EXPECT_THROW(promise.SetResult(true), std::runtime_error);
  EXPECT_FALSE(future.Running());
  EXPECT_FALSE(future.Done());
  promise.SetRunningOrNotifyCancel();
  EXPECT_THROW(promise.SetResult(true), std::runtime_error);
  EXPECT_TRUE(future.Running());
  promise.SetResult(false);
  EXPECT_TRUE(future.Done());
}

TEST(PromiseTest, MovedFromItSaysSo) {
  Promise<int> promise;
  const Promise<int> other = std::move(promise);
  EXPECT_THROW(static_cast<void>(promise.GetFuture()),  // NOLINT: on purpose
               std::logic_error);
  EXPECT_THROW(promise.SetResult(1), std::logic_error);
}

TEST(PromiseTest, OfTwoWhoSetOneIsRefused) {
  for (int round = 0; round < 300; ++round) {
    Promise<int> promise;
    const Future<int> future = promise.GetFuture();
    std::atomic<int> refused{0};
    const auto set = [&] {
      try {
        promise.SetResult(1);
      } catch (const InvalidStateError&) {
        ++refused;
      }
    };
    internal::RunConcurrently(1, set, set);
    EXPECT_EQ(refused, 1);
    EXPECT_EQ(future.Result(), 1);
  }
}
#endif

#if defined(ABSL_HAVE_EXCEPTIONS) && defined(__GLIBC__)
struct EndsItsThread {
  explicit EndsItsThread(int) { pthread_exit(nullptr); }
};

TEST(PromiseTest, SetResultThatEndsItsThreadHasChangedNothing) {
  Promise<EndsItsThread> kept;
  Future<EndsItsThread> still_open = kept.GetFuture();
  Promise<EndsItsThread> dropped;
  Future<EndsItsThread> broken = dropped.GetFuture();
  Thread thread([&kept] { kept.SetResult(1); });
  thread.Start();
  thread.Join();
  Thread other(
      [promise = std::move(dropped)]() mutable { promise.SetResult(1); });
  other.Start();
  other.Join();
  EXPECT_THROW(broken.Result(), BrokenPromise);
  EXPECT_FALSE(still_open.Done());
  kept.SetException(std::make_exception_ptr(std::runtime_error("later")));
  EXPECT_THROW(still_open.Result(), std::runtime_error);
}
#endif

}  // namespace
}  // namespace heddle
