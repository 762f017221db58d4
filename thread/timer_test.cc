#include "heddle/thread/timer.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

struct CountsCopies {
  explicit CountsCopies(int* to) : copies(to) {}
  CountsCopies(const CountsCopies& other) : copies(other.copies) { ++*copies; }
  void operator()() const {}
  int* copies;
};

using internal::ManualClock;
using internal::RunConcurrently;

TEST(TimerTest, CallsTheFunctionOnceWhenTheIntervalHasPassedAndNotBefore) {
  ManualClock clock;
  std::atomic<int> calls{0};
  Timer timer(absl::Seconds(10), [&] { ++calls; });
  timer.Start();
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_EQ(calls.load(), 0);
  EXPECT_FALSE(timer.IsFinished());
  EXPECT_TRUE(timer.IsAlive());
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(timer.WaitFinished());
  EXPECT_TRUE(timer.Join());
  EXPECT_EQ(calls.load(), 1);
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(calls.load(), 1);
}

TEST(TimerTest, PassesTheArgumentsOn) {
  std::string result;
  Timer timer(
      absl::ZeroDuration(),
      [&](const std::string& a, std::unique_ptr<int> b) {
        result = a + std::to_string(*b);
      },
      "answer ", std::make_unique<int>(42));
  timer.Start();
  EXPECT_TRUE(timer.Join());
  EXPECT_EQ(result, "answer 42");
}

TEST(TimerTest, ZeroOrNegativeIntervalIsNow) {
  for (const absl::Duration interval :
       {absl::ZeroDuration(), -absl::Nanoseconds(1), -absl::Hours(1),
        -absl::InfiniteDuration()}) {
    bool called = false;
    Timer timer(interval, [&] { called = true; });
    timer.Start();
    EXPECT_TRUE(timer.Join());
    EXPECT_TRUE(called) << interval;
  }
}

TEST(TimerTest, CancelledBeforeTheStartItDoesNothing) {
  bool called = false;
  Timer timer(absl::ZeroDuration(), [&] { called = true; });
  EXPECT_FALSE(timer.IsFinished());
  EXPECT_FALSE(timer.WaitFinished(absl::ZeroDuration()));
  EXPECT_TRUE(timer.Cancel());
  EXPECT_TRUE(timer.IsFinished());
  EXPECT_TRUE(timer.WaitFinished());
  timer.Start();
  EXPECT_TRUE(timer.Join());
  EXPECT_FALSE(called);
}

TEST(TimerTest, CancelledWhileItWaitsItEndsAtOnce) {
  ManualClock clock;
  bool called = false;
  Timer timer(absl::Hours(1), [&] { called = true; });
  timer.Start();
  clock.AwaitSleepers(1);
  EXPECT_TRUE(timer.Cancel());
  EXPECT_TRUE(timer.Join());  // the clock stands still
  EXPECT_TRUE(timer.IsFinished());
  EXPECT_FALSE(called);
}

TEST(TimerTest, CancelWhileTheFunctionRunsAndAfterItHasNoEffect) {
  std::atomic<bool> begun{false};
  std::atomic<bool> may_end{false};
  bool stopped = true;
  Timer timer(absl::ZeroDuration(), [&](std::stop_token stop) {
    begun.store(true);
    while (!may_end.load()) std::this_thread::yield();
    stopped = stop.stop_requested();
  });
  timer.Start();
  while (!begun.load()) std::this_thread::yield();
  EXPECT_FALSE(timer.Cancel());
  EXPECT_FALSE(timer.IsFinished());
  EXPECT_TRUE(timer.IsAlive());
  may_end.store(true);
  EXPECT_TRUE(timer.Join());
  EXPECT_FALSE(stopped);
  EXPECT_FALSE(timer.Cancel());
  EXPECT_TRUE(timer.IsFinished());
}

TEST(TimerTest, CancelMayBeRepeatedAndTellsTheFirst) {
  Timer timer(absl::Hours(1), [] {});
  EXPECT_TRUE(timer.Cancel());
  EXPECT_FALSE(timer.Cancel());
}

