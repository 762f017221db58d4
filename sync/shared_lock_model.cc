// Models of SharedLock: (H1)-(H3) and [UNLOCK] of shared_lock.h, under every
// schedule.

#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/event.h"
#include "heddle/sync/internal/lock_models.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
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

// (H3): a writer that gives up lets in the readers that wait behind it.
TEST(SharedLockModel, AWriterThatGivesUpStrandsNobody) {
  EXPECT_TRUE(Holds(1, [](Execution& run) HEDDLE_UNCHECKED {
    SharedLock lock;
    Event done;
    run.Run(
        [&]() HEDDLE_UNCHECKED {
          lock.lock_shared();
          explore::Check(done.Wait());  // until the other has read
          lock.unlock_shared();
        },
        [&]() HEDDLE_UNCHECKED {
          if (lock.try_lock_for(absl::Seconds(1))) lock.unlock();
        },
        [&]() HEDDLE_UNCHECKED {
          lock.lock_shared();
          lock.unlock_shared();
          done.Set();
        });
  }));
}

// Between them somebody queues who gives up: nobody is handed the lock.
TEST(SharedLockModel, WhatAReaderReadIsReadBeforeANewcomerWrites) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
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
