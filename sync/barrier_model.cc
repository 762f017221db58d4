// Models of Barrier: (B1)-(B4) of barrier.h, under every schedule.

#include <stdexcept>
#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/barrier.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using internal::Var;

// The index, or -1 if the barrier is broken.
int Meet(Barrier& barrier, const WaitLimit& limit = {}) {
  try {
    return barrier.Wait(limit);
  } catch (const BrokenBarrierError&) {
    return -1;
  }
}

TEST(BarrierModel, WhatCameBeforeIsVisibleToAllAfter) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Barrier barrier(2);
    Var<int> data[2] = {0, 0};
    int indices = 0;
    const auto meet = [&](int self) {
      data[self] = 1;
      indices += 1 << barrier.Wait();
      explore::Check(data[1 - self] == 1);
    };
    run.Run([&] { meet(0); }, [&] { meet(1); });
    explore::Check(indices == 0b11);  // 0 and 1, each once
  }));
}

TEST(BarrierModel, ThreeMeet) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Barrier barrier(3);
    int indices = 0;
    const auto meet = [&] { indices += 1 << barrier.Wait(); };
    run.Run(meet, meet, meet);
    explore::Check(indices == 0b111);
    explore::Check(barrier.waiting() == 0);
  }));
}

// The second meeting keeps the next write from the others' reads.
TEST(BarrierModel, TheyMeetAgainAndAgain) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Barrier barrier(2);
    Var<int> data[2] = {0, 0};
    const auto meet = [&](int self) {
      data[self] = 1;
      barrier.Wait();
      explore::Check(data[1 - self] == 1);
      barrier.Wait();
      data[self] = 2;
    };
    run.Run([&] { meet(0); }, [&] { meet(1); });
  }));
}

// Two of three make a meeting, and the third waits for a fourth.
TEST(BarrierModel, MoreThanItsPartiesMeetInTwos) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    Barrier barrier(2);
    int indices = 0;
    const auto meet = [&] { indices += 1 << (4 * barrier.Wait()); };
    run.Run(meet, meet, meet, meet);
    explore::Check(indices == 0x22);
  }));
}

TEST(BarrierModel, ALimitThatPassesBreaksItForAllOrForNobody) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Barrier barrier(2);
    int first = 0;
    int second = 0;
    run.Run([&] { first = Meet(barrier, absl::Seconds(1)); },
            [&] { second = Meet(barrier); });
    explore::Check((first == -1) == (second == -1));
    explore::Check((first == -1) == barrier.broken());
  }));
}

TEST(BarrierModel, AStopBreaksItForAllOrForNobody) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Barrier barrier(2);
    std::stop_source stop;
    int first = 0;
    int second = 0;
    run.Run([&] { first = Meet(barrier, stop.get_token()); },
            [&] { second = Meet(barrier); }, [&] { stop.request_stop(); });
    explore::Check((first == -1) == (second == -1));
  }));
}

// A third that would complete the meeting never comes.
TEST(BarrierModel, WhoGivesUpTakesThoseWithItWhoWait) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Barrier barrier(3);
    run.Run([&] { explore::Check(Meet(barrier, absl::Seconds(1)) == -1); },
            [&] { explore::Check(Meet(barrier) == -1); });
    explore::Check(barrier.broken());
  }));
}

TEST(BarrierModel, AbortLetsAllGo) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Barrier barrier(2);
    int first = 0;
    int second = 0;
    run.Run([&] { first = Meet(barrier); }, [&] { second = Meet(barrier); },
            [&] { barrier.Abort(); });
    explore::Check(barrier.broken());
    explore::Check((first == -1) == (second == -1));
  }));
}

// Whom a Reset() does not find comes to the next meeting.
TEST(BarrierModel, ResetLetsThoseGoWhoWait) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Barrier barrier(2);
    int outcome = 0;
    run.Run([&] { outcome = Meet(barrier, absl::Seconds(1)); },
            [&] { barrier.Reset(); });
    explore::Check(outcome == -1);
    explore::Check(barrier.waiting() == 0);
    barrier.Reset();
    const auto meet = [&] { explore::Check(Meet(barrier) >= 0); };
    run.Run(meet, meet);
  }));
}

TEST(BarrierModel, TheActionComesAfterAllAndBeforeAnybodyGoesOn) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Var<int> data[2] = {0, 0};
    Var<int> acted = 0;
    Barrier barrier(2, [&] {
      explore::Check(data[0] == 1 && data[1] == 1);
      ++acted;
    });
    const auto meet = [&](int self) {
      data[self] = 1;
      barrier.Wait();
      explore::Check(acted == 1);
    };
    run.Run([&] { meet(0); }, [&] { meet(1); });
  }));
}

// (B4), with more threads than parties.
TEST(BarrierModel, ActionsExcludeEachOther) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    Var<int> acted = 0;
    Barrier barrier(1, [&] { ++acted; });
    const auto meet = [&] { barrier.Wait(); };
    run.Run(meet, meet, meet);
    explore::Check(acted == 3);
  }));
}

TEST(BarrierModel, AnActionThatThrowsBreaksIt) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Barrier barrier(2, [] { throw 1; });
    int thrown = 0;
    int broken = 0;
    const auto meet = [&] {
      try {
        barrier.Wait();
      } catch (const BrokenBarrierError&) {
        ++broken;
      } catch (int) {
        ++thrown;
      }
    };
    run.Run(meet, meet);
    explore::Check(thrown == 1 && broken == 1);
    explore::Check(barrier.broken());
  }));
}

TEST(BarrierModel, TheLastToArriveMayDestroyIt) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    auto* const barrier = new Barrier(2);
    const auto meet = [=] {
      if (barrier->Wait() == 1) delete barrier;
    };
    run.Run(meet, meet);
  }));
}

}  // namespace
}  // namespace heddle
