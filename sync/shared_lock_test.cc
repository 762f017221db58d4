#include "heddle/sync/shared_lock.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {

// Brings a lock into states that take long to come by.
struct SharedLockPeer {
  // Many threads read.
  static void ReadByAsManyAsCanBe(SharedLock& lock) {
    lock.word_.store(SharedLock::kMostReaders);
  }
  // A waiter was woken, and does not get to run.
  static void WokenInVain(SharedLock& lock) {
    lock.word_.fetch_or(SharedLock::kQueued | SharedLock::kWaking);
  }
};

namespace {

using internal::ManualClock;
using internal::RunConcurrently;
using sync_internal::AwaitWaiters;
using sync_internal::Background;
using sync_internal::WaitersOf;

// What all locks promise is tested in lockable_test.cc, on the writing side;
// what all blocking waits do in blocking_wait_test.cc, on both.

constinit SharedLock constant_initialized;

TEST(SharedLockTest, IsConstantInitializedAndFourBytes) {
  EXPECT_EQ(constant_initialized.DebugString(),
            "SharedLock(unlocked, waiters=0)");
  EXPECT_EQ(sizeof(SharedLock), 4u);
}

TEST(SharedLockTest, ReadersShareIt) HEDDLE_UNCHECKED {
  SharedLock lock;
  lock.lock_shared();
  EXPECT_TRUE(lock.try_lock_shared());
  Background other([&]() HEDDLE_UNCHECKED {
    lock.lock_shared();
    EXPECT_TRUE(lock.try_lock_shared_for(absl::ZeroDuration()));
    EXPECT_EQ(lock.DebugString(), "SharedLock(readers=4, waiters=0)");
    lock.unlock_shared();
    lock.unlock_shared();
    return 0;
  });
  other.Result();
  lock.unlock_shared();
  lock.unlock_shared();
  EXPECT_EQ(lock.DebugString(), "SharedLock(unlocked, waiters=0)");
}

TEST(SharedLockTest, WriterExcludesReadersAndWriters) HEDDLE_UNCHECKED {
  SharedLock lock;
  lock.lock();
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_shared());
  EXPECT_FALSE(lock.try_lock_for(absl::ZeroDuration()));
  EXPECT_FALSE(lock.try_lock_shared_for(absl::ZeroDuration()));
  lock.unlock();
  EXPECT_TRUE(lock.try_lock_shared());
  lock.unlock_shared();
}

TEST(SharedLockTest, ReadersExcludeWritersUntilTheLastHasGone)
HEDDLE_UNCHECKED {
  SharedLock lock;
  lock.lock_shared();
  lock.lock_shared();
  EXPECT_FALSE(lock.try_lock());
  lock.unlock_shared();
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_for(absl::ZeroDuration()));
  lock.unlock_shared();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(SharedLockTest, WriterWaitsForAllReaders) HEDDLE_UNCHECKED {
  ManualClock clock;
  SharedLock lock;
  lock.lock_shared();
  lock.lock_shared();
  lock.lock_shared();
  Background writer(
      [&]() HEDDLE_UNCHECKED { return lock.try_lock_for(absl::Hours(1)); });
  clock.AwaitSleepers(1);
  lock.unlock_shared();
  lock.unlock_shared();
  EXPECT_EQ(lock.DebugString(), "SharedLock(readers=1, waiters=1)");
  lock.unlock_shared();
  EXPECT_TRUE(writer.Result());
  EXPECT_EQ(lock.DebugString(), "SharedLock(one writer, waiters=0)");
  lock.unlock();
}

// No writer starves: who comes later waits behind it, though it could read.
TEST(SharedLockTest, ReaderThatComesWhileAWriterWaitsWaitsBehindIt)
HEDDLE_UNCHECKED {
  ManualClock clock;
  SharedLock lock;
  lock.lock_shared();
  Background writer(
      [&]() HEDDLE_UNCHECKED { return lock.try_lock_for(absl::Hours(1)); });
  clock.AwaitSleepers(1);
  EXPECT_FALSE(lock.try_lock_shared());
  EXPECT_FALSE(lock.try_lock_shared_for(absl::ZeroDuration()));
  Background reader([&]() HEDDLE_UNCHECKED {
    return lock.try_lock_shared_for(absl::Hours(1));
  });
  clock.AwaitSleepers(2);
  lock.unlock_shared();
  EXPECT_TRUE(writer.Result());
  EXPECT_EQ(lock.DebugString(), "SharedLock(one writer, waiters=1)");
  lock.unlock();
  EXPECT_TRUE(reader.Result());
  EXPECT_EQ(lock.DebugString(), "SharedLock(readers=1, waiters=0)");
  lock.unlock_shared();
}

