// Wake-ups that were lost, or went to the wrong one.

#include <atomic>
#include <cstdint>

#include "gtest/gtest.h"
#include "heddle/tools/explore/museum/museum.h"

namespace heddle {
namespace explore {
namespace museum {
namespace {

// libstdc++ 12's counting_semaphore (llvm#46357, llvm#79265, pytorch#177884):
// release() notifies only if the count was 0, and who could not take what it
// saw sleeps on the value of before.
template <bool kRight>
void SemaphoreThatSkipsTheWakeUp(Execution& run) {
  Atomic<uint32_t> count{0};
  Atomic<uint32_t> waiters{0};
  const auto acquire = [&] {
    for (;;) {
      uint32_t seen = count.load(kRelaxed);
      while (seen > 0) {
        if (count.compare_exchange_strong(seen, seen - 1, kAcquire, kRelaxed))
          return;
      }
      waiters.fetch_add(1, kSeqCst);
      if (count.load(kSeqCst) == 0) Sleep(count, 0);
      waiters.fetch_sub(1, kRelaxed);
    }
  };
  const auto release = [&] {
    const uint32_t before = count.fetch_add(1, kSeqCst);
    if (kRight ? waiters.load(kSeqCst) > 0 : before == 0) WakeOne(&count);
  };
  run.Run(acquire, acquire, [&] {
    release();
    release();
  });
}
TEST(MuseumTest, SemaphoreThatSkipsTheWakeUp) {
  Exhibit(FailureKind::kDeadlock, SemaphoreThatSkipsTheWakeUp<false>,
          SemaphoreThatSkipsTheWakeUp<true>);
}

// The textbook mutex of Drepper's "Futexes are tricky" without its third state:
// who slept takes the lock as if nobody else did.
template <bool kRight>
void MutexThatForgetsSleepers(Execution& run) {
  Atomic<uint32_t> word{0};
  Var<int> count = 0;
  const auto add = [&] {
    uint32_t seen = 0;
    if (!word.compare_exchange_strong(seen, 1, kAcquire, kRelaxed)) {
      for (;;) {
        if (kRight) {
          if (word.exchange(2, kAcquire) == 0) break;
        } else {
          uint32_t held = 1;
          word.compare_exchange_strong(held, 2, kRelaxed, kRelaxed);
          uint32_t free = 0;
          if (word.compare_exchange_strong(free, 1, kAcquire, kRelaxed)) break;
        }
        Sleep(word, 2);
      }
    }
    ++count;
    if (word.exchange(0, kRelease) == 2) WakeOne(&word);
  };
  run.Run(add, add, add);
  Check(count == 3);
}
TEST(MuseumTest, MutexThatForgetsSleepers) {
  Exhibit(FailureKind::kDeadlock, MutexThatForgetsSleepers<false>,
          MutexThatForgetsSleepers<true>);
}

// An unlock that publishes nothing.
template <bool kRight>
void MutexWithARelaxedUnlock(Execution& run) {
  Atomic<uint32_t> word{0};
  Var<int> count = 0;
  const auto add = [&] {
    while (word.exchange(1, kAcquire) != 0) Yield();
    ++count;
    word.store(0, kRight ? kRelease : kRelaxed);
  };
  run.Run(add, add);
}
TEST(MuseumTest, MutexWithARelaxedUnlock) {
  Exhibit(FailureKind::kDataRace, MutexWithARelaxedUnlock<false>,
          MutexWithARelaxedUnlock<true>);
}

// A stop flag that is set outside the lock, between the waiter's look at it and
// its sleep (BS::thread_pool#93, #100, #107, kwiver#410, ladybird#929).
template <bool kRight>
void StopFlagSetOutsideTheLock(Execution& run) {
  SmallLock lock;
  Atomic<uint32_t> signals{0};
  Atomic<bool> stopping{false};
  run.Run(
      [&] {
        lock.lock();
        while (!stopping.load(kAcquire)) {
          const uint32_t seen = signals.load(kRelaxed);
          lock.unlock();
          Sleep(signals, seen);
          lock.lock();
        }
        lock.unlock();
      },
      [&] {
        // Notifies as a condition does that keeps count only of waiters that
        // it has: before the flag is visible the signal is spent.
        if (kRight) {
          Guard guard(lock);
          stopping.store(true, kRelease);
          signals.fetch_add(1, kRelaxed);
        } else {
          signals.fetch_add(1, kRelaxed);
          stopping.store(true, kRelease);
        }
        WakeAll(&signals);
      });
}
TEST(MuseumTest, StopFlagSetOutsideTheLock) {
  Exhibit(FailureKind::kDeadlock, StopFlagSetOutsideTheLock<false>,
          StopFlagSetOutsideTheLock<true>);
}

// Two wait for all tasks, and the last task wakes one (BS::thread_pool#110).
template <bool kRight>
void OneWakeUpForTwoThatWait(Execution& run) {
  Atomic<uint32_t> tasks{1};
  const auto wait = [&] {
    for (uint32_t left; (left = tasks.load(kAcquire)) != 0;) Sleep(tasks, left);
  };
  run.Run(wait, wait, [&] {
    tasks.fetch_sub(1, kRelease);
    kRight ? WakeAll(&tasks) : WakeOne(&tasks);
  });
}
TEST(MuseumTest, OneWakeUpForTwoThatWait) {
  Exhibit(FailureKind::kDeadlock, OneWakeUpForTwoThatWait<false>,
          OneWakeUpForTwoThatWait<true>);
}

// A worker goes to sleep while a task is submitted, with Dekker's pattern but
// without its order (tokio#525, #1788, bun#28907, zio#610, Paddle#41567).
template <bool kRight>
void WorkerThatSleepsOverATask(Execution& run) {
  constexpr auto kStore = kRight ? kSeqCst : kRelease;
  constexpr auto kLoad = kRight ? kSeqCst : kAcquire;
  Atomic<uint32_t> tasks{0};
  Atomic<uint32_t> sleeping{0};
  Atomic<uint32_t> signal{0};
  run.Run(
      [&] {
        while (tasks.load(kLoad) == 0) {
          const uint32_t seen = signal.load(kAcquire);
          sleeping.store(1, kStore);
          if (tasks.load(kLoad) == 0) Sleep(signal, seen);
          sleeping.store(0, kStore);
        }
      },
      [&] {
        tasks.store(1, kStore);
        if (sleeping.load(kLoad) != 0) {
          signal.fetch_add(1, kRelease);
          WakeOne(&signal);
        }
      });
}
TEST(MuseumTest, WorkerThatSleepsOverATask) {
  Exhibit(FailureKind::kDeadlock, WorkerThatSleepsOverATask<false>,
          WorkerThatSleepsOverATask<true>);
}

// Notifies a worker that has not parked yet and remembers nothing of it
// (PoissonRecon#6).
template <bool kRight>
void FirstJobBeforeTheWorkerParks(Execution& run) {
  Atomic<uint32_t> parked{0};
  Atomic<bool> job{false};
  run.Run(
      [&] {
        if (kRight && job.load(kAcquire)) return;
        const uint32_t seen = parked.load(kAcquire);
        if (kRight && job.load(kAcquire)) return;
        if (kRight) {
          while (!job.load(kAcquire)) Sleep(parked, 0);
        } else {
          Sleep(parked, seen);
        }
      },
      [&] {
        job.store(true, kRelease);
        parked.fetch_add(1, kAcqRel);
        WakeOne(&parked);
      });
}
TEST(MuseumTest, FirstJobBeforeTheWorkerParks) {
  Exhibit(FailureKind::kDeadlock, FirstJobBeforeTheWorkerParks<false>,
          FirstJobBeforeTheWorkerParks<true>);
}

// A wait that ends by its limit and keeps the wake-up that it was given at the
// last moment: a neighbour sleeps on over a token.
template <bool kRight>
void TimeoutThatEatsAWakeUp(Execution& run) {
  Atomic<uint32_t> tokens{0};
  run.Run(
      [&] {
        for (;;) {
          uint32_t seen = tokens.load(kAcquire);
          if (seen == 1 &&
              tokens.compare_exchange_strong(seen, 0, kAcquire, kRelaxed)) {
            return;
          }
          Sleep(tokens, 0);
        }
      },
      [&] {
        FutexSleep(&tokens, 0, /*timed=*/true, Now() + 1);
        // It takes none any more.
        if (kRight) WakeOne(&tokens);
      },
      [&] {
        tokens.fetch_add(1, kRelease);
        WakeOne(&tokens);
      });
}
TEST(MuseumTest, TimeoutThatEatsAWakeUp) {
  Exhibit(FailureKind::kDeadlock, TimeoutThatEatsAWakeUp<false>,
          TimeoutThatEatsAWakeUp<true>);
}

// Dead waiters of a shutdown stay in the queue and get the wake-ups
// (tensorflow#932).
template <bool kRight>
void DeadWaiterThatIsNotified(Execution& run) {
  Atomic<uint32_t> waiting{0};  // how many are counted as waiting
  Atomic<uint32_t> signal{0};
  Atomic<bool> work{false};
  run.Run(
      [&] {  // gives up at once
        waiting.fetch_add(1, kSeqCst);
        if (kRight) waiting.fetch_sub(1, kSeqCst);
      },
      [&] {
        while (!work.load(kSeqCst)) {
          const uint32_t seen = signal.load(kSeqCst);
          waiting.fetch_add(1, kSeqCst);
          if (!work.load(kSeqCst)) Sleep(signal, seen);
          waiting.fetch_sub(1, kSeqCst);
        }
      },
      [&] {
        work.store(true, kSeqCst);
        // One signal for each that waits, but a dead one takes it.
        const uint32_t waiters = waiting.load(kSeqCst);
        if (kRight ? waiters > 0 : waiters == 1) {
          signal.fetch_add(1, kSeqCst);
          WakeAll(&signal);
        }
      });
}
TEST(MuseumTest, DeadWaiterThatIsNotified) {
  Exhibit(FailureKind::kDeadlock, DeadWaiterThatIsNotified<false>,
          DeadWaiterThatIsNotified<true>);
}

// A reader-writer lock whose last reader wakes nobody, because it looked for
// writers before it let go (the pattern of glibc BZ#23861).
template <bool kRight>
void LastReaderThatWakesNoWriter(Execution& run) {
  Atomic<uint32_t> readers{1};
  Atomic<uint32_t> writer_waits{0};
  run.Run(
      [&] {
        const bool waits = writer_waits.load(kSeqCst) != 0;
        readers.fetch_sub(1, kSeqCst);
        if (kRight ? writer_waits.load(kSeqCst) != 0 : waits) WakeOne(&readers);
      },
      [&] {
        writer_waits.store(1, kSeqCst);
        while (readers.load(kSeqCst) != 0) Sleep(readers, 1);
      });
}
TEST(MuseumTest, LastReaderThatWakesNoWriter) {
  Exhibit(FailureKind::kDeadlock, LastReaderThatWakesNoWriter<false>,
          LastReaderThatWakesNoWriter<true>);
}

// Watches the change and not the value: begins to wait after the value is as
// wanted (libc++'s atomic::wait, llvm#79265, #109290).
template <bool kRight>
void WaitThatMonitorsAfterTheChange(Execution& run) {
  Atomic<uint32_t> value{0};
  Atomic<uint32_t> version{0};
  run.Run(
      [&] {
        for (;;) {
          uint32_t seen = kRight ? version.load(kSeqCst) : 0;
          if (value.load(kSeqCst) != 0) break;
          if (!kRight) seen = version.load(kSeqCst);
          Sleep(version, seen);
        }
      },
      [&] {
        value.store(1, kSeqCst);
        version.fetch_add(1, kSeqCst);
        WakeAll(&version);
      });
}
TEST(MuseumTest, WaitThatMonitorsAfterTheChange) {
  Exhibit(FailureKind::kDeadlock, WaitThatMonitorsAfterTheChange<false>,
          WaitThatMonitorsAfterTheChange<true>);
}

// A condition that hands a signal to a waiter of a later generation, as glibc's
// does (BZ#25847): here one counter of signals that any waiter may take.
template <bool kRight>
void ConditionWhoseSignalIsStolen(Execution& run) {
  SmallLock lock;
  Atomic<uint32_t> sequence{0};
  Atomic<uint32_t> signals{0};
  Var<int> turn = 0;  // guarded by lock
  const auto wait = [&] {
    if (kRight) {
      const uint32_t seen = sequence.load(kRelaxed);
      lock.unlock();
      Sleep(sequence, seen);
      lock.lock();
      return;
    }
    lock.unlock();
    for (;;) {
      uint32_t some = signals.load(kAcquire);
      if (some > 0 &&
          signals.compare_exchange_strong(some, some - 1, kAcqRel, kRelaxed)) {
        break;
      }
      if (some == 0) Sleep(signals, 0);
    }
    lock.lock();
  };
  run.Run(
      [&] {  // waits for turn 1
        lock.lock();
        while (turn < 1) wait();
        lock.unlock();
      },
      [&] {  // comes later, and waits for turn 2
        lock.lock();
        while (turn < 2) wait();
        lock.unlock();
      },
      [&] {
        for (int i = 1; i <= 2; ++i) {
          Guard guard(lock);
          turn = i;
          // To all that wait now: two at most.
          sequence.fetch_add(1, kRelease);
          if (kRight) {
            WakeAll(&sequence);
          } else {
            signals.fetch_add(1, kRelease);
            WakeAll(&signals);
          }
        }
      });
}
TEST(MuseumTest, ConditionWhoseSignalIsStolen) {
  Options options;
  options.bound = 2;
  Exhibit(FailureKind::kDeadlock, ConditionWhoseSignalIsStolen<false>,
          ConditionWhoseSignalIsStolen<true>, options);
}

}  // namespace
}  // namespace museum
}  // namespace explore
}  // namespace heddle
