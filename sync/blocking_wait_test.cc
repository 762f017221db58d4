// What every blocking wait of sync/ promises, whatever it waits for: see
// sync/internal/wait_subjects.h for who is tested.

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/internal/wait_subjects.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using internal::RunConcurrently;
using sync_internal::AllWaitSubjects;
using sync_internal::Background;
using sync_internal::NameOfKind;
using sync_internal::WaitSubject;
using sync_internal::WaitSubjectKind;
using sync_internal::WaitSubjectsNotThat;
using sync_internal::WaitSubjectsThat;

std::stop_token RequestedStop() {
  std::stop_source stop;
  stop.request_stop();
  return stop.get_token();
}

Background Waiting(WaitSubject& subject, const WaitLimit& limit) {
  return Background([&subject, limit] { return subject.Wait(limit); });
}

void AwaitWaitersOf(const WaitSubject& subject, int count) {
  while (subject.waiters() < count) std::this_thread::yield();
}

// It is as if nobody had waited: the next one waits, and is released.
void ExpectIntact(WaitSubject& subject) {
  subject.Mend();
  EXPECT_EQ(subject.waiters(), 0);
  EXPECT_FALSE(subject.Wait(absl::ZeroDuration()));
  subject.Mend();
  Background next([&] { return subject.Wait(); });
  AwaitWaitersOf(subject, 1);
  subject.Release(1);
  EXPECT_TRUE(next.Result());
}

class BlockingWaitTest : public testing::TestWithParam<WaitSubjectKind> {};
INSTANTIATE_TEST_SUITE_P(Of, BlockingWaitTest,
                         testing::ValuesIn(AllWaitSubjects()), NameOfKind);
class ReadyWaitTest : public testing::TestWithParam<WaitSubjectKind> {};
INSTANTIATE_TEST_SUITE_P(
    Of, ReadyWaitTest,
    testing::ValuesIn(WaitSubjectsThat(&WaitSubjectKind::opens)), NameOfKind);
class SeparateWaitTest : public testing::TestWithParam<WaitSubjectKind> {};
INSTANTIATE_TEST_SUITE_P(
    Of, SeparateWaitTest,
    testing::ValuesIn(WaitSubjectsNotThat(&WaitSubjectKind::breaks)),
    NameOfKind);
class CountedWaitTest : public testing::TestWithParam<WaitSubjectKind> {};
INSTANTIATE_TEST_SUITE_P(
    Of, CountedWaitTest,
    testing::ValuesIn(WaitSubjectsThat(&WaitSubjectKind::counts)), NameOfKind);
// Nobody, without exceptions.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BreakingWaitTest);
class BreakingWaitTest : public testing::TestWithParam<WaitSubjectKind> {};
INSTANTIATE_TEST_SUITE_P(
    Of, BreakingWaitTest,
    testing::ValuesIn(WaitSubjectsThat(&WaitSubjectKind::breaks)), NameOfKind);

TEST_P(ReadyWaitTest, WhatIsReadyOnEntryWinsOverEveryLimit) {
  const std::vector<WaitLimit> limits = {
      WaitLimit(),
      absl::ZeroDuration(),
      -absl::Nanoseconds(1),
      -absl::InfiniteDuration(),
      RequestedStop(),
      {absl::InfiniteDuration(), RequestedStop()},
      {absl::Hours(1), RequestedStop()},
      {-absl::Seconds(1), RequestedStop()},
      WaitLimit(absl::ZeroDuration()).Started()};
  for (const WaitLimit& limit : limits) {
    const std::unique_ptr<WaitSubject> made = GetParam().make(1);
    WaitSubject& subject = *made;
    subject.Open();
    EXPECT_TRUE(subject.Wait(limit));
  }
}

TEST_P(ReadyWaitTest, WhatIsReadyOnEntryWinsAfterSomebodyWaitedInVain) {
  ManualClock clock;
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  Background gives_up = Waiting(subject, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(gives_up.Result());  // may leave a mark that one was queued
  subject.Mend();
  subject.Open();
  EXPECT_TRUE(subject.Wait({absl::ZeroDuration(), RequestedStop()}));
}

TEST_P(BlockingWaitTest, ZeroAndNegativeLimitsMeanOneLook) {
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Nanoseconds(1), -absl::Seconds(1),
        -absl::InfiniteDuration()}) {
    EXPECT_FALSE(subject.Wait(timeout)) << timeout;
    subject.Mend();
  }
  ExpectIntact(subject);
}

