// Models of Gate: (G1)-(G6) of gate.h, under every schedule.

#include <cstddef>
#include <optional>
#include <stop_token>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/queue/internal/gate.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/held_up.h"
#include "heddle/thread/internal/parking.h"
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
using internal::HeldUp;
using internal::WakeList;

// The least that has a gate: a number of tickets, under a lock.
class Tickets {
 public:
  void Add(int count) {
    std::optional<WakeList> woken;
    LockGuard guard(lock_);
    Change(count);
    gate_.LetOne(woken);
  }

  void Close() {
    WakeList woken;
    LockGuard guard(lock_);
    is_closed_.store(true, std::memory_order_release);
    gate_.LetAll(woken);
  }

  // False if the limit passed, or nobody will add any more. With `fails`, the
  // first try after a wait throws, as it were.
  bool Take(const WaitLimit& limit = {}, bool fails = false) {
    if (TakeNow()) return true;
    const WaitLimit started = limit.Started();
    const auto count = [this] {
      const auto left =
          static_cast<size_t>(tickets_.load(std::memory_order_acquire));
      return left != 0 || !is_closed_.load(std::memory_order_acquire) ? left
                                                                      : 1;
    };
    GateTurn turn(gate_, count, lock_);
    for (;;) {
      const bool is_last = is_closed_.load(std::memory_order_acquire) ||
                           !turn.Await(started, /*first_look=*/1);
      const bool taken = TakeInTurn(turn, fails);
      if (fails) return false;
      turn.Tried();
      if (taken || is_last) return taken;
    }
  }

  // Without a wait.
  bool TakeNow() {
    LockGuard guard(lock_);
    return TakeLocked();
  }

  size_t waiters() const { return gate_.CountWaiters(); }
  int left() const { return tickets_.load(std::memory_order_relaxed); }

 private:
  bool TakeInTurn(GateTurn& turn, bool fails) {
    std::optional<WakeList> woken;
    LockGuard guard(lock_);
    if (turn.is_coming()) turn.Come(1, woken);
    return !fails && TakeLocked();
  }

  bool TakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) {
    // relaxed: it changes under the lock.
    if (tickets_.load(std::memory_order_relaxed) == 0) return false;
    Change(-1);
    return true;
  }

  void Change(int count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) {
    // relaxed load: it changes under the lock.
    tickets_.store(tickets_.load(std::memory_order_relaxed) + count,
                   std::memory_order_release);
  }

  Lock lock_;
  Atomic<int> tickets_{0};
  Atomic<bool> is_closed_{false};
  Gate gate_;
};

TEST(GateModel, WhoWaitsIsLetThrough) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Tickets tickets;
    run.Run([&] { tickets.Take(); }, [&] { tickets.Add(1); });
    explore::Check(tickets.left() == 0);
  }));
}

TEST(GateModel, TwoAreLetThroughByTwo) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Tickets tickets;
    const auto take = [&] { tickets.Take(); };
    run.Run(take, take, [&] {
      tickets.Add(1);
      tickets.Add(1);
    });
    explore::Check(tickets.left() == 0);
  }));
}

// (G5): nobody but the destroying thread waits, or will ask for more.
TEST(GateModel, WhoIsLetThroughMayDestroyIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    auto* const tickets = new Tickets;
    run.Run(
        [&] {
          tickets->Take();
          tickets->TakeNow();  // with the lock, after who let it through
          delete tickets;
        },
        [&] { tickets->Add(1); });
  }));
}

// (G4): its try throws, so the ticket is for the other. (Both give back what they
// take, so that a ticket is there for whoever waits.)
TEST(GateModel, WhoseTryFailsLeavesTheTicketToTheOther) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Tickets tickets;
    const auto borrow = [&](bool fails) {
      if (tickets.Take(WaitLimit(), fails)) tickets.Add(1);
    };
    run.Run([&] { borrow(/*fails=*/true); }, [&] { borrow(/*fails=*/false); },
            [&] { tickets.Add(1); });
    explore::Check(tickets.left() == 1);
  }));
}

