#include "heddle/sync/barrier.h"

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/event.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;
using sync_internal::AwaitWaiters;
using sync_internal::Background;

// What all blocking waits promise is tested in blocking_wait_test.cc.

TEST(BarrierTest, IsSmallAndNeitherCopiedNorMoved) {
  EXPECT_LE(sizeof(Barrier), 64u);
  EXPECT_FALSE(std::is_copy_constructible_v<Barrier>);
  EXPECT_FALSE(std::is_move_constructible_v<Barrier>);
  EXPECT_TRUE((std::is_base_of_v<std::runtime_error, BrokenBarrierError>));
}

TEST(BarrierTest, OfOneNeverBlocks) {
  Barrier barrier(1);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(barrier.Wait(), 0);
  EXPECT_EQ(barrier.Wait(absl::ZeroDuration()), 0);
  EXPECT_EQ(barrier.Wait(-absl::InfiniteDuration()), 0);
  EXPECT_EQ(barrier.Wait(stop.get_token()), 0);
  EXPECT_FALSE(barrier.broken());
}

TEST(BarrierTest, OfOneRunsItsActionEachTime) {
  int actions = 0;
  Barrier barrier(1, [&] { ++actions; });
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(barrier.Wait(), 0);
    EXPECT_EQ(actions, i);
  }
}

TEST(BarrierTest, IndexIsTheOrderOfArrival) {
  constexpr int kParties = 5;
  Barrier barrier(kParties);
  for (int meeting = 0; meeting < 3; ++meeting) {
    std::deque<Background> threads;
    for (int i = 0; i < kParties - 1; ++i) {
      EXPECT_EQ(barrier.waiting(), i);
      threads.emplace_back([&] { return barrier.Wait(); });
      AwaitWaiters(barrier, i + 1);
    }
    EXPECT_EQ(barrier.waiting(), kParties - 1);
    EXPECT_EQ(barrier.Wait(), kParties - 1);
    EXPECT_EQ(barrier.waiting(), 0);
    for (int i = 0; i < kParties - 1; ++i) {
      EXPECT_EQ(threads[static_cast<size_t>(i)].Result(), i);
    }
  }
}

// Nobody is a meeting ahead, and each index occurs once in each.
TEST(BarrierTest, ThreadsMeetAgainAndAgain) {
  constexpr int kParties = 4;
  constexpr int kMeetings = 500;
  Barrier barrier(kParties);
  std::vector<std::atomic<int>> arrived(kMeetings);
  std::vector<std::atomic<unsigned>> indices(kMeetings);
  std::vector<std::function<void()>> threads(kParties, [&] {
    for (size_t i = 0; i < kMeetings; ++i) {
      ++arrived[i];
      const int index = barrier.Wait();
      EXPECT_EQ(arrived[i].load(), kParties);
      indices[i].fetch_or(1u << index);
    }
  });
  RunConcurrently(1, threads);
  for (const std::atomic<unsigned>& seen : indices) {
    ASSERT_EQ(seen.load(), (1u << kParties) - 1);
  }
}

// Without atomics: the barrier orders, and ThreadSanitizer watches.
TEST(BarrierTest, ActionRunsBetweenWhatCameBeforeAndWhatComesAfter) {
  constexpr size_t kParties = 3;
  constexpr int kMeetings = 500;
  int parts[kParties] = {};
  int sum = 0;
  struct {
    int (&parts)[kParties];
    int& sum;
  } shared{parts, sum};
  Barrier barrier(kParties, [&shared] {
    shared.sum = 0;
    for (const int part : shared.parts) shared.sum += part;
  });
  const auto work = [&](size_t mine) {
    for (int i = 1; i <= kMeetings; ++i) {
      parts[mine] = i;
      barrier.Wait();
      EXPECT_EQ(sum, static_cast<int>(kParties) * i);
      barrier.Wait();  // nobody writes before all have read
    }
  };
  RunConcurrently(
      1, [&] { work(0); }, [&] { work(1); }, [&] { work(2); });
}