TEST_P(BlockingWaitTest, WaitWithoutALimitEndsWhenItIsReleased) {
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  Background waiting([&] { return subject.Wait(); });
  AwaitWaitersOf(subject, 1);
  EXPECT_TRUE(waiting.IsAlive());
  subject.Release(1);
  EXPECT_TRUE(waiting.Result());
  EXPECT_EQ(subject.waiters(), 0);
}

TEST_P(BlockingWaitTest, LimitedWaitEndsWhenItIsReleased) {
  ManualClock clock;
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  Background waiting = Waiting(subject, absl::Hours(1));
  clock.AwaitSleepers(1);
  subject.Release(1);
  EXPECT_TRUE(waiting.Result());
}

TEST_P(BlockingWaitTest, LimitThatPassesEndsTheWaitNotBeforeItsTime) {
  ManualClock clock;
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  Background waiting = Waiting(subject, absl::Seconds(1));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_TRUE(waiting.IsAlive());
  EXPECT_EQ(subject.waiters(), 1);
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(waiting.Result());
  ExpectIntact(subject);
}

TEST_P(BlockingWaitTest, WhoWasReleasedHasWonThoughItsLimitPassesNow) {
  ManualClock clock;
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  Background waiting = Waiting(subject, absl::Seconds(1));
  clock.AwaitSleepers(1);
  subject.Release(1);
  clock.Advance(absl::Seconds(2));
  EXPECT_TRUE(waiting.Result());
}

TEST_P(BlockingWaitTest, StopRequestedBeforeEndsTheWaitAtOnce) {
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  EXPECT_FALSE(subject.Wait(RequestedStop()));
  subject.Mend();
  EXPECT_FALSE(subject.Wait({absl::InfiniteDuration(), RequestedStop()}));
  subject.Mend();
  EXPECT_FALSE(subject.Wait({absl::Hours(1), RequestedStop()}));
  ExpectIntact(subject);
}

TEST_P(BlockingWaitTest, StopRequestedDuringEndsTheWait) {
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  std::stop_source stop;
  Background waiting = Waiting(subject, stop.get_token());
  AwaitWaitersOf(subject, 1);
  stop.request_stop();
  EXPECT_FALSE(waiting.Result());
  ExpectIntact(subject);
}

TEST_P(BlockingWaitTest, StopRequestedWhileItSleepsEndsTheWait) {
  ManualClock clock;
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  std::stop_source stop;
  Background waiting = Waiting(subject, {absl::Hours(1), stop.get_token()});
  clock.AwaitSleepers(1);
  stop.request_stop();
  EXPECT_FALSE(waiting.Result());
  ExpectIntact(subject);
}

TEST_P(BlockingWaitTest, StopWhileTheWaitBeginsEndsIt) {
  constexpr int kIterations = 100;
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  std::vector<std::stop_source> stops(kIterations);
  size_t waiting = 0;
  size_t stopping = 0;
  RunConcurrently(
      kIterations,
      [&] {
        EXPECT_FALSE(subject.Wait(stops[waiting++].get_token()));
        subject.Mend();
      },
      [&] { stops[stopping++].request_stop(); });
  ExpectIntact(subject);
}

using MakeLimit = std::function<WaitLimit(const std::stop_source&)>;
using GiveUp = std::function<void(ManualClock&, std::stop_source&)>;

// Whoever gives up, and wherever it stands in the queue, the others are still
// released, and by as many releases as there are of them.
void ExpectOthersStay(const WaitSubjectKind& kind, const MakeLimit& make_limit,
                      const GiveUp& give_up) {
  constexpr int kThreads = 3;
  for (int leaver = 0; leaver < kThreads; ++leaver) {
    ManualClock clock;
    std::stop_source stop;
    const std::unique_ptr<WaitSubject> made = kind.make(kThreads - 1);
    WaitSubject& subject = *made;
    std::deque<Background> threads;
    for (int i = 0; i < kThreads; ++i) {
      const WaitLimit limit =
          i == leaver ? make_limit(stop) : WaitLimit(absl::Hours(2));
      threads.emplace_back([&subject, limit] { return subject.Wait(limit); });
      clock.AwaitSleepers(static_cast<size_t>(i) + 1);
    }
    give_up(clock, stop);
    EXPECT_FALSE(threads[static_cast<size_t>(leaver)].Result());
    EXPECT_EQ(subject.waiters(), kThreads - 1);
    subject.Release(kThreads - 1);
    for (int i = 0; i < kThreads; ++i) {
      if (i == leaver) continue;
      EXPECT_TRUE(threads[static_cast<size_t>(i)].Result());
    }
  }
}

