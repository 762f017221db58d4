// Models of Roster: (R1)-(R4) of README.md, with a place of each kind that work
// can be put into, under every schedule.

#include <cstdint>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/pool/internal/roster.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace pool_internal {
namespace {

using explore::Execution;
using explore::Holds;

// Work in a place that is looked at with seq_cst, as a deque's is.
class OpenPlace {
 public:
  void Put() { work_.fetch_add(1, std::memory_order_seq_cst); }
  bool Take() {
    int64_t seen = work_.load(std::memory_order_seq_cst);
    while (seen > 0) {
      if (work_.compare_exchange_weak(seen, seen - 1,
                                      std::memory_order_seq_cst))
        return true;
    }
    return false;
  }
  bool Has() { return work_.load(std::memory_order_seq_cst) > 0; }

 private:
  internal::Atomic<int64_t> work_{0};
};

// Work under a lock, as the injection queue's is.
class LockedPlace {
 public:
  void Put() {
    LockGuard guard(lock_);
    ++work_;
  }
  bool Take() {
    LockGuard guard(lock_);
    if (work_ == 0) return false;
    --work_;
    return true;
  }
  bool Has() {
    LockGuard guard(lock_);
    return work_ > 0;
  }

 private:
  internal::RawLock lock_;
  internal::Var<int> work_ = 0;
};

// Workers that take `goal` pieces of work together and end then. If one piece
// were left with everybody asleep, nobody would end: a deadlock.
template <typename Place>
class Workers {
 public:
  Workers(Roster& roster, Place& place, int64_t goal)
      : roster_(roster), place_(place), goal_(goal) {}

  void Put() {
    place_.Put();
    roster_.CallOne();
  }

  // From here on the first piece of work waits for the second to be begun.
  void LetThemMeet() { meet_ = true; }

  bool Over() { return done_.load(std::memory_order_seq_cst) == goal_; }

  // What a pool's worker does: see WorkerPool::Core::Next().
  void Work(bool searching, const WaitLimit& idle_time = {}) {
    for (bool idle = false;;) {
      const bool over = Over();
      if (place_.Take()) {
        if (searching && roster_.StopSearching() && place_.Has())
          roster_.CallOne();
        searching = false;
        if (meet_) Meet();
        if (done_.fetch_add(1, std::memory_order_seq_cst) + 1 == goal_)
          roster_.CallAll();
        continue;
      }
      if (over) break;
      bool needed = false;
      if (idle && roster_.TryRetire(searching, needed)) {
        if (!needed || !place_.Has()) return;
        roster_.StayAfterAll();
        searching = true;
        continue;
      }
      if (!searching) searching = roster_.TrySearch();
      const Roster::Waking waking = roster_.Sleep(
          searching, idle_time, [this](bool look, bool /*all_asleep*/) {
            return Over() || (look && place_.Has());
          });
      idle = waking == Roster::Waking::kIdle;
      searching = true;
    }
    // Stays counted as active: there is no more work to be called for.
  }

 private:
  void Meet() {
    if (begun_.fetch_add(1, std::memory_order_seq_cst) == 0) {
      second_.Wait();
    } else {
      second_.Set();
    }
  }

  Roster& roster_;
  Place& place_;
  const int64_t goal_;
  internal::Atomic<int64_t> done_{0};
  bool meet_ = false;
  internal::Atomic<int64_t> begun_{0};
  Event second_;
};

template <typename Place>
void OneWorker(Execution& run) {
  Roster roster(1, 1);
  Place place;
  Workers<Place> workers(roster, place, 2);
  roster.AddThread(1);
  run.Run([&] { workers.Work(/*searching=*/true); },
          [&] {
            workers.Put();
            workers.Put();
          });
  explore::Check(roster.counts().active == 1);
  explore::Check(roster.counts().sleeping == 0);
}

TEST(RosterModel, NoWorkIsLeftInAnOpenPlace) {
  EXPECT_TRUE(Holds(2, OneWorker<OpenPlace>));
}

TEST(RosterModel, NoWorkIsLeftUnderALock) {
  EXPECT_TRUE(Holds(1, OneWorker<LockedPlace>));
}

template <typename Place>
void TwoWorkers(Execution& run) {
  Roster roster(2, 2);
  Place place;
  Workers<Place> workers(roster, place, 2);
  workers.LetThemMeet();
  roster.AddThread(2);
  roster.AddThread(2);
  run.Run([&] { workers.Work(/*searching=*/true); },
          [&] { workers.Work(/*searching=*/true); },
          [&] {
            workers.Put();
            workers.Put();
          });
  explore::Check(roster.counts().active == 2);
  explore::Check(roster.counts().sleeping == 0);
}

TEST(RosterModel, TwoWorkersLeaveNoWork) {
  EXPECT_TRUE(Holds(0, TwoWorkers<OpenPlace>));
}

// One may be active; the other takes its place while it is blocked, and blocks
// until the work is done that only the other can do.
TEST(RosterModel, WhoIsBlockedIsReplaced) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Roster roster(1, 2);
    OpenPlace place;
    Workers<OpenPlace> workers(roster, place, 1);
    roster.AddThread(2);
    roster.AddThread(2);
    run.Run([&] { workers.Work(/*searching=*/true); },
            [&] {
              roster.StopSearching();
              place.Put();
              roster.Blocked();
              roster.CallOne();
              roster.Unblocked();
              workers.Work(/*searching=*/false);
            });
    explore::Check(roster.counts().active == 2);
    explore::Check(roster.counts().sleeping == 0);
  }));
}

// A worker over the number ends when its idle time is over, unless it is called
// before; a call is not lost with it.
TEST(RosterModel, WhoRetiresTakesNoCallAlong) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Roster roster(1, 2);
    OpenPlace place;
    Workers<OpenPlace> workers(roster, place, 1);
    roster.AddThread(2);
    roster.AddThread(2);
    run.Run([&] { workers.Work(true, absl::Seconds(1)); },
            [&] { workers.Work(true, absl::Seconds(1)); },
            [&] { workers.Put(); });
    explore::Check(workers.Over());
    const Roster::Counts left = roster.counts();
    explore::Check(left.sleeping == 0);
    explore::Check(left.active == left.threads);
    explore::Check(left.threads >= 1);
  }));
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