TEST(BarrierTest, ActionIsRunByTheLastToArriveBeforeAnybodyGoes) {
  std::atomic<bool> acted{false};
  std::thread::id actor;
  Barrier barrier(3, [&] {
    actor = std::this_thread::get_id();
    // Those who wait cannot have gone; if one had, it would see false.
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    acted.store(true);
  });
  const auto wait = [&] {
    barrier.Wait();
    return acted.load();
  };
  Background first(wait);
  Background second(wait);
  AwaitWaiters(barrier, 2);
  EXPECT_FALSE(acted.load());
  EXPECT_EQ(barrier.Wait(), 2);
  EXPECT_EQ(actor, std::this_thread::get_id());
  EXPECT_TRUE(first.Result());
  EXPECT_TRUE(second.Result());
}

TEST(BarrierTest, ActionMayAskTheBarrierHowItIs) {
  struct Answers {
    Barrier* barrier = nullptr;
    int parties = -1;
    int waiting = -1;
    bool broken = true;
  } answers;
  Barrier barrier(2, [&answers] {
    answers.parties = answers.barrier->parties();
    answers.waiting = answers.barrier->waiting();
    answers.broken = answers.barrier->broken();
  });
  answers.barrier = &barrier;
  Background other([&] { return barrier.Wait(); });
  barrier.Wait();
  other.Result();
  EXPECT_EQ(answers.parties, 2);
  EXPECT_EQ(answers.waiting, 0);
  EXPECT_FALSE(answers.broken);
}

// The meeting is complete when its last party has come: what passes or happens
// while the action runs comes too late.
TEST(BarrierTest, CompleteMeetingIsNotDisturbedByLimitsStopsAndAborts) {
  for (const char* const what : {"limit", "stop", "abort", "reset"}) {
    SCOPED_TRACE(what);
    ManualClock clock;
    std::stop_source stop;
    struct {
      ManualClock* clock;
      std::stop_source* stop;
      Barrier* barrier = nullptr;
      char what;
    } shared{&clock, &stop, nullptr, what[0]};
    Barrier barrier(2, [&shared] {
      if (shared.what == 'l') shared.clock->Advance(absl::Hours(2));
      if (shared.what == 's') shared.stop->request_stop();
      if (shared.what == 'a') shared.barrier->Abort();
      if (shared.what == 'r') shared.barrier->Reset();
    });
    shared.barrier = &barrier;
    Background other([&] {
      return barrier.Wait({absl::Hours(1), stop.get_token()});
    });
    clock.AwaitSleepers(1);
    EXPECT_EQ(barrier.Wait(), 1);
    EXPECT_EQ(other.Result(), 0);
    EXPECT_EQ(barrier.broken(), what[0] == 'a');
  }
}

// Two meetings are complete while the action of the first still runs: the
// second's waits for its turn, and so do its threads.
TEST(BarrierTest, MeetingThatIsCompleteActsAfterTheOneBefore) {
  struct {
    Event may_end;
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
  } actions;
  Barrier barrier(2, [&actions] {
    ++actions.begun;
    actions.may_end.Wait();
    EXPECT_EQ(++actions.ended, actions.begun.load());
  });
  Background first([&] { return barrier.Wait(); });
  AwaitWaiters(barrier, 1);
  Background second([&] { return barrier.Wait(); });
  while (actions.begun.load() == 0) std::this_thread::yield();
  Background third([&] { return barrier.Wait(); });
  AwaitWaiters(barrier, 1);
  Background fourth([&] { return barrier.Wait(); });
  while (barrier.waiting() > 0) std::this_thread::yield();
  EXPECT_EQ(actions.begun.load(), 1);
  for (const Background* thread : {&first, &second, &third, &fourth}) {
    EXPECT_TRUE(thread->IsAlive());
  }
  actions.may_end.Set();
  EXPECT_EQ(first.Result(), 0);
  EXPECT_EQ(second.Result(), 1);
  EXPECT_EQ(third.Result(), 0);
  EXPECT_EQ(fourth.Result(), 1);
  EXPECT_EQ(actions.ended.load(), 2);
}

