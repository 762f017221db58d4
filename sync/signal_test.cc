// Signals, which interrupt the system calls of those who wait, end no wait and
// spend no wake-up.

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/wait_subjects.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ManualClock;
using sync_internal::AllWaitSubjects;
using sync_internal::NameOfKind;
using sync_internal::WaitSubject;
using sync_internal::WaitSubjectKind;

std::atomic<int> signals_seen{0};

// SIGUSR1 does nothing but interrupt: without SA_RESTART.
class InterruptingSignal {
 public:
  InterruptingSignal() {
    struct sigaction counts = {};
    counts.sa_handler = [](int) { ++signals_seen; };
    EXPECT_EQ(sigaction(SIGUSR1, &counts, &before_), 0);
  }
  ~InterruptingSignal() { sigaction(SIGUSR1, &before_, nullptr); }

  // Sends them until `count` were seen. (Two that come at once are one, and a
  // sanitizer may put one off until the thread is interrupted by the next.)
  void Storm(std::thread& thread, int count) const {
    const int enough = signals_seen.load() + count;
    while (signals_seen.load() < enough) {
      ASSERT_EQ(pthread_kill(thread.native_handle(), SIGUSR1), 0);
      std::this_thread::yield();
    }
  }

 private:
  struct sigaction before_ = {};
};

constexpr int kSignals = 50;

class SignalTest : public testing::TestWithParam<WaitSubjectKind> {};
INSTANTIATE_TEST_SUITE_P(Of, SignalTest, testing::ValuesIn(AllWaitSubjects()),
                         NameOfKind);

TEST_P(SignalTest, StormDoesNotEndAWaitWithoutALimit) {
  const InterruptingSignal signal;
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  std::atomic<bool> ended{false};
  bool result = false;
  std::thread waiting([&] {
    result = subject.Wait();
    ended.store(true);
  });
  while (subject.waiters() < 1) std::this_thread::yield();
  signal.Storm(waiting, kSignals);
  EXPECT_FALSE(ended.load());
  EXPECT_EQ(subject.waiters(), 1);
  subject.Release(1);
  waiting.join();
  EXPECT_TRUE(result);
}

TEST_P(SignalTest, StormNeitherEndsNorProlongsALimitedWait) {
  const InterruptingSignal signal;
  ManualClock clock;
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  bool result = true;
  std::thread waiting([&] { result = subject.Wait(absl::Hours(1)); });
  clock.AwaitSleepers(1);
  for (int i = 0; i < 3; ++i) {
    signal.Storm(waiting, kSignals / 5);
    EXPECT_EQ(subject.waiters(), 1);
    clock.Advance(absl::Minutes(20) - absl::Nanoseconds(1));
  }
  signal.Storm(waiting, kSignals / 5);
  EXPECT_EQ(subject.waiters(), 1);
  clock.Advance(absl::Nanoseconds(3));
  waiting.join();
  EXPECT_FALSE(result);
}

// On the machine's clock, where the kernel's own time-out is interrupted.
TEST_P(SignalTest, StormDoesNotEndAWaitOnTheMachinesClock) {
  const InterruptingSignal signal;
  const std::unique_ptr<WaitSubject> made = GetParam().make(1);
  WaitSubject& subject = *made;
  bool result = false;
  std::thread waiting([&] { result = subject.Wait(absl::Hours(1)); });
  while (subject.waiters() < 1) std::this_thread::yield();
  signal.Storm(waiting, kSignals);
  EXPECT_EQ(subject.waiters(), 1);
  subject.Release(1);
  waiting.join();
  EXPECT_TRUE(result);
}

}  // namespace
}  // namespace heddle