TEST(TimerTest, CancelThatRacesWithTheFiringIsTrueIfItPreventsTheCall) {
  for (int i = 0; i < 200; ++i) {
    std::atomic<int> calls{0};
    bool prevented = false;
    Timer timer(absl::ZeroDuration(), [&] { ++calls; });
    timer.Start();
    prevented = timer.Cancel();
    EXPECT_TRUE(timer.WaitFinished());
    EXPECT_EQ(calls.load(), prevented ? 0 : 1);
  }
}

TEST(TimerTest, ManyMayCancelAndOneIsTold) {
  for (int i = 0; i < 20; ++i) {
    Timer timer(absl::Hours(1), [] { ADD_FAILURE() << "fired"; });
    timer.Start();
    std::atomic<int> told{0};
    const auto cancel = [&] { told += timer.Cancel() ? 1 : 0; };
    RunConcurrently(1, cancel, cancel, cancel);
    EXPECT_EQ(told.load(), 1);
    EXPECT_TRUE(timer.Join());
  }
}

TEST(TimerTest, StopRequestCancelsItWhileItWaits) {
  ManualClock clock;
  bool called = false;
  Timer timer(absl::Hours(1), [&] { called = true; });
  timer.Start();
  clock.AwaitSleepers(1);
  EXPECT_TRUE(timer.RequestStop());
  EXPECT_TRUE(timer.Join());
  EXPECT_TRUE(timer.IsFinished());
  EXPECT_FALSE(timer.Cancel());
  EXPECT_FALSE(called);
}

TEST(TimerTest, DestructorCancelsWhatHasNotFired) {
  ManualClock clock;
  bool called = false;
  {
    Timer timer(absl::Hours(1), [&] { called = true; });
    timer.Start();
    clock.AwaitSleepers(1);
  }
  EXPECT_FALSE(called);
}

TEST(TimerTest, DestructorWaitsForAFunctionThatRuns) {
  std::atomic<bool> begun{false};
  bool ended = false;
  {
    Timer timer(absl::ZeroDuration(), [&] {
      begun.store(true);
      for (int i = 0; i < 100; ++i) std::this_thread::yield();
      ended = true;
    });
    timer.Start();
    while (!begun.load()) std::this_thread::yield();
  }
  EXPECT_TRUE(ended);
}

TEST(TimerTest, DaemonIsLetGoAndFires) {
  std::atomic<bool> called{false};
  {
    ManualClock clock;
    {
      Timer timer({.daemon = true}, absl::Hours(1),
                  [&] { called.store(true); });
      timer.Start();
      clock.AwaitSleepers(1);
    }
    EXPECT_FALSE(called.load());
    clock.Advance(absl::Hours(1));
  }
  while (!called.load()) std::this_thread::yield();
}

TEST(TimerTest, FinishedCanBeAwaitedByManyWithALimit) {
  ManualClock clock;
  Timer timer(absl::Hours(2), [] {});
  timer.Start();
  clock.AwaitSleepers(1);
  std::optional<bool> early;
  Thread impatient([&] { early = timer.WaitFinished(absl::Hours(1)); });
  std::atomic<int> finished{0};
  std::vector<Thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] { finished += timer.WaitFinished() ? 1 : 0; });
    waiters.back().Start();
  }
  impatient.Start();
  clock.AwaitSleepers(2);
  clock.Advance(absl::Hours(1));
  EXPECT_TRUE(impatient.Join());
  EXPECT_EQ(early, false);
  clock.Advance(absl::Hours(1));
  for (Thread& waiter : waiters) EXPECT_TRUE(waiter.Join());
  EXPECT_EQ(finished.load(), 4);
}

TEST(TimerTest, IsAThread) {
  Timer timer({.name = "reminder"}, absl::ZeroDuration(), [] {});
  EXPECT_EQ(timer.name(), "reminder");
  EXPECT_FALSE(timer.IsAlive());
  timer.Start();
  EXPECT_TRUE(timer.ident().has_value());
  EXPECT_TRUE(timer.Join());
  EXPECT_TRUE(timer.Join());
  EXPECT_TRUE(timer.WaitFinished());
}

TEST(TimerTest, DefaultNameIsThreadAndANumber) {
  struct Named {
    void operator()() const {}
  };
  const Timer timer(absl::ZeroDuration(), Named());
  EXPECT_EQ(timer.name().rfind("Thread-", 0), 0u);
  EXPECT_EQ(timer.name().find_first_not_of("0123456789", 7), std::string::npos);
}

