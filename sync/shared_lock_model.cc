// Models of SharedLock: (SHARED1)-(SHARED5) and [SHARED-UNLOCK] of
// shared_lock.h, under every schedule.

#include <cstdint>
#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/event.h"
#include "heddle/sync/internal/lock_models.h"
#include "heddle/sync/internal/patience.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {

// The state of a lock for which a waiter was woken that does not come.
struct SharedLockPeer {
  static void WokenInVain(SharedLock& lock) {
    lock.word_.fetch_or(SharedLock::kQueued | SharedLock::kWaking);
  }
};

namespace {

using explore::Execution;
using explore::Holds;
using explore::HoldsInSamples;
using internal::Var;
using sync_internal::LastUserDestroysIt;

// What the others do: each access is checked for races.
class Table {
 public:
  void Write() HEDDLE_UNCHECKED {
    lock.lock();
    ++value;
    lock.unlock();
  }
  void Read() HEDDLE_UNCHECKED {
    lock.lock_shared();
    explore::Check(value >= 0);
    lock.unlock_shared();
  }

  SharedLock lock;
  Var<int> value = 0;
};

// A model in which waiters have waited for a millisecond when the explorer says
// so. In the others they are patient for ever: or an alarm would mend what is
// broken.
class Impatient {
 public:
  Impatient() { sync_internal::patience_nanos = 1'000'000; }
  Impatient(const Impatient&) = delete;
  Impatient& operator=(const Impatient&) = delete;
  ~Impatient() { sync_internal::patience_nanos = INT64_MAX; }
};

TEST(SharedLockModel, WritersExcludeEachOther) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Table table;
    const auto write = [&] { table.Write(); };
    run.Run(write, write);
    explore::Check(table.value == 2);
  }));
}

TEST(SharedLockModel, AReaderAndAWriterExcludeEachOther) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Table table;
    run.Run([&] { table.Write(); }, [&] { table.Read(); });
    explore::Check(table.value == 1);
  }));
}

TEST(SharedLockModel, TwoReadersAndAWriterAllGetIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Table table;
    const auto read = [&] { table.Read(); };
    run.Run(read, read, [&] { table.Write(); });
    explore::Check(table.value == 1);
  }));
}

TEST(SharedLockModel, TwoWritersAndAReaderAllGetIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Table table;
    const auto write = [&] { table.Write(); };
    run.Run(write, write, [&] { table.Read(); });
    explore::Check(table.value == 2);
  }));
}

// Each goes on only when the other is inside too.
TEST(SharedLockModel, ReadersReadTogether) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    SharedLock lock;
    Event inside[2];
    const auto read = [&](int self) HEDDLE_UNCHECKED {
      lock.lock_shared();
      inside[self].Set();
      explore::Check(inside[1 - self].Wait());
      lock.unlock_shared();
    };
    run.Run([&] { read(0); }, [&] { read(1); });
  }));
}

// (SHARED3): a writer that gives up lets in the readers that wait behind it.
TEST(SharedLockModel, AWriterThatGivesUpStrandsNobody) {
  EXPECT_TRUE(Holds(2, [](Execution& run) HEDDLE_UNCHECKED {
    SharedLock lock;
    lock.lock_shared();  // until both have ended
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          explore::Check(!lock.try_lock_for(absl::Seconds(1)));
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock_shared();
          lock.unlock_shared();
        });
    lock.unlock_shared();
    explore::Check(lock.try_lock());
  }));
}

// The same while the first reader lets go.
TEST(SharedLockModel, AWriterThatGivesUpAtTheReleaseStrandsNobody) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) HEDDLE_UNCHECKED {
    SharedLock lock;
    lock.lock_shared();
    run.Run([&]() HEDDLE_UNCHECKED { lock.unlock_shared(); },
            [&]() HEDDLE_UNCHECKED {
              if (lock.try_lock_for(absl::Seconds(1))) lock.unlock();
            },
            [&]() HEDDLE_UNCHECKED {
              lock.lock_shared();
              lock.unlock_shared();
            });
    explore::Check(lock.try_lock());
  }));
}

// Between them somebody queues who gives up: nobody is handed the lock.
TEST(SharedLockModel, WhatAReaderReadIsReadBeforeANewcomerWrites) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Table table;
    run.Run([&] { table.Read(); },
            [&]() HEDDLE_UNCHECKED {
              if (table.lock.try_lock_for(absl::Seconds(1)))
                table.lock.unlock();
            },
            [&]() HEDDLE_UNCHECKED {
              if (!table.lock.try_lock()) return;
              ++table.value;
              table.lock.unlock();
            });
  }));
}

TEST(SharedLockModel, AReaderThatGivesUpStrandsNobody) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Table table;
    run.Run([&] { table.Write(); }, [&] { table.Write(); },
            [&]() HEDDLE_UNCHECKED {
              if (!table.lock.try_lock_shared_for(absl::Seconds(1))) return;
              explore::Check(table.value >= 0);
              table.lock.unlock_shared();
            });
    explore::Check(table.value == 2);
  }));
}

