// Models of Gate: (G1)-(G4) of gate.h, under every schedule.

#include <stop_token>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/queue/internal/gate.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace queue_internal {
namespace {

using explore::Execution;
using explore::Holds;
using explore::HoldsInSamples;
using internal::Atomic;

// The least that has a gate: a number of tickets. All that is waited for is made
// true by sequentially consistent operations.
class Tickets {
 public:
  void Add(int count) {
    tickets_.fetch_add(count, std::memory_order_seq_cst);
    gate_.LetOne();
  }

  void Close() {
    is_closed_.store(true, std::memory_order_seq_cst);
    gate_.LetAll();
  }

  // False if the limit passed, or nobody will add any more.
  bool Take(const WaitLimit& limit = {}) {
    if (TakeNow()) return true;
    const WaitLimit started = limit.Started();
    const auto ready = [this] {
      return tickets_.load(std::memory_order_seq_cst) > 0 ||
             is_closed_.load(std::memory_order_seq_cst);
    };
    GateTurn turn(gate_, ready, nobodys_);
    for (;;) {
      const bool is_last = is_closed_.load(std::memory_order_seq_cst) ||
                           !turn.Await(started, /*first_look=*/1);
      const bool taken = TakeNow();
      if (taken || is_last) return taken;
    }
  }

  int left() const { return tickets_.load(std::memory_order_seq_cst); }

 private:
  bool TakeNow() {
    int seen = tickets_.load(std::memory_order_seq_cst);
    while (seen > 0) {
      if (tickets_.compare_exchange_strong(seen, seen - 1,
                                           std::memory_order_seq_cst)) {
        return true;
      }
    }
    return false;
  }

  Atomic<int> tickets_{0};
  Atomic<bool> is_closed_{false};
  Gate gate_;
  Lock nobodys_;
};

// The same, with tickets that are added and taken under a lock: (L5) is all that
// keeps a look from missing them.
class LockedTickets {
 public:
  void Add(int count) {
    {
      LockGuard guard(lock_);
      Change(count);
    }
    gate_.LetOne();
  }

  void Take() {
    if (TakeNow()) return;
    const WaitLimit started = WaitLimit().Started();
    const auto ready = [this] {
      return tickets_.load(std::memory_order_acquire) > 0;
    };
    GateTurn turn(gate_, ready, lock_);
    do {
      turn.Await(started, /*first_look=*/1);
    } while (!TakeNow());
  }

  // Without a wait.
  bool TakeNow() {
    LockGuard guard(lock_);
    if (tickets_.load(std::memory_order_relaxed) == 0) return false;
    Change(-1);
    return true;
  }

  int left() const { return tickets_.load(std::memory_order_relaxed); }

 private:
  void Change(int count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) {
    // relaxed load: it changes under the lock.
    tickets_.store(tickets_.load(std::memory_order_relaxed) + count,
                   std::memory_order_release);
  }

  Lock lock_;
  Atomic<int> tickets_{0};
  Gate gate_;
};

TEST(GateModel, WhoWaitsIsLetThrough) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Tickets tickets;
    run.Run([&] { tickets.Take(); }, [&] { tickets.Add(1); });
    explore::Check(tickets.left() == 0);
  }));
}

TEST(GateModel, TwoAreLetThroughByTwo) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Tickets tickets;
    const auto take = [&] { tickets.Take(); };
    run.Run(take, take, [&] {
      tickets.Add(1);
      tickets.Add(1);
    });
    explore::Check(tickets.left() == 0);
  }));
}

TEST(GateModel, WhoIsLetThroughLetsTheNextOneThrough) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Tickets tickets;
    const auto take = [&] { tickets.Take(); };
    run.Run(take, take, [&] { tickets.Add(2); });
    explore::Check(tickets.left() == 0);
  }));
}

// A newcomer may be faster than who was woken: then that one waits on.
TEST(GateModel, WhoIsOvertakenIsNotForgotten) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Tickets tickets;
    int taken = 0;
    run.Run([&] { taken += tickets.Take() ? 1 : 0; },
            [&] {
              tickets.Add(1);
              if (tickets.Take(absl::ZeroDuration())) {
                ++taken;
                tickets.Add(1);
              }
            });
    explore::Check(taken >= 1 && tickets.left() == 0);
  }));
}

// Two tickets, one after the other; the wait that may end by itself may be the one
// that the first is meant for.
TEST(GateModel, WhoseLimitPassesLeavesTheTicketToTheOther) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Tickets tickets;
    bool taken = false;
    run.Run([&] { taken = tickets.Take(absl::Seconds(1)); },
            [&] { tickets.Take(); },
            [&] {
              tickets.Add(1);
              tickets.Add(1);
            });
    explore::Check(tickets.left() == (taken ? 0 : 1));
  }));
}

TEST(GateModel, WhoIsStoppedLeavesTheTicketToTheOther) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Tickets tickets;
    std::stop_source stop;
    bool taken = false;
    run.Run([&] { taken = tickets.Take(stop.get_token()); },
            [&] { tickets.Take(); },
            [&] {
              stop.request_stop();
              tickets.Add(1);
              tickets.Add(1);
            });
    explore::Check(tickets.left() == (taken ? 0 : 1));
  }));
}

TEST(GateModel, WhoWaitsForWhatALockProtectsIsLetThrough) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    LockedTickets tickets;
    run.Run([&] { tickets.Take(); }, [&] { tickets.Add(1); });
    explore::Check(tickets.left() == 0);
  }));
}

TEST(GateModel, TwoWhoWaitForWhatALockProtectsAreLetThrough) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    LockedTickets tickets;
    const auto take = [&] { tickets.Take(); };
    run.Run(take, take, [&] {
      tickets.Add(1);
      tickets.Add(1);
    });
    explore::Check(tickets.left() == 0);
  }));
}

TEST(GateModel, WhoIsOvertakenUnderTheLockIsNotForgotten) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    LockedTickets tickets;
    run.Run([&] { tickets.Take(); },
            [&] {
              tickets.Add(1);
              if (tickets.TakeNow()) tickets.Add(1);
            });
    explore::Check(tickets.left() == 0);
  }));
}

TEST(GateModel, AllAreLetThroughAtTheEnd) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Tickets tickets;
    int taken = 0;
    const auto take = [&] { taken += tickets.Take() ? 1 : 0; };
    run.Run(take, take, [&] { tickets.Close(); });
    explore::Check(taken == 0);
  }));
}

TEST(GateModel, TheEndComesToWhoIsOnItsWayToo) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Tickets tickets;
    int taken = 0;
    const auto take = [&] { taken += tickets.Take() ? 1 : 0; };
    run.Run(take, take, [&] {
      tickets.Add(1);
      tickets.Close();
    });
    explore::Check(taken == 1);
  }));
}

}  // namespace
}  // namespace queue_internal
}  // namespace heddle