TEST(TimerTest, MovingHandsTheRunningTimerOver) {
  ManualClock clock;
  bool called = false;
  Timer source(absl::Hours(1), [&] { called = true; });
  source.Start();
  clock.AwaitSleepers(1);
  Timer target(std::move(source));
  clock.Advance(absl::Hours(1));
  EXPECT_TRUE(target.WaitFinished());
  EXPECT_TRUE(target.Join());
  EXPECT_TRUE(called);
}

TEST(TimerTest, FunctionIsDestroyedWhenTheThreadEndsAlsoIfItWasCancelled) {
  for (const bool cancelled : {false, true}) {
    auto held = std::make_shared<int>(1);
    Timer timer(absl::ZeroDuration(), [held] {});
    if (cancelled) timer.Cancel();
    EXPECT_EQ(held.use_count(), 2);
    timer.Start();
    EXPECT_TRUE(timer.Join());
    EXPECT_EQ(held.use_count(), 1);
  }
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(TimerTest, SecondStartAndEarlyJoinThrowLogicError) {
  Timer timer(absl::ZeroDuration(), [] {});
  EXPECT_THROW(timer.Join(), std::logic_error);
  timer.Start();
  EXPECT_THROW(timer.Start(), std::logic_error);
  EXPECT_TRUE(timer.Join());
  EXPECT_THROW(timer.Start(), std::logic_error);
}

TEST(TimerTest, FunctionThatThrowsIsReportedAndTheTimerIsFinished) {
  std::string seen;
  SetExceptHook([&](const ExceptHookArgs& args) {
    seen = DescribeException(args.exception);
  });
  Timer timer(absl::ZeroDuration(), [] { throw std::runtime_error("late"); });
  timer.Start();
  EXPECT_TRUE(timer.WaitFinished());
  EXPECT_TRUE(timer.Join());
  SetExceptHook(nullptr);
  EXPECT_EQ(seen, "std::runtime_error: late");
}
#endif

TEST(TimerTest, CallableIsCopiedOnce) {
  int copies = 0;
  const CountsCopies callable(&copies);
  Timer timer(absl::ZeroDuration(), callable);
  timer.Start();
  timer.Join();
  EXPECT_EQ(copies, 1);
}

TEST(TimerTest, DelayIsWrittenAsAnyLimit) {
  int fired = 0;
  const auto fire = [&fired] { ++fired; };
  Timer after(std::chrono::nanoseconds(1), fire);
  Timer until({.name = "until"},
              WaitLimit::Until(std::chrono::steady_clock::now()), fire);
  for (Timer* timer : {&after, &until}) {
    timer->Start();
    timer->Join();
  }
  EXPECT_EQ(fired, 2);
}

TEST(TimerTest, MomentIsKeptHoweverLateTheStartIs) {
  ManualClock clock;
  bool fired = false;
  Timer timer(WaitLimit(absl::Hours(1)).Started(), [&fired] { fired = true; });
  clock.Advance(absl::Hours(1));
  timer.Start();
  timer.Join();  // without another hour
  EXPECT_TRUE(fired);
}

TEST(TimerTest, StopTokenOfTheDelayCancels) {
  for (const bool before : {false, true}) {
    std::stop_source stop;
    bool fired = false;
    Timer timer({absl::Hours(1), stop.get_token()}, [&fired] { fired = true; });
    if (before) stop.request_stop();
    timer.Start();
    stop.request_stop();
    EXPECT_TRUE(timer.WaitFinished());
    timer.Join();
    EXPECT_FALSE(fired);
    EXPECT_FALSE(timer.Cancel());  // it is already
  }
}

TEST(TimerTest, StopTokenOfTheDelayDoesNotReachTheFunction) {
  std::stop_source stop;
  std::atomic<bool> runs{false};
  std::atomic<bool> may_end{false};
  bool stopped = true;
  Timer timer({absl::ZeroDuration(), stop.get_token()},
              [&](const std::stop_token& token) {
                runs.store(true);
                while (!may_end.load()) std::this_thread::yield();
                stopped = token.stop_requested();
              });
  timer.Start();
  while (!runs.load()) std::this_thread::yield();
  stop.request_stop();
  may_end.store(true);
  timer.Join();
  EXPECT_FALSE(stopped);
}

}  // namespace
}  // namespace heddle
