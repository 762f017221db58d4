// The engine itself: that it finds each kind of failure, covers what it says it
// covers, and replays what it found.

#include "heddle/tools/explore/explore.h"

#include <atomic>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/tools/explore/atomic.h"
#include "heddle/tools/explore/model.h"
#include "heddle/tools/explore/stop_callback.h"
#include "heddle/tools/explore/var.h"

namespace heddle {
namespace explore {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

void LosesAnUpdate(Execution& run) {
  Atomic<int> count{0};
  run.Name(count, "count");
  const auto add = [&] { count.store(count.load() + 1); };
  run.Run(add, add);
  Check(count.load() == 2, "both were counted");
}

TEST(ExploreTest, FindsALostUpdateUnderEveryStrategy) {
  for (const Search search :
       {Search::kExhaustive, Search::kPct, Search::kRandom}) {
    Options options;
    options.search = search;
    options.max_executions = 1000;
    EXPECT_TRUE(Finds(FailureKind::kCheck, options, LosesAnUpdate));
  }
}

TEST(ExploreTest, TheSeedReplaysAndTheReportReadsAsAnInterleaving) {
  const Result result = Explore({}, LosesAnUpdate);
  ASSERT_EQ(result.kind, FailureKind::kCheck);
  for (int i = 0; i < 3; ++i) {
    Options options;
    options.replay = result.seed;
    const Result again = Explore(options, LosesAnUpdate);
    EXPECT_EQ(again.kind, FailureKind::kCheck);
    EXPECT_EQ(again.executions, 1);
    EXPECT_EQ(again.report.substr(again.report.find(':')),
              result.report.substr(result.report.find(':')));
  }
  for (const char* part :
       {"count.load(seq_cst) = 0", "count.store(1, seq_cst)", "thread 1",
        "thread 2", "explore_test.cc:", "both were counted"}) {
    EXPECT_NE(result.report.find(part), std::string::npos)
        << part << " is not in\n"
        << result.report;
  }
}

TEST(ExploreTest, ExpectationsOfABodyAreFailuresOfItsExecution) {
  EXPECT_TRUE(Finds(FailureKind::kCheck, {}, [](Execution& run) {
    Atomic<int> x{0};
    int seen = 0;
    run.Run([&] { x.store(1); }, [&] { seen = x.load(); });
    EXPECT_EQ(seen, 1);
  }));
}

TEST(ExploreTest, AssertIsAFailureToo) {
  EXPECT_TRUE(Finds(FailureKind::kCheck, {}, [](Execution& run) {
    Atomic<int> x{0};
    run.Run([&] { x.store(1); }, [&] { assert(x.load() == 0); });
  }));
}

TEST(ExploreTest, FindsADataRaceInASingleSchedule) {
  Options options;
  options.bound = 0;
  const auto publish = [](std::memory_order order) {
    return [order](Execution& run) {
      Var<int> data = 0;
      Atomic<bool> ready{false};
      run.Run(
          [&] {
            data = 1;
            ready.store(true, order);
          },
          [&] {
            if (ready.load(kAcquire)) Check(data == 1);
          });
    };
  };
  EXPECT_TRUE(Finds(FailureKind::kDataRace, options, publish(kRelaxed)));
  EXPECT_TRUE(Explore({}, publish(kRelease)));
}

TEST(ExploreTest, FindsADeadlock) {
  EXPECT_TRUE(Finds(FailureKind::kDeadlock, {}, [](Execution& run) {
    Atomic<uint32_t> word{0};
    run.Run([&] { FutexSleep(&word, 0, false, 0); });
  }));
}

TEST(ExploreTest, ASpuriousWakeUpDoesNotHideALostOne) {
  EXPECT_TRUE(Finds(FailureKind::kDeadlock, {}, [](Execution& run) {
    Atomic<uint32_t> word{0};
    run.Run(
        [&] {
          while (word.load(kAcquire) == 0) FutexSleep(&word, 0, false, 0);
        },
        [&] { word.store(1, kRelease); });
  }));
}

TEST(ExploreTest, FindsWhoTakesAWakeUpForAReason) {
  const auto wait_once = [](Execution& run) {
    Atomic<uint32_t> word{0};
    run.Run(
        [&] {
          FutexSleep(&word, 0, false, 0);
          // A futex orders nothing, so only a seq_cst load sees the store.
          Check(word.load() == 1);
        },
        [&] {
          word.store(1);
          FutexWake(&word, false);
        });
  };
  EXPECT_TRUE(Finds(FailureKind::kCheck, {}, wait_once));
  Options options;
  options.spurious = 0;
  EXPECT_TRUE(Explore(options, wait_once));
}

TEST(ExploreTest, ATimeoutMayPassAtAnyMoment) {
  std::set<int> outcomes;
  EXPECT_TRUE(Explore({}, [&](Execution& run) {
    Atomic<uint32_t> word{0};
    int outcome = 0;
    run.Run(
        [&] {
          const bool in_time = FutexSleep(&word, 0, true, Now() + 5);
          outcome = (in_time ? 2 : 0) + (word.load() == 1 ? 1 : 0);
        },
        [&] {
          word.store(1);
          FutexWake(&word, false);
        });
    const Outside outside;
    outcomes.insert(outcome);
  }));
  EXPECT_EQ(outcomes, (std::set<int>{0, 1, 2, 3}));
}

TEST(ExploreTest, FindsALivelock) {
  Options options;
  options.max_steps = 500;
  EXPECT_TRUE(Finds(FailureKind::kLivelock, options, [](Execution& run) {
    Atomic<bool> never{false};
    run.Run([&] {
      while (!never.load(kRelaxed)) {
      }
    });
  }));
}

TEST(ExploreTest, AThreadThatSpinsLetsOthersGo) {
  EXPECT_TRUE(Explore({}, [](Execution& run) {
    Atomic<bool> done{false};
    run.Run(
        [&] {
          while (!done.load(kAcquire)) {
          }
        },
        [&] { done.store(true, kRelease); });
  }));
}

TEST(ExploreTest, FindsAUseAfterTheEnd) {
  EXPECT_TRUE(Finds(FailureKind::kUseAfterDestroy, {}, [](Execution& run) {
    auto* const flag = new Atomic<bool>(false);
    run.Run([=] { delete flag; }, [=] { flag->store(true); });
  }));
}

// Destroyed after the last access in time, but nothing made it so.
TEST(ExploreTest, FindsADestructionThatNothingOrdersAfterTheLastUse) {
  const auto drop = [](std::memory_order order) {
    return [order](Execution& run) {
      auto* const references = new Atomic<int>(2);
      const auto release = [=] {
        if (references->fetch_sub(1, order) == 1) delete references;
      };
      run.Run(release, release);
    };
  };
  EXPECT_TRUE(Finds(FailureKind::kDataRace, {}, drop(kRelaxed)));
  EXPECT_TRUE(Finds(FailureKind::kDataRace, {}, drop(kRelease)));
  EXPECT_TRUE(Explore({}, drop(std::memory_order_acq_rel)));
}

TEST(ExploreTest, FindsALeakAndADoubleFree) {
  EXPECT_TRUE(Finds(FailureKind::kLeak, {}, [](Execution& run) {
    Atomic<int*> slot{nullptr};
    const auto put = [&] { delete slot.exchange(new int(1)); };
    run.Run(put, put);
  }));
  EXPECT_TRUE(Finds(FailureKind::kUseAfterDestroy, {}, [](Execution& run) {
    Atomic<int*> slot{new int(1)};
    const auto take = [&] {
      delete slot.load();
      slot.store(nullptr);
    };
    run.Run(take, take);
  }));
}

TEST(ExploreTest, ACrashIsAFailureWithASeed) {
  const Result result = Explore({}, [](Execution& run) {
    Atomic<int*> slot{nullptr};
    int value = 0;
    run.Run([&] { slot.store(&value); },
            [&] { *static_cast<volatile int*>(slot.load()) = 1; });
  });
  EXPECT_EQ(result.kind, FailureKind::kCrash) << result.report;
  EXPECT_NE(result.report.find("SIGSEGV"), std::string::npos);
}

TEST(ExploreTest, AStackThatOverflowsIsACrash) {
  EXPECT_TRUE(Finds(FailureKind::kCrash, {}, [](Execution& run) {
    struct Deep {
      static int Go(int depth) {
        volatile char frame[1024] = {};
        frame[0] = static_cast<char>(depth);
        return depth == 0 ? 0 : Go(depth - 1) + frame[0];
      }
    };
    run.Run([] { Check(Deep::Go(1'000'000) != 1); });
  }));
}

TEST(ExploreTest, TheStopCallbacksDestructorWaitsForACallThatIsRunning) {
  EXPECT_TRUE(Explore({}, [](Execution& run) {
    std::stop_source stop;
    Atomic<int> steps{0};
    run.Run(
        [&] {
          const auto step_twice = [&] {
            steps.fetch_add(1, kRelaxed);
            steps.fetch_add(1, kRelaxed);
          };
          { const StopCallback callback(stop.get_token(), step_twice); }
          const int now = steps.load(kRelaxed);
          Check(now == 0 || now == 2, "it has not begun or has ended");
        },
        [&] { stop.request_stop(); });
  }));
}

TEST(ExploreTest, ChoosesEachNumber) {
  std::set<int> seen;
  const Result result = Explore({}, [&](Execution& run) {
    const int choice = 3 * run.Choose(3) + run.Choose(3);
    const Outside outside;
    seen.insert(choice);
  });
  EXPECT_EQ(seen.size(), 9u);
  EXPECT_EQ(result.executions, 9);
  EXPECT_TRUE(result.complete);
}

TEST(ExploreTest, TheBoundCountsPreemptions) {
  const auto steps = [](Execution& run) {
    Atomic<int> x{0};
    const auto two = [&] {
      x.fetch_add(1, kRelaxed);
      x.fetch_add(1, kRelaxed);
    };
    run.Run(two, two);
  };
  // Two in a row, and the same with one or two switches in the middle.
  const int64_t expected[] = {2, 2 + 4, 2 + 4 + 6};
  for (int bound = 0; bound < 3; ++bound) {
    Options options;
    options.bound = bound;
    const Result result = Explore(options, steps);
    EXPECT_TRUE(result.complete);
    EXPECT_EQ(result.executions, expected[bound]) << bound;
  }
}

// What outlives an execution begins each of them as it was before the first,
// also after one that was given up halfway.
TEST(ExploreTest, GlobalsAreAsTheyWere) {
  static Atomic<int> atomic{7};
  static Var<int> plain = 8;
  const auto body = [](Execution& run) {
    Check(atomic.load() == 7 && plain == 8, "as before");
    plain = 9;
    run.Run([] { atomic.fetch_add(1); });
    Check(run.Choose(2) == 0, "the second ends here");
  };
  const Result result = Explore({}, body);
  EXPECT_NE(result.report.find("the second ends here"), std::string::npos);
  EXPECT_EQ(atomic.load(), 7);
  EXPECT_EQ(plain, 8);
}

TEST(ExploreTest, FreedMemoryIsUsedAgainIfAsked) {
  const auto body = [](Execution& run) {
    run.Run([] {
      // Calls, which a compiler may not leave out as it may an expression.
      void* const first = ::operator new(8);
      ::operator delete(first);
      void* const second = ::operator new(8);
      const bool same = first == second;
      ::operator delete(second);
      Check(!same);
    });
  };
  EXPECT_TRUE(Explore({}, body));
  Options options;
  options.reuse_memory = true;
  EXPECT_TRUE(Finds(FailureKind::kCheck, options, body));
}

TEST(ExploreTest, TheSystemMayRefuseAThread) {
  Options options;
  options.thread_start_failures = 1;
  EXPECT_TRUE(Finds(FailureKind::kCheck, options, [](Execution& run) {
    const int thread = run.Start([] {});
    Check(thread >= 0, "there is a thread");
    run.Join(thread);
  }));
}

TEST(ExploreTest, EachThreadHasPointersOfItsOwn) {
  EXPECT_TRUE(Explore({}, [](Execution& run) {
    Atomic<int> step{0};
    const auto keep = [&](int* value) {
      Check(PerThread(0) == nullptr);
      PerThread(0) = value;
      step.fetch_add(1);
      Check(PerThread(0) == value);
    };
    int first = 0;
    int second = 0;
    run.Run([&] { keep(&first); }, [&] { keep(&second); });
  }));
}

TEST(ExploreTest, AModelThatNeverFailsIsNotFound) {
  const testing::AssertionResult found =
      Finds(FailureKind::kDeadlock, {}, [](Execution& run) { run.Run([] {}); });
  EXPECT_FALSE(found);
  EXPECT_NE(std::string(found.message()).find("which are all"),
            std::string::npos);
}

}  // namespace
}  // namespace explore
}  // namespace heddle