// One line of readers (r) and writers (w), behind a writer. It is served in
// order, the readers that stand together at once.
TEST(SharedLockTest, QueueIsServedInOrderAndReadersTogether) HEDDLE_UNCHECKED {
  ManualClock clock;
  SharedLock lock;
  lock.lock();
  const std::string line = "rrwwrwrr";
  std::deque<Background> threads;
  for (const char who : line) {
    threads.emplace_back([&, who]() HEDDLE_UNCHECKED {
      return who == 'w' ? lock.try_lock_for(absl::Hours(1))
                        : lock.try_lock_shared_for(absl::Hours(1));
    });
    clock.AwaitSleepers(threads.size());
  }
  lock.unlock();
  for (size_t next = 0; next < line.size();) {
    size_t end = next + 1;
    if (line[next] == 'r') {
      while (end < line.size() && line[end] == 'r') ++end;
    }
    for (size_t i = next; i < end; ++i) EXPECT_TRUE(threads[i].Result());
    const auto left = static_cast<int>(line.size() - end);
    EXPECT_EQ(WaitersOf(lock), left);
    for (size_t i = next; i < end; ++i) {
      line[next] == 'w' ? lock.unlock() : lock.unlock_shared();
    }
    next = end;
  }
  EXPECT_EQ(lock.DebugString(), "SharedLock(unlocked, waiters=0)");
}

// A waiter that has waited for a millisecond has it handed over: nobody
// overtakes it any more, whether it is awake or not.
template <typename Ask>
void ExpectHandedOverAfterAMillisecond(Ask ask) HEDDLE_UNCHECKED {
  ManualClock clock;
  SharedLock lock;
  lock.lock();
  Background waiter([&] { return ask(lock); });
  clock.AwaitSleepers(1);
  clock.Advance(absl::Milliseconds(1));
  clock.AwaitSleepers(1);  // again: it has said so
  lock.unlock();
  EXPECT_FALSE(lock.try_lock());
  EXPECT_TRUE(waiter.Result());
}

TEST(SharedLockTest, ReaderThatHasWaitedForAMillisecondIsHandedTheLock) {
  ExpectHandedOverAfterAMillisecond([](SharedLock& lock) HEDDLE_UNCHECKED {
    return lock.try_lock_shared_for(absl::Hours(1));
  });
}

TEST(SharedLockTest, WriterThatHasWaitedForAMillisecondIsHandedTheLock) {
  ExpectHandedOverAfterAMillisecond([](SharedLock& lock) HEDDLE_UNCHECKED {
    return lock.try_lock_for(absl::Hours(1));
  });
}

// The wake-up goes to one that does not come for it; a millisecond later the
// lock is another's.
template <typename Ask>
void ExpectNotKeptOutByOneThatDoesNotRun(Ask ask) HEDDLE_UNCHECKED {
  ManualClock clock;
  SharedLock lock;
  lock.lock();
  SharedLockPeer::WokenInVain(lock);
  Background waiter([&] { return ask(lock); });
  clock.AwaitSleepers(1);
  lock.unlock();
  EXPECT_EQ(lock.DebugString(), "SharedLock(unlocked, waiters=1)");
  clock.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(waiter.Result());
  EXPECT_EQ(WaitersOf(lock), 0);
}

TEST(SharedLockTest, WokenThreadThatDoesNotRunKeepsNoReaderOut) {
  ExpectNotKeptOutByOneThatDoesNotRun([](SharedLock& lock) HEDDLE_UNCHECKED {
    return lock.try_lock_shared_for(absl::Hours(1));
  });
}

TEST(SharedLockTest, WokenThreadThatDoesNotRunKeepsNoWriterOut) {
  ExpectNotKeptOutByOneThatDoesNotRun([](SharedLock& lock) HEDDLE_UNCHECKED {
    return lock.try_lock_for(absl::Hours(1));
  });
}