// More threads than parties, in meetings that overlap.
TEST(BarrierTest, MoreThreadsThanPartiesMeetInGroups) {
  constexpr int kMeetings = 600;
  struct {
    std::atomic<int> acting{0};
    std::atomic<int> acted{0};
  } actions;
  Barrier barrier(2, [&actions] {
    EXPECT_EQ(++actions.acting, 1);
    std::this_thread::yield();
    ++actions.acted;
    --actions.acting;
  });
  // By tickets, of which there is an even number: who waits with the last but
  // one is met by who has the last.
  std::atomic<int> left{2 * kMeetings};
  std::atomic<int> sum{0};
  std::vector<std::function<void()>> threads(6, [&] {
    while (left.fetch_sub(1) > 0) sum += barrier.Wait();
  });
  RunConcurrently(1, threads);
  EXPECT_EQ(actions.acted.load(), kMeetings);
  EXPECT_EQ(sum.load(), kMeetings);
  EXPECT_EQ(barrier.waiting(), 0);
}

#ifdef ABSL_HAVE_EXCEPTIONS
// What Wait() came to.
constexpr int kBroken = -1;
int Meet(Barrier& barrier, const WaitLimit& limit = {}) {
  try {
    return barrier.Wait(limit);
  } catch (const BrokenBarrierError&) {
    return kBroken;
  }
}

// Whole and empty: two can meet.
void ExpectWhole(Barrier& barrier) {
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.waiting(), 0);
  Background other([&] { return Meet(barrier); });
  AwaitWaiters(barrier, 1);
  EXPECT_EQ(Meet(barrier), 1);
  EXPECT_EQ(other.Result(), 0);
}

TEST(BarrierTest, NoPartiesAreAnError) {
  EXPECT_THROW(Barrier(0), std::invalid_argument);
  EXPECT_THROW(Barrier(-1), std::invalid_argument);
  EXPECT_THROW(Barrier(INT32_MIN, [] {}), std::invalid_argument);
  EXPECT_EQ(Barrier(INT32_MAX).parties(), INT32_MAX);
}

TEST(BarrierTest, LimitThatPassesBreaksItForAllUntilReset) {
  ManualClock clock;
  Barrier barrier(4);
  Background patient([&] { return Meet(barrier); });
  AwaitWaiters(barrier, 1);
  Background limited([&] { return Meet(barrier, absl::Seconds(1)); });
  clock.AwaitSleepers(1);
  Background other([&] { return Meet(barrier, absl::Hours(1)); });
  clock.AwaitSleepers(2);
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(limited.Result(), kBroken);
  EXPECT_EQ(patient.Result(), kBroken);
  EXPECT_EQ(other.Result(), kBroken);
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.waiting(), 0);
  // And it stays so.
  EXPECT_EQ(Meet(barrier), kBroken);
  EXPECT_EQ(Meet(barrier, absl::ZeroDuration()), kBroken);
  barrier.Reset();
  EXPECT_FALSE(barrier.broken());
}