TEST(SharedLockModel, AStopEndsTheWaitOrComesTooLate) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Table table;
    std::stop_source stop;
    int taken = 0;
    run.Run([&] { table.Read(); },
            [&]() HEDDLE_UNCHECKED {
              if (!table.lock.try_lock_for(stop.get_token())) return;
              ++table.value;
              ++taken;
              table.lock.unlock();
            },
            [&] { stop.request_stop(); });
    explore::Check(table.value == taken);
    explore::Check(table.lock.try_lock());
  }));
}

TEST(SharedLockModel, TryLockTakesWhatIsFree) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Table table;
    int taken = 0;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          if (!table.lock.try_lock()) return;
          ++table.value;
          ++taken;
          table.lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          if (!table.lock.try_lock_shared()) return;
          explore::Check(table.value == taken);
          ++taken;
          table.lock.unlock_shared();
        });
    explore::Check(taken >= 1);
  }));
}

// (SHARED4): a reader that was woken wakes the one behind it. Each goes on only
// when both are inside.
TEST(SharedLockModel, ReadersBehindAWriterReadTogether) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) HEDDLE_UNCHECKED {
    SharedLock lock;
    Event inside[2];
    lock.lock();
    const auto read = [&](int self) HEDDLE_UNCHECKED {
      lock.lock_shared();
      inside[self].Set();
      explore::Check(inside[1 - self].Wait());
      lock.unlock_shared();
    };
    run.Run([&] { read(0); }, [&] { read(1); },
            [&]() HEDDLE_UNCHECKED { lock.unlock(); });
  }));
}

// (SHARED5), with each of the two sides asleep.
TEST(SharedLockModel, AWokenThreadThatDoesNotRunKeepsNoWriterOut) {
  const Impatient impatient;
  EXPECT_TRUE(Holds(2, [](Execution& run) HEDDLE_UNCHECKED {
    Table table;
    table.lock.lock();
    SharedLockPeer::WokenInVain(table.lock);
    const auto write = [&] { table.Write(); };
    run.Run([&]() HEDDLE_UNCHECKED { table.lock.unlock(); }, write);
    explore::Check(table.value == 1);
    explore::Check(table.lock.try_lock());
  }));
}

TEST(SharedLockModel, AWokenThreadThatDoesNotRunKeepsNoReaderOut) {
  const Impatient impatient;
  EXPECT_TRUE(Holds(2, [](Execution& run) HEDDLE_UNCHECKED {
    Table table;
    table.lock.lock();
    SharedLockPeer::WokenInVain(table.lock);
    const auto read = [&] { table.Read(); };
    run.Run([&]() HEDDLE_UNCHECKED { table.lock.unlock(); }, read);
    explore::Check(table.lock.try_lock());
  }));
}

// A hand-over, and one that was woken before and comes after.
TEST(SharedLockModel, WritersThatHaveWaitedForLongExcludeEachOther) {
  const Impatient impatient;
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Table table;
    const auto write = [&] { table.Write(); };
    run.Run(write, write, write);
    explore::Check(table.value == 3);
  }));
}

TEST(SharedLockModel, ReadersAndAWriterThatHaveWaitedForLongAllGetIt) {
  const Impatient impatient;
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Table table;
    const auto read = [&] { table.Read(); };
    run.Run(
        read, [&] { table.Write(); }, read);
    explore::Check(table.value == 1);
  }));
}

TEST(SharedLockModel, AStopThatComesWithTheAlarmStrandsNobody) {
  const Impatient impatient;
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Table table;
    std::stop_source stop;
    int taken = 0;
    run.Run([&] { table.Write(); },
            [&]() HEDDLE_UNCHECKED {
              if (!table.lock.try_lock_for(stop.get_token())) return;
              ++table.value;
              ++taken;
              table.lock.unlock();
            },
            [&] { stop.request_stop(); });
    explore::Check(table.value == 1 + taken);
    explore::Check(table.lock.try_lock());
  }));
}

TEST(SharedLockModel, WhoWroteLastMayDestroyIt) {
  EXPECT_TRUE(Holds(3, LastUserDestroysIt<SharedLock>));
}

// Behind the reader, whose unlock_shared() may not have returned.
TEST(SharedLockModel, WhoWritesAfterAReaderMayDestroyIt) {
  EXPECT_TRUE(Holds(3, [](Execution& run) HEDDLE_UNCHECKED {
    auto* const lock = new SharedLock;
    lock->lock_shared();
    run.Run([lock]() HEDDLE_UNCHECKED { lock->unlock_shared(); },
            [lock]() HEDDLE_UNCHECKED {
              lock->lock();
              lock->unlock();
              delete lock;
            });
  }));
}

}  // namespace
}  // namespace heddle