TEST(SharedLockTest, FreeLockIsForWhoeverComesFirstThoughOneWasWoken)
HEDDLE_UNCHECKED {
  SharedLock lock;
  SharedLockPeer::WokenInVain(lock);
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock_shared());
  lock.unlock_shared();
}

// A writer that gives up lets those go who waited behind it alone.
template <typename GiveUp>
void ExpectReadersGoWhenTheWriterGivesUp(GiveUp give_up) HEDDLE_UNCHECKED {
  ManualClock clock;
  std::stop_source stop;
  SharedLock lock;
  lock.lock_shared();
  Background writer([&]() HEDDLE_UNCHECKED {
    return lock.try_lock_for({absl::Seconds(1), stop.get_token()});
  });
  clock.AwaitSleepers(1);
  std::deque<Background> readers;
  for (size_t i = 0; i < 2; ++i) {
    readers.emplace_back([&]() HEDDLE_UNCHECKED {
      return lock.try_lock_shared_for(absl::Hours(1));
    });
    clock.AwaitSleepers(2 + i);
  }
  Background next_writer(
      [&]() HEDDLE_UNCHECKED { return lock.try_lock_for(absl::Hours(1)); });
  clock.AwaitSleepers(4);
  give_up(clock, stop);
  EXPECT_FALSE(writer.Result());
  for (Background& reader : readers) EXPECT_TRUE(reader.Result());
  EXPECT_EQ(lock.DebugString(), "SharedLock(readers=3, waiters=1)");
  for (int i = 0; i < 3; ++i) lock.unlock_shared();
  EXPECT_TRUE(next_writer.Result());
  lock.unlock();
}

TEST(SharedLockTest, WriterWhoseLimitPassesLetsReadersBehindItGo) {
  ExpectReadersGoWhenTheWriterGivesUp(
      [](ManualClock& clock, std::stop_source&) {
        clock.Advance(absl::Seconds(1));
      });
}

TEST(SharedLockTest, WriterThatIsStoppedLetsReadersBehindItGo) {
  ExpectReadersGoWhenTheWriterGivesUp(
      [](ManualClock&, std::stop_source& stop) { stop.request_stop(); });
}

TEST(SharedLockTest, WriterThatGivesUpBehindAWriterLetsNobodyGo)
HEDDLE_UNCHECKED {
  ManualClock clock;
  SharedLock lock;
  lock.lock();
  Background writer(
      [&]() HEDDLE_UNCHECKED { return lock.try_lock_for(absl::Seconds(1)); });
  clock.AwaitSleepers(1);
  Background reader([&]() HEDDLE_UNCHECKED {
    return lock.try_lock_shared_for(absl::Hours(1));
  });
  clock.AwaitSleepers(2);
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(writer.Result());
  EXPECT_EQ(lock.DebugString(), "SharedLock(one writer, waiters=1)");
  lock.unlock();
  EXPECT_TRUE(reader.Result());
  lock.unlock_shared();
}

TEST(SharedLockTest, ReadersMayComeAgainOnceTheOnlyWriterHasGivenUp)
HEDDLE_UNCHECKED {
  SharedLock lock;
  lock.lock_shared();
  Background writer([&]() HEDDLE_UNCHECKED {
    return lock.try_lock_for(absl::Microseconds(100));
  });
  EXPECT_FALSE(writer.Result());
  EXPECT_TRUE(lock.try_lock_shared());
  lock.unlock_shared();
  lock.unlock_shared();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

// Readers and writers of all kinds: a writer is alone, readers see what is
// whole, and nobody is stranded.
TEST(SharedLockTest, ExcludesAmongReadersAndWritersOfAllKinds)
HEDDLE_UNCHECKED {
  constexpr int kIterations = 300;
  SharedLock lock;
  int64_t first = 0;  // guarded by lock, both; equal while nobody writes
  int64_t second = 0;
  std::atomic<int64_t> written{0};
  std::vector<std::stop_source> stops(kIterations);
  size_t stopping = 0;
  size_t stoppable = 0;
  int write_round = 0;
  int read_round = 0;
  const auto write = [&]() HEDDLE_UNCHECKED {
    ++first;
    if (first % 8 == 0) std::this_thread::yield();
    ++second;
    ++written;
    lock.unlock();
  };
  const auto read = [&]() HEDDLE_UNCHECKED {
    EXPECT_EQ(first, second);
    lock.unlock_shared();
  };
  RunConcurrently(
      kIterations,
      [&]() HEDDLE_UNCHECKED {
        lock.lock();
        write();
      },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock_for(absl::Microseconds(++write_round % 50))) write();
      },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock_for(stops[stoppable++].get_token())) write();
        stops[stopping++].request_stop();
      },
      [&]() HEDDLE_UNCHECKED {
        lock.lock_shared();
        read();
      },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock_shared_for(absl::Microseconds(++read_round % 50)))
          read();
      },
      [&]() HEDDLE_UNCHECKED {
        if (lock.try_lock_shared()) read();
      });
  EXPECT_EQ(first, written.load());
  EXPECT_EQ(second, written.load());
  EXPECT_EQ(lock.DebugString(), "SharedLock(unlocked, waiters=0)");
}

