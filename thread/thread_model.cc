// Models of Thread and Timer: [PHASE] and [LAST] of thread_record.h and the
// owners of thread_state.h, under every schedule.

#include <atomic>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <system_error>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/thread_handle.h"
#include "heddle/thread/timer.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Explore;
using explore::Holds;
using explore::Options;
using internal::Var;

TEST(ThreadModel, WhatCameBeforeStartIsVisibleInItAndWhatItDidAfterJoin) {
  EXPECT_TRUE(Holds(3, [](Execution& /*run*/) {
    Var<int> before = 0;
    Var<int> after = 0;
    Thread thread([&] {
      explore::Check(before == 1);
      after = 1;
    });
    before = 1;
    thread.Start();
    explore::Check(thread.Join());
    explore::Check(after == 1);
    explore::Check(!thread.IsAlive());
  }));
}

// Also its own captures are gone: they were destroyed in the thread.
TEST(ThreadModel, WhoSeesThatItIsNotAliveSeesWhatItDid) {
  EXPECT_TRUE(Holds(2, [](Execution& /*run*/) {
    Var<int> done = 0;
    Thread thread([&] { done = 1; });
    thread.Start();
    if (!thread.IsAlive()) explore::Check(done == 1);
    explore::Check(thread.Join());
  }));
}

TEST(ThreadModel, ManyMayJoinIt) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    Var<int> done = 0;
    Thread thread([&] { done = 1; });
    thread.Start();
    const auto join = [&] {
      explore::Check(thread.Join());
      explore::Check(done == 1);
    };
    run.Run(join, join);
  }));
}

TEST(ThreadModel, AJoinWithALimitEndsAndTellsTheTruth) {
  EXPECT_TRUE(Holds(2, [](Execution& /*run*/) {
    Var<int> done = 0;
    Thread thread([&] { done = 1; });
    thread.Start();
    if (thread.Join(absl::Seconds(1))) explore::Check(done == 1);
    explore::Check(thread.Join());
  }));
}

// One may reap it, and give up while the other waits for that.
TEST(ThreadModel, OfTwoJoinersOneMayGiveUp) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Var<int> done = 0;
    Thread thread([&] { done = 1; });
    thread.Start();
    const auto may_give_up = [&] {
      if (thread.Join(absl::Seconds(1))) explore::Check(done == 1);
    };
    const auto join = [&] {
      explore::Check(thread.Join());
      explore::Check(done == 1);
    };
    run.Run(may_give_up, join);
  }));
}

// It is joined or detached: else what the system keeps of it would be left.
TEST(ThreadModel, ADaemonLetGoWhileAnotherJoinsItIsDetachedOrJoined) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    auto thread =
        std::make_unique<Thread>(Thread::Options{.daemon = true}, [] {});
    thread->Start();
    const ThreadHandle handle = thread->handle();
    const auto may_give_up = [&] {
      static_cast<void>(handle.Join(absl::Seconds(1)));
    };
    const auto let_go = [&] { thread.reset(); };
    run.Run(may_give_up, let_go);
    explore::Check(handle.Join());
  }));
}

TEST(ThreadModel, TheDestructorStopsAndJoins) {
  EXPECT_TRUE(Holds(2, [](Execution& /*run*/) {
    Var<int> done = 0;
    {
      Thread thread([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) explore::Yield();
        done = 1;
      });
      thread.Start();
    }
    explore::Check(done == 1);
  }));
}

// The function may destroy the Thread that runs it, and ends as usual.
TEST(ThreadModel, ItMayDestroyItsOwnThread) {
  EXPECT_TRUE(Holds(2, [](Execution& /*run*/) {
    auto* const holder = new std::unique_ptr<Thread>;
    *holder = std::make_unique<Thread>([holder] { delete holder; });
    (*holder)->Start();
  }));
}

TEST(ThreadModel, AStartThatTheSystemRefusesChangesNothing) {
  Options options;
  options.thread_start_failures = 1;
  options.bound = 2;
  EXPECT_TRUE(Explore(options, [](Execution& /*run*/) {
    Var<int> done = 0;
    Thread thread([&] { done = 1; });
    bool started = true;
    try {
      thread.Start();
    } catch (const std::system_error&) {
      started = false;
    }
    if (!started) {
      explore::Check(!thread.IsAlive());
      explore::Check(!thread.ident().has_value());
      thread.Start();
    }
    explore::Check(thread.Join());
    explore::Check(done == 1);
  }));
}

TEST(ThreadModel, OfTwoStartsOneIsRefused) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    internal::Atomic<int> runs{0};
    Thread thread([&] { runs.fetch_add(1, std::memory_order_relaxed); });
    int refused = 0;
    const auto start = [&] {
      try {
        thread.Start();
      } catch (const std::logic_error&) {
        ++refused;
      }
    };
    run.Run(start, start);
    explore::Check(thread.Join());
    explore::Check(refused == 1);
    explore::Check(runs.load(std::memory_order_relaxed) == 1);
  }));
}

TEST(TimerModel, RunsOrIsCancelledAndNothingElse) {
  EXPECT_TRUE(Holds(1, [](Execution& /*run*/) {
    Var<int> runs = 0;
    Timer timer(absl::Seconds(1), [&] { ++runs; });
    timer.Start();
    const bool cancelled = timer.Cancel();
    explore::Check(timer.Join());
    explore::Check(runs == (cancelled ? 0 : 1));
  }));
}

}  // namespace
}  // namespace heddle