TEST(BarrierTest, ErrorsSayWhatHappened) {
  const auto error_of = [](Barrier& barrier, const WaitLimit& limit) {
    try {
      barrier.Wait(limit);
    } catch (const BrokenBarrierError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  Barrier barrier(2);
  EXPECT_EQ(error_of(barrier, absl::ZeroDuration()),
            "Barrier::Wait: the limit has passed");
  EXPECT_EQ(error_of(barrier, {}), "Barrier::Wait: the barrier is broken");
  barrier.Reset();
  Background other([&] {
    EXPECT_EQ(error_of(barrier, {}), "Barrier::Wait: the barrier was broken");
    return 0;
  });
  AwaitWaiters(barrier, 1);
  barrier.Abort();
  other.Result();
}

TEST(BarrierTest, ConstructorsTimeoutHoldsUnlessAWaitNamesAnother) {
  ManualClock clock;
  Barrier barrier(2, absl::Seconds(10));
  Background by_default([&] { return Meet(barrier, {}); });  // names for ever
  AwaitWaiters(barrier, 1);
  EXPECT_EQ(barrier.Wait(), 1);
  EXPECT_EQ(by_default.Result(), 0);

  const auto wait = [&] {
    try {
      return barrier.Wait();
    } catch (const BrokenBarrierError&) {
      return kBroken;
    }
  };
  Background limited(wait);
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_TRUE(limited.IsAlive());
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(limited.Result(), kBroken);
  barrier.Reset();

  Background longer([&] { return Meet(barrier, absl::Seconds(20)); });
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(15));
  EXPECT_TRUE(longer.IsAlive());
  EXPECT_EQ(barrier.Wait(), 1);
  EXPECT_EQ(longer.Result(), 0);
}

TEST(BarrierTest, ConstructorTakesAnActionAndATimeout) {
  ManualClock clock;
  int actions = 0;
  Barrier barrier(
      2, [&] { ++actions; }, absl::Seconds(1));
  Background other([&] { return Meet(barrier, absl::Hours(1)); });
  clock.AwaitSleepers(1);
  EXPECT_EQ(barrier.Wait(), 1);
  EXPECT_EQ(other.Result(), 0);
  EXPECT_EQ(actions, 1);
  Background limited([&] {
    EXPECT_THROW(barrier.Wait(), BrokenBarrierError);
    return 0;
  });
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1));
  limited.Result();
  EXPECT_EQ(actions, 1);
}

struct ActionError {};

TEST(BarrierTest, WhatTheActionThrowsReachesTheLastAndBreaksItForTheRest) {
  bool fails = true;
  Barrier barrier(3, [&] {
    if (fails) throw ActionError();
  });
  Background first([&] { return Meet(barrier); });
  Background second([&] { return Meet(barrier); });
  AwaitWaiters(barrier, 2);
  EXPECT_THROW(barrier.Wait(), ActionError);
  EXPECT_EQ(first.Result(), kBroken);
  EXPECT_EQ(second.Result(), kBroken);
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(Meet(barrier), kBroken);
  fails = false;
  barrier.Reset();
  Background third([&] { return Meet(barrier); });
  Background fourth([&] { return Meet(barrier); });
  AwaitWaiters(barrier, 2);
  EXPECT_EQ(barrier.Wait(), 2);
  third.Result();
  fourth.Result();
}

TEST(BarrierTest, ActionThatThrowsKeepsItsObject) {
  const std::exception_ptr error =
      std::make_exception_ptr(std::runtime_error("of the action"));
  Barrier barrier(1, [&error] { std::rethrow_exception(error); });
  try {
    barrier.Wait();
    FAIL() << "no exception";
  } catch (const std::runtime_error&) {
    EXPECT_EQ(std::current_exception(), error);
  }
  EXPECT_TRUE(barrier.broken());
}

TEST(BarrierTest, AbortBreaksItForThoseWhoWaitAndThoseWhoCome) {
  Barrier barrier(3);
  Background first([&] { return Meet(barrier); });
  Background second([&] { return Meet(barrier, absl::Hours(1)); });
  AwaitWaiters(barrier, 2);
  barrier.Abort();
  EXPECT_EQ(first.Result(), kBroken);
  EXPECT_EQ(second.Result(), kBroken);
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.waiting(), 0);
  EXPECT_EQ(Meet(barrier), kBroken);
  barrier.Abort();  // twice is fine
  EXPECT_TRUE(barrier.broken());
}

TEST(BarrierTest, AbortWithNobodyThereBreaksItToo) {
  Barrier barrier(1);
  barrier.Abort();
  EXPECT_EQ(Meet(barrier), kBroken);
  barrier.Reset();
  EXPECT_EQ(Meet(barrier), 0);
}