// For ThreadSanitizer: what readers did comes before the next writer, also
// where the last reader to leave is not the one who did it.
TEST(SharedLockTest, WhatReadersDidIsVisibleToTheNextWriter) HEDDLE_UNCHECKED {
  constexpr int kIterations = 300;
  SharedLock lock;
  int by_first = 0;
  int by_second = 0;
  int sum = 0;
  RunConcurrently(
      kIterations,
      [&]() HEDDLE_UNCHECKED {
        lock.lock_shared();
        ++by_first;
        lock.unlock_shared();
      },
      [&]() HEDDLE_UNCHECKED {
        lock.lock_shared();
        ++by_second;
        lock.unlock_shared();
      },
      [&]() HEDDLE_UNCHECKED {
        lock.lock();
        sum = by_first + by_second;
        lock.unlock();
      });
  EXPECT_GE(sum, 0);
  EXPECT_EQ(by_first + by_second, 2 * kIterations);
}

// Readers who come all the time cannot keep a writer out.
TEST(SharedLockTest, WriterGetsItFromReadersThatNeverStopComing)
HEDDLE_UNCHECKED {
  SharedLock lock;
  std::atomic<bool> done{false};
  const auto read = [&]() HEDDLE_UNCHECKED {
    // They come again at once, so that it is hardly ever free.
    while (!done.load()) {
      lock.lock_shared();
      std::this_thread::yield();
      lock.unlock_shared();
    }
  };
  RunConcurrently(1, read, read, read, [&]() HEDDLE_UNCHECKED {
    for (int i = 0; i < 50; ++i) {
      lock.lock();
      lock.unlock();
    }
    done.store(true);
  });
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(SharedLockTest, GuardsWhatIsAnnotated) {
  struct {
    SharedLock lock;
    int64_t count ABSL_GUARDED_BY(lock) = 0;
  } shared;
  RunConcurrently(
      100,
      [&] {
        LockGuard guard(shared.lock);
        ++shared.count;
      },
      [&] {
        ReaderGuard guard(shared.lock);
        EXPECT_GE(shared.count, 0);
      });
  ReaderGuard guard(shared.lock);
  EXPECT_EQ(shared.count, 100);
}

TEST(SharedLockTest, ReaderGuardReadsToTheEndOfItsScope) HEDDLE_UNCHECKED {
  SharedLock lock;
  {
    ReaderGuard guard(lock);
    EXPECT_TRUE(lock.try_lock_shared());
    lock.unlock_shared();
    EXPECT_FALSE(lock.try_lock());
  }
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(SharedLockTest, MayBeDestroyedWhileRead) HEDDLE_UNCHECKED {
  auto lock = std::make_unique<SharedLock>();
  lock->lock_shared();
  lock.reset();
}

TEST(SharedLockTest, AnotherThreadMayStopReading) HEDDLE_UNCHECKED {
  SharedLock lock;
  lock.lock_shared();
  Background other([&]() HEDDLE_UNCHECKED {
    lock.unlock_shared();
    return 0;
  });
  lock.lock();
  other.Result();
  lock.unlock();
}

#ifdef ABSL_HAVE_EXCEPTIONS
template <typename Call>
std::string ErrorOf(Call call) {
  try {
    call();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "no error";
}

TEST(SharedLockTest, ReleaseOfTheSideThatIsNotHeldThrowsAndChangesNothing)
HEDDLE_UNCHECKED {
  const char* const nobody_writes = "SharedLock::unlock: nobody writes";
  const char* const nobody_reads = "SharedLock::unlock_shared: nobody reads";
  SharedLock lock;
  const auto unlock = [&]() HEDDLE_UNCHECKED { lock.unlock(); };
  const auto unlock_shared = [&]() HEDDLE_UNCHECKED { lock.unlock_shared(); };
  EXPECT_EQ(ErrorOf(unlock), nobody_writes);
  EXPECT_EQ(ErrorOf(unlock_shared), nobody_reads);
  lock.lock_shared();
  EXPECT_EQ(ErrorOf(unlock), nobody_writes);
  EXPECT_EQ(lock.DebugString(), "SharedLock(readers=1, waiters=0)");
  lock.unlock_shared();
  EXPECT_EQ(ErrorOf(unlock_shared), nobody_reads);
  lock.lock();
  EXPECT_EQ(ErrorOf(unlock_shared), nobody_reads);
  EXPECT_EQ(lock.DebugString(), "SharedLock(one writer, waiters=0)");
  lock.unlock();
}

TEST(SharedLockTest, MoreReadersThanItCountsThrowsAndChangesNothing)
HEDDLE_UNCHECKED {
  SharedLock lock;
  SharedLockPeer::ReadByAsManyAsCanBe(lock);
  const std::string before = lock.DebugString();
  EXPECT_EQ(before, "SharedLock(readers=268435455, waiters=0)");
  EXPECT_THROW(lock.lock_shared(), std::overflow_error);
  EXPECT_FALSE(lock.try_lock_shared());
  EXPECT_EQ(lock.DebugString(), before);
  lock.unlock_shared();
  EXPECT_TRUE(lock.try_lock_shared());
}

TEST(SharedLockTest, WrongReleaseWhileOthersWaitThrowsAndServesNobody)
HEDDLE_UNCHECKED {
  SharedLock lock;
  const auto unlock = [&]() HEDDLE_UNCHECKED { lock.unlock(); };
  const auto unlock_shared = [&]() HEDDLE_UNCHECKED { lock.unlock_shared(); };
  lock.lock();
  Background reader([&]() HEDDLE_UNCHECKED {
    lock.lock_shared();
    return 0;
  });
  AwaitWaiters(lock, 1);
  EXPECT_NE(ErrorOf(unlock_shared), "no error");
  EXPECT_EQ(lock.DebugString(), "SharedLock(one writer, waiters=1)");
  lock.unlock();
  reader.Result();
  Background writer([&]() HEDDLE_UNCHECKED {
    lock.lock();
    return 0;
  });
  AwaitWaiters(lock, 1);
  EXPECT_NE(ErrorOf(unlock), "no error");
  EXPECT_EQ(lock.DebugString(), "SharedLock(readers=1, waiters=1)");
  lock.unlock_shared();
  writer.Result();
  lock.unlock();
}
#else
TEST(SharedLockDeathTest, ReleaseOfWhatIsNotHeldIsFatalWithoutExceptions) {
  const auto misuse = []() HEDDLE_UNCHECKED {
    SharedLock lock;
    lock.unlock_shared();
  };
  EXPECT_DEATH(misuse(),
               "heddle: fatal: SharedLock::unlock_shared: nobody reads");
}
#endif

TEST(SharedLockTest, DebugStringTellsWhoHoldsItAndHowManyWait)
HEDDLE_UNCHECKED {
  SharedLock lock;
  EXPECT_EQ(lock.DebugString(), "SharedLock(unlocked, waiters=0)");
  lock.lock();
  Background reader([&]() HEDDLE_UNCHECKED {
    lock.lock_shared();
    return 0;
  });
  AwaitWaiters(lock, 1);
  std::ostringstream out;
  out << lock;
  EXPECT_EQ(out.str(), "SharedLock(one writer, waiters=1)");
  lock.unlock();
  reader.Result();
  EXPECT_EQ(lock.DebugString(), "SharedLock(readers=1, waiters=0)");
  lock.unlock_shared();
}

}  // namespace
}  // namespace heddle