TEST(GateModel, WhoIsLetThroughLetsTheNextOneThrough) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Tickets tickets;
    const auto take = [&] { tickets.Take(); };
    run.Run(take, take, [&] { tickets.Add(2); });
    explore::Check(tickets.left() == 0);
  }));
}

// A newcomer may be faster than who was woken: then that one waits on.
TEST(GateModel, WhoIsOvertakenIsNotForgotten) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
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
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
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
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
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

// A newcomer was faster than the waiter that was woken: that one is still
// served before the next.
TEST(GateModel, WhoIsOvertakenWaitsOnInTheFirstPlace) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Tickets tickets;
    bool is_behind = false;
    bool is_overtaken = false;
    int first = 0;
    const auto take = [&](int who) {
      if (tickets.Take() && first == 0) first = who;
    };
    run.Run([&] { take(1); },
            [&] {
              is_behind = tickets.waiters() == 1;
              if (is_behind) take(2);
            },
            [&] {
              if (is_behind && tickets.waiters() == 2) {
                tickets.Add(1);
                is_overtaken = tickets.TakeNow() && tickets.waiters() == 2;
                tickets.Add(2);
              }
              if (!is_overtaken) tickets.Close();
            });
    explore::Check(!is_overtaken || first == 1);
  }));
}

TEST(GateModel, AllAreLetThroughAtTheEnd) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Tickets tickets;
    int taken = 0;
    const auto take = [&] { taken += tickets.Take() ? 1 : 0; };
    run.Run(take, take, [&] { tickets.Close(); });
    explore::Check(taken == 0);
  }));
}

TEST(GateModel, TheEndComesToWhoIsOnItsWayToo) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
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

// (G6): who was let through does not get to run, and the next one is let
// through by the next ticket, when a millisecond has passed.
TEST(GateModel, WhoIsLetThroughAndDoesNotRunHoldsUpNobody) {
  EXPECT_TRUE(HoldsInSamples(
      [](Execution& run) {
        Tickets tickets;
        HeldUp held_up;
        run.Run([&] { held_up.Run([&] { tickets.Take(); }); },
                [&] {
                  held_up.Await();
                  tickets.Take();
                  held_up.Release();
                },
                [&] {
                  held_up.Await();
                  tickets.Add(1);
                  internal::LetTimePass(1'000'000);
                  tickets.Add(1);
                });
        explore::Check(tickets.left() == 0);
      },
      /*samples=*/20'000));
}

// The one who is let through instead lets the third through, with no further
// ticket.
TEST(GateModel, WhoIsLetThroughInsteadLetsTheNextOneThrough) {
  EXPECT_TRUE(HoldsInSamples(
      [](Execution& run) {
        Tickets tickets;
        HeldUp held_up;
        Atomic<int> taken{0};
        const auto take = [&] {
          held_up.Await();
          tickets.Take();
          if (taken.fetch_add(1, std::memory_order_relaxed) == 1)
            held_up.Release();
        };
        run.Run([&] { held_up.Run([&] { tickets.Take(); }); }, take, take,
                [&] {
                  held_up.Await();
                  tickets.Add(1);
                  internal::LetTimePass(1'000'000);
                  tickets.Add(2);
                });
        explore::Check(tickets.left() == 0);
      },
      /*samples=*/10'000));
}

// (G2), (G4): two are on their way at once, and kWaking is about the second
// when the first comes.
TEST(GateModel, WhoComesLateLeavesNothingLying) {
  EXPECT_TRUE(HoldsInSamples(
      [](Execution& run) {
        Tickets tickets;
        HeldUp held_up;
        const auto take = [&] { tickets.Take(); };
        run.Run([&] { held_up.Run(take); }, take, [&] { held_up.Release(); },
                [&] {
                  tickets.Add(1);
                  internal::LetTimePass(1'000'000);
                  tickets.Add(1);
                });
        explore::Check(tickets.left() == 0);
      },
      /*samples=*/20'000));
}

}  // namespace
}  // namespace queue_internal
}  // namespace heddle
