#include "heddle/thread/internal/futex.h"

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/failing_new.h"
#include "heddle/thread/internal/fork_child.h"
#include "heddle/thread/internal/manual_clock.h"

namespace heddle {
namespace internal {
namespace {

// A thread that sleeps on `word` while it is 0, as callers do: FutexWait() may
// return for no reason.
class Sleeper {
 public:
  explicit Sleeper(Atomic<uint32_t>& word)
      : thread_([this, &word] {
          begun_.store(true);
          while (word.load() == 0) FutexWait(word, 0, Deadline::Never());
        }) {
    while (!begun_.load()) std::this_thread::yield();
  }
  ~Sleeper() { thread_.join(); }

 private:
  std::atomic<bool> begun_{false};
  std::thread thread_;
};

TEST(FutexTest, WaitReturnsTrueAtOnceIfTheWordHoldsSomethingElse) {
  Atomic<uint32_t> word{1};
  EXPECT_TRUE(FutexWait(word, 0, Deadline::Never()));
  EXPECT_TRUE(FutexWait(word, 2, Deadline::Never()));
  EXPECT_TRUE(FutexWait(word, 0, Deadline::After(1'000'000'000)));
}

TEST(FutexTest, WaitUntilThePastReturnsFalseWithoutSleeping) {
  Atomic<uint32_t> word{0};
  EXPECT_FALSE(FutexWait(word, 0, Deadline::Past()));
  EXPECT_FALSE(FutexWait(word, 1, Deadline::Past()));
}

TEST(FutexTest, WaitUntilAPointThatHasPassedReturnsFalse) {
  Atomic<uint32_t> word{0};
  EXPECT_FALSE(FutexWait(word, 0, Deadline(Clock::Now())));
  EXPECT_FALSE(FutexWait(word, 0, Deadline(1)));
}

TEST(FutexTest, WaitReturnsFalseNotBeforeTheDeadline) {
  Atomic<uint32_t> word{0};
  const Deadline deadline = Deadline::After(2'000'000);
  while (FutexWait(word, 0, deadline)) {
  }
  EXPECT_TRUE(deadline.HasPassed());
}

TEST(FutexTest, WaitUntilTheFarFutureDoesNotEndByItsDeadline) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const int64_t nanos : {kMax, kMax - 1, kMax / 2}) {
    Atomic<uint32_t> word{0};
    std::atomic<bool> in_time{true};
    std::atomic<bool> begun{false};
    std::thread sleeper([&] {
      begun.store(true);
      while (word.load() == 0) {
        if (!FutexWait(word, 0, Deadline(nanos))) in_time.store(false);
      }
    });
    while (!begun.load()) std::this_thread::yield();
    word.store(1);
    FutexWakeAll(&word);
    sleeper.join();
    EXPECT_TRUE(in_time.load()) << nanos;
  }
}

#if defined(__linux__) && !defined(HEDDLE_PORTABLE_FUTEX)
// Forbids the system call of futexes to this process; false if that cannot be.
bool ForbidFutexes() {
  sock_filter filter[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_futex},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog program{4, filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

// A wait then looks at its word once a millisecond: it ends by its deadline, and
// does not look all the time.
TEST(FutexTest, WithoutTheSystemCallAWaitSleepsAndEndsByItsDeadline) {
  const int code = ExitCodeOfChild([] {
    if (!ForbidFutexes()) return 77;
    Atomic<uint32_t> word{0};
    const Deadline deadline = Deadline::After(50'000'000);
    int returns = 0;
    while (FutexWait(word, 0, deadline)) ++returns;
    if (!deadline.HasPassed() || returns == 0) return 1;
    return returns <= 51 ? 0 : 2;
  });
  if (code == 77) GTEST_SKIP() << "no filters of system calls here";
  EXPECT_EQ(code, 0);
}
#endif

TEST(FutexTest, ChangeThenWakeOneIsNotMissed) {
  for (int i = 0; i < 1000; ++i) {
    Atomic<uint32_t> word{0};
    Sleeper sleeper(word);
    word.store(1);
    FutexWakeOne(&word);
  }
}

TEST(FutexTest, ChangeThenWakeAllWakesAll) {
  for (int i = 0; i < 20; ++i) {
    Atomic<uint32_t> word{0};
    std::vector<std::unique_ptr<Sleeper>> sleepers;
    for (int n = 0; n < 10; ++n)
      sleepers.push_back(std::make_unique<Sleeper>(word));
    word.store(1);
    FutexWakeAll(&word);
  }
}

TEST(FutexTest, WakeOneAfterAnotherWakesAll) {
  Atomic<uint32_t> word{0};
  std::vector<std::unique_ptr<Sleeper>> sleepers;
  for (int n = 0; n < 10; ++n)
    sleepers.push_back(std::make_unique<Sleeper>(word));
  word.store(1);
  for (int n = 0; n < 10; ++n) FutexWakeOne(&word);
}

TEST(FutexTest, WakingWhereNobodySleepsOrNothingIsAnyMoreIsFine) {
  Atomic<uint32_t> word{0};
  FutexWakeOne(&word);
  FutexWakeAll(&word);
  std::optional<Atomic<uint32_t>> ended(std::in_place, 0);
  const void* const gone = &*ended;
  ended.reset();
  FutexWakeOne(gone);
  FutexWakeAll(gone);
}

// Many words, so that several fall into one slot of the portable table.
TEST(FutexTest, WakingOneWordWakesWhoSleepsOnItWhateverElseIsSleptOn) {
  constexpr size_t kWords = 100;
  std::vector<Atomic<uint32_t>> words(kWords);
  std::vector<std::unique_ptr<Sleeper>> sleepers;
  for (Atomic<uint32_t>& word : words)
    sleepers.push_back(std::make_unique<Sleeper>(word));
  for (size_t i = 0; i < kWords; ++i) {
    const size_t which = i * 37 % kWords;
    words[which].store(1);
    FutexWakeOne(&words[which]);
    sleepers[which].reset();  // joins
  }
}

TEST(FutexTest, PingPongNeverLosesAWakeUp) {
  constexpr uint32_t kRounds = 5000;
  Atomic<uint32_t> turn{0};
  const auto play = [&turn](uint32_t me) {
    for (uint32_t i = 0; i < kRounds; ++i) {
      for (uint32_t seen; (seen = turn.load()) % 2 != me;)
        FutexWait(turn, seen, Deadline::Never());
      turn.fetch_add(1);
      FutexWakeOne(&turn);
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  EXPECT_EQ(turn.load(), 2 * kRounds);
}

TEST(FutexTest, TimedWaitsAskTheSubstitute) {
  ManualClock clock;
  Atomic<uint32_t> word{0};
  bool result = true;
  std::thread sleeper([&] {
    const Deadline deadline = Deadline::After(1000);
    while ((result = FutexWait(word, 0, deadline))) {
    }
  });
  clock.AwaitSleepers(1);
  clock.Advance(absl::Nanoseconds(1000));
  sleeper.join();
  EXPECT_FALSE(result);
}

// A wait that failed for want of memory would leave its caller queued.
TEST(FutexTest, WaitingAndWakingAllocateNothing) {
  Atomic<uint32_t> word{0};
  int64_t allocated = -1;
  std::atomic<bool> begun{false};
  std::thread sleeper([&] {
    const int64_t before = AllocationsOfThisThread();
    begun.store(true);
    while (word.load() == 0) FutexWait(word, 0, Deadline::Never());
    static_cast<void>(FutexWait(word, 1, Deadline::After(1000)));
    allocated = AllocationsOfThisThread() - before;
  });
  while (!begun.load()) std::this_thread::yield();
  const int64_t before = AllocationsOfThisThread();
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  word.store(1);
  FutexWakeAll(&word);
  EXPECT_EQ(AllocationsOfThisThread(), before);
  sleeper.join();
  EXPECT_EQ(allocated, 0);
}

}  // namespace
}  // namespace internal
}  // namespace heddle