TEST(BarrierTest, ResetWithNobodyThereOnlyMends) {
  Barrier barrier(2);
  barrier.Reset();
  ExpectWhole(barrier);
  barrier.Abort();
  barrier.Reset();
  ExpectWhole(barrier);
}

TEST(BarrierTest, ResetBreaksTheMeetingOfThoseWhoWaitAndTakesNewcomersAtOnce) {
  Barrier barrier(2);
  for (int i = 0; i < 20; ++i) {
    Background before([&] { return Meet(barrier); });
    AwaitWaiters(barrier, 1);
    barrier.Reset();
    EXPECT_FALSE(barrier.broken());
    EXPECT_EQ(barrier.waiting(), 0);
    // Those who were sent away may still be on their way out.
    Background after([&] { return Meet(barrier); });
    AwaitWaiters(barrier, 1);
    EXPECT_EQ(Meet(barrier), 1);
    EXPECT_EQ(after.Result(), 0);
    EXPECT_EQ(before.Result(), kBroken);
  }
}

// One that gives up after a Reset() belongs to a meeting that is no more: it
// must not break the new one.
TEST(BarrierTest, LateGiverUpDoesNotBreakTheNextMeeting) {
  constexpr int kIterations = 200;
  Barrier barrier(2);
  std::deque<std::stop_source> stops(kIterations);
  size_t waiting = 0;
  size_t stopping = 0;
  std::atomic<size_t> queued{0};  // in how many iterations somebody was
  std::atomic<size_t> met{0};
  RunConcurrently(
      kIterations,
      [&] {
        const std::stop_token token = stops[waiting++].get_token();
        EXPECT_EQ(Meet(barrier, token), kBroken);
        while (met.load() < waiting) std::this_thread::yield();
      },
      [&] {
        AwaitWaiters(barrier, 1);
        ++queued;
        barrier.Reset();
        Background other([&] { return Meet(barrier); });
        while (barrier.waiting() < 1 && other.IsAlive())
          std::this_thread::yield();
        EXPECT_EQ(Meet(barrier), 1);
        EXPECT_EQ(other.Result(), 0);
        ++met;
      },
      [&] {
        std::stop_source& stop = stops[stopping++];
        while (queued.load() < stopping) std::this_thread::yield();
        stop.request_stop();
      });
  EXPECT_FALSE(barrier.broken());
}

// Either all meet or all are sent away.
TEST(BarrierTest, AbortAgainstTheLastToArriveHasOneOutcomeForAll) {
  constexpr int kIterations = 300;
  std::deque<Barrier> barriers;
  for (int i = 0; i < kIterations; ++i) barriers.emplace_back(3);
  std::vector<std::atomic<int>> met(kIterations);
  size_t rounds[4] = {};
  const auto meet = [&](size_t& round) {
    const size_t mine = round++;
    if (Meet(barriers[mine]) != kBroken) ++met[mine];
  };
  RunConcurrently(
      kIterations, [&] { meet(rounds[0]); }, [&] { meet(rounds[1]); },
      [&] { meet(rounds[2]); }, [&] { barriers[rounds[3]++].Abort(); });
  for (size_t i = 0; i < kIterations; ++i) {
    ASSERT_TRUE(met[i].load() == 0 || met[i].load() == 3) << met[i].load();
    ASSERT_TRUE(barriers[i].broken());
  }
}