TEST_P(SeparateWaitTest, StopEndsExactlyTheWaitThatItBelongsTo) {
  ExpectOthersStay(
      GetParam(),
      [](const std::stop_source& stop) {
        return WaitLimit(absl::Hours(2), stop.get_token());
      },
      [](ManualClock&, std::stop_source& stop) { stop.request_stop(); });
}

TEST_P(SeparateWaitTest, LimitThatPassesEndsExactlyTheWaitItBelongsTo) {
  ExpectOthersStay(
      GetParam(),
      [](const std::stop_source&) { return WaitLimit(absl::Hours(1)); },
      [](ManualClock& clock, std::stop_source&) {
        clock.Advance(absl::Hours(1));
      });
}

TEST_P(BreakingWaitTest, AWaitInVainBreaksABarrierForAll) {
  ManualClock clock;
  std::stop_source stop;
  const std::unique_ptr<WaitSubject> made = GetParam().make(3);
  WaitSubject& subject = *made;
  Background stays = Waiting(subject, absl::Hours(1));
  Background stopped = Waiting(subject, {absl::Hours(1), stop.get_token()});
  Background stays_too = Waiting(subject, absl::Hours(1));
  clock.AwaitSleepers(3);
  stop.request_stop();
  EXPECT_FALSE(stopped.Result());
  EXPECT_FALSE(stays.Result());
  EXPECT_FALSE(stays_too.Result());
}

TEST_P(BlockingWaitTest, EverybodyOfManyIsReleased) {
  constexpr int kThreads = 40;
  const std::unique_ptr<WaitSubject> made = GetParam().make(kThreads);
  WaitSubject& subject = *made;
  std::deque<Background> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&subject] { return subject.Wait(); });
  }
  AwaitWaitersOf(subject, kThreads);
  subject.Release(kThreads);
  for (Background& thread : threads) EXPECT_TRUE(thread.Result());
  EXPECT_EQ(subject.waiters(), 0);
}

TEST_P(CountedWaitTest, OneReleaseLetsExactlyOneGo) {
  ManualClock clock;
  constexpr int kThreads = 4;
  const std::unique_ptr<WaitSubject> made = GetParam().make(kThreads);
  WaitSubject& subject = *made;
  std::deque<Background> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&subject] { return subject.Wait(absl::Hours(1)); });
    clock.AwaitSleepers(static_cast<size_t>(i) + 1);
  }
  // Oldest first.
  for (int i = 0; i < kThreads; ++i) {
    subject.Release(1);
    EXPECT_TRUE(threads[static_cast<size_t>(i)].Result());
    EXPECT_EQ(subject.waiters(), kThreads - 1 - i);
  }
}

TEST_P(CountedWaitTest, ReleaseOfSomeLetsTheOldestGo) {
  ManualClock clock;
  const std::unique_ptr<WaitSubject> made = GetParam().make(5);
  WaitSubject& subject = *made;
  std::deque<Background> threads;
  for (size_t i = 0; i < 5; ++i) {
    threads.emplace_back([&subject] { return subject.Wait(absl::Hours(1)); });
    clock.AwaitSleepers(i + 1);
  }
  subject.Release(3);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(threads[i].Result());
  EXPECT_EQ(subject.waiters(), 2);
  clock.Advance(absl::Hours(1));
  EXPECT_FALSE(threads[3].Result());
  EXPECT_FALSE(threads[4].Result());
}

// A subject for each iteration, made by one thread for the others to take.
class Handed {
 public:
  WaitSubject& Make(std::unique_ptr<WaitSubject> subject) {
    subject_ = std::move(subject);
    current_.store(subject_.get());
    return *subject_;
  }
  WaitSubject& Get() const {
    WaitSubject* subject;
    while ((subject = current_.load()) == nullptr) std::this_thread::yield();
    return *subject;
  }
  // By who made it, when all have done with it.
  void Take() {
    current_.store(nullptr);
    subject_.reset();
  }

