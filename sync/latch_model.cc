// Models of Latch: (A1), (A2) and [DOWN] of latch.h, under every schedule.

#include <stdexcept>
#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/latch.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using internal::Var;

// Not the last count alone: all of them.
TEST(LatchModel, WhatCameBeforeEachCountDownIsVisibleAfterTheWait) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Latch latch(2);
    Var<int> first = 0;
    Var<int> second = 0;
    run.Run(
        [&] {
          first = 1;
          latch.CountDown();
        },
        [&] {
          second = 1;
          latch.CountDown();
        },
        [&] {
          explore::Check(latch.Wait());
          explore::Check(first == 1 && second == 1);
        });
  }));
}

TEST(LatchModel, WhatCameBeforeEachCountDownIsVisibleWhereTryWaitIsTrue) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Latch latch(2);
    Var<int> first = 0;
    Var<int> second = 0;
    run.Run(
        [&] {
          first = 1;
          latch.CountDown();
        },
        [&] {
          second = 1;
          latch.CountDown();
        },
        [&] {
          if (latch.TryWait()) explore::Check(first == 1 && second == 1);
        });
    explore::Check(latch.TryWait());
  }));
}

TEST(LatchModel, EveryWaiterIsReleased) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Latch latch(1);
    const auto wait = [&] { explore::Check(latch.Wait()); };
    run.Run(wait, wait, [&] { latch.CountDown(); });
  }));
}

TEST(LatchModel, ThoseWhoArriveMeet) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Latch latch(2);
    Var<int> data[2] = {0, 0};
    const auto arrive = [&](int self) {
      data[self] = 1;
      explore::Check(latch.ArriveAndWait());
      explore::Check(data[1 - self] == 1);
    };
    run.Run([&] { arrive(0); }, [&] { arrive(1); });
  }));
}

TEST(LatchModel, AWaitWithALimitEndsAndTellsTheTruth) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Latch latch(1);
    Var<int> data = 0;
    std::stop_source stop;
    run.Run(
        [&] {
          if (latch.Wait({absl::Seconds(1), stop.get_token()}))
            explore::Check(data == 1);
        },
        [&] {
          data = 1;
          latch.CountDown();
        },
        [&] { stop.request_stop(); });
    explore::Check(latch.TryWait());
  }));
}

// Who gives up does not take the other's wake-up with it.
TEST(LatchModel, AWaitThatEndsByItsLimitStrandsNobody) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Latch latch(1);
    run.Run([&] { static_cast<void>(latch.Wait(absl::Seconds(1))); },
            [&] { explore::Check(latch.Wait()); }, [&] { latch.CountDown(); });
  }));
}

TEST(LatchModel, OfTooManyCountsOneIsRefused) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Latch latch(1);
    int refused = 0;
    const auto count = [&] {
      try {
        latch.CountDown();
      } catch (const std::logic_error&) {
        ++refused;
      }
    };
    run.Run(count, count, [&] { explore::Check(latch.Wait()); });
    explore::Check(refused == 1);
  }));
}

TEST(LatchModel, WhoHasWaitedMayDestroyIt) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    auto* const latch = new Latch(1);
    run.Run([=] { latch->CountDown(); },
            [=] {
              explore::Check(latch->Wait());
              delete latch;
            });
  }));
}

}  // namespace
}  // namespace heddle