TEST(BarrierTest, LimitAgainstTheLastToArriveHasOneOutcomeForAll) {
  constexpr int kIterations = 300;
  std::deque<Barrier> barriers;
  for (int i = 0; i < kIterations; ++i) barriers.emplace_back(3);
  std::vector<std::atomic<int>> met(kIterations);
  size_t rounds[3] = {};
  const auto meet = [&](size_t& round, const WaitLimit& limit) {
    const size_t mine = round++;
    if (Meet(barriers[mine], limit) != kBroken) ++met[mine];
  };
  RunConcurrently(
      kIterations, [&] { meet(rounds[0], {}); },
      [&] {
        meet(rounds[1], absl::Microseconds(static_cast<int>(rounds[1]) % 60));
      },
      [&] { meet(rounds[2], {}); });
  for (size_t i = 0; i < kIterations; ++i) {
    ASSERT_EQ(met[i].load(), barriers[i].broken() ? 0 : 3);
  }
}
TEST(BarrierTest, TheActionMayNotWaitForItsOwnBarrier) {
  Barrier* own = nullptr;
  bool refused = false;
  Barrier barrier(1, [&] {
    EXPECT_THROW(own->Wait(absl::ZeroDuration()), std::logic_error);
    EXPECT_THROW(own->Wait(), std::logic_error);
    refused = true;
  });
  own = &barrier;
  EXPECT_EQ(barrier.Wait(), 0);
  EXPECT_TRUE(refused);
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.Wait(), 0);  // and afterwards anybody may
}

TEST(BarrierTest, TheActionMayWaitForAnotherBarrierButNotWithinThatForItsOwn) {
  Barrier* outer = nullptr;
  bool refused = false;
  Barrier inner(1, [&] {
    EXPECT_THROW(outer->Wait(), std::logic_error);
    refused = true;
  });
  Barrier barrier(1, [&] { inner.Wait(); });
  outer = &barrier;
  EXPECT_EQ(barrier.Wait(), 0);
  EXPECT_TRUE(refused);
}

TEST(BarrierTest, TheActionMayCallAllElse) {
  Barrier* own = nullptr;
  Barrier barrier(1, [&] {
    EXPECT_EQ(own->waiting(), 0);
    EXPECT_EQ(own->DebugString(), "Barrier(waiting=0/1)");
    own->Abort();
    EXPECT_TRUE(own->broken());
    own->Reset();
  });
  own = &barrier;
  EXPECT_EQ(barrier.Wait(), 0);
  EXPECT_EQ(barrier.Wait(), 0);
}
#else
TEST(BarrierDeathTest, ErrorsAreFatalWithoutExceptions) {
  EXPECT_DEATH(Barrier(0), "heddle: fatal: Barrier: the parties");
  EXPECT_DEATH(Barrier(2).Wait(absl::ZeroDuration()),
               "heddle: fatal: Barrier::Wait: the limit has passed");
}
#endif

TEST(BarrierTest, DebugStringTellsWhoWaitsAndWhetherItIsBroken) {
  Barrier barrier(2);
  EXPECT_EQ(barrier.DebugString(), "Barrier(waiting=0/2)");
  Background other([&] { return barrier.Wait(); });
  AwaitWaiters(barrier, 1);
  std::ostringstream out;
  out << barrier;
  EXPECT_EQ(out.str(), "Barrier(waiting=1/2)");
  barrier.Wait();
  other.Result();
  barrier.Abort();
  EXPECT_EQ(barrier.DebugString(), "Barrier(broken, waiting=0/2)");
}

#if defined(ABSL_HAVE_EXCEPTIONS) && defined(__GLIBC__)
TEST(BarrierTest, ActionThatEndsItsThreadBreaksIt) {
  bool is_first = true;
  Barrier barrier(2, [&is_first] {
    if (std::exchange(is_first, false)) pthread_exit(nullptr);
  });
  std::atomic<int> broken{0};
  const auto meet = [&] {
    try {
      barrier.Wait();
    } catch (const BrokenBarrierError&) {
      ++broken;
    }
  };
  Thread one(meet);
  Thread two(meet);
  one.Start();
  two.Start();
  one.Join();
  two.Join();
  EXPECT_EQ(broken, 1);  // the other has ended
  EXPECT_TRUE(barrier.broken());
  barrier.Reset();
  Thread three([&barrier] { barrier.Wait(); });
  three.Start();
  barrier.Wait();
  three.Join();
}
#endif

}  // namespace
}  // namespace heddle