 private:
  std::unique_ptr<WaitSubject> subject_;
  std::atomic<WaitSubject*> current_{nullptr};
};

// The releases come before, while, and after the waits begin. If a wake-up were
// lost, one of them would not end. Under ThreadSanitizer it also tells whether
// what came before the release is visible after the wait.
TEST_P(ReadyWaitTest, ReleaseAtAnyMomentEndsTheWait) {
  constexpr int kIterations = 100;
  Handed handed;
  std::atomic<int> done{0};
  int message = 0;
  int sent = 0;
  const auto wait = [&](int& received) {
    EXPECT_TRUE(handed.Get().Wait());
    EXPECT_EQ(message, ++received);
    ++done;
  };
  int first = 0;
  int second = 0;
  RunConcurrently(
      kIterations,
      [&] {
        WaitSubject& subject = handed.Make(GetParam().make(2));
        const int before = sent % 3;
        if (before > 0) AwaitWaitersOf(subject, before);
        message = ++sent;
        subject.Release(2);
        while (done.load() < 2) std::this_thread::yield();
        done.store(0);
        handed.Take();
      },
      [&] {
        wait(first);
        while (done.load() != 0) std::this_thread::yield();
      },
      [&] {
        wait(second);
        while (done.load() != 0) std::this_thread::yield();
      });
}

// Two wait; the older one gives up at the moment at which one is released. If
// it says that it gave up, the release must have reached the other.
void ExpectNoReleaseIsLost(const WaitSubjectKind& kind,
                           const MakeLimit& make_limit, const GiveUp& give_up) {
  constexpr int kIterations = 100;
  ManualClock clock;
  struct Case {
    std::unique_ptr<WaitSubject> subject;
    std::stop_source stop;
    std::atomic<int> queued{0};
    std::atomic<int> older{-1};
    std::atomic<int> younger{-1};
  };
  std::deque<Case> cases(kIterations);
  size_t older = 0;
  size_t younger = 0;
  size_t releasing = 0;
  size_t giving_up = 0;
  const auto await = [](const std::atomic<int>& value, int at_least) {
    while (value.load() < at_least) std::this_thread::yield();
  };
  RunConcurrently(
      kIterations,
      [&] {
        Case& c = cases[older++];
        await(c.queued, 1);
        c.older.store(c.subject->Wait(make_limit(c.stop)) ? 1 : 0);
      },
      [&] {
        Case& c = cases[younger++];
        await(c.queued, 2);
        c.younger.store(c.subject->Wait() ? 1 : 0);
      },
      [&] {
        Case& c = cases[releasing++];
        c.subject = kind.make(2);
        c.queued.store(1);
        AwaitWaitersOf(*c.subject, 1);
        c.queued.store(2);
        AwaitWaitersOf(*c.subject, 2);
        c.queued.store(3);
        c.subject->Release(1);
        await(c.older, 0);
        if (kind.counts && c.older.load() == 1) c.subject->Release(1);
        await(c.younger, 0);
        if (kind.breaks) {
          EXPECT_EQ(c.younger.load(), c.older.load());
          c.subject->Mend();
        } else {
          EXPECT_EQ(c.younger.load(), 1);
        }
        EXPECT_EQ(c.subject->waiters(), 0);
      },
      [&] {
        Case& c = cases[giving_up++];
        await(c.queued, 3);
        give_up(clock, c.stop);
      });
}

TEST_P(BlockingWaitTest, NoReleaseIsLostToAWaitThatIsStopped) {
  ExpectNoReleaseIsLost(
      GetParam(),
      [](const std::stop_source& stop) { return WaitLimit(stop.get_token()); },
      [](ManualClock&, std::stop_source& stop) { stop.request_stop(); });
}

TEST_P(BlockingWaitTest, NoReleaseIsLostToAWaitWhoseLimitPasses) {
  ExpectNoReleaseIsLost(
      GetParam(),
      [](const std::stop_source&) { return WaitLimit(absl::Seconds(1)); },
      [](ManualClock& clock, std::stop_source&) {
        clock.Advance(absl::Seconds(1));
      });
}

}  // namespace
}  // namespace heddle
