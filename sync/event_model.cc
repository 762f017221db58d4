// Models of Event: (E1), (E2) and [SET] of event.h, under every schedule.

#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/var.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using internal::Var;

TEST(EventModel, WhatCameBeforeSetIsVisibleAfterWait) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Event event;
    Var<int> data = 0;
    run.Run(
        [&] {
          data = 1;
          event.Set();
        },
        [&] {
          explore::Check(event.Wait());
          explore::Check(data == 1);
        });
  }));
}

TEST(EventModel, WhatCameBeforeSetIsVisibleWhereIsSetIsTrue) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Event event;
    Var<int> data = 0;
    run.Run(
        [&] {
          data = 1;
          event.Set();
        },
        [&] {
          if (event.IsSet()) explore::Check(data == 1);
        });
  }));
}

// The edge exists for each Set(), also for one that changes nothing.
TEST(EventModel, WhatCameBeforeEitherSetIsVisibleAfterBothAreSeen) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Event event;
    Var<int> first = 0;
    Var<int> second = 0;
    run.Run(
        [&] {
          first = 1;
          event.Set();
        },
        [&] {
          second = 1;
          event.Set();
        });
    run.Run([&] {
      explore::Check(event.Wait());
      explore::Check(first == 1 && second == 1);
    });
  }));
}

TEST(EventModel, EveryWaiterIsReleased) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Event event;
    const auto wait = [&] { explore::Check(event.Wait()); };
    run.Run(wait, wait, [&] { event.Set(); });
  }));
}

// Who comes between the Clear() and the next Set() waits for that one.
TEST(EventModel, SetFollowedByClearStrandsNobody) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Event event;
    run.Run(
        [&] {
          event.Set();
          event.Clear();
          event.Set();
        },
        [&] { explore::Check(event.Wait()); });
  }));
}

TEST(EventModel, ClearSeesWhatCameBeforeTheSetThatItUndoes) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Event event;
    Var<int> data = 0;
    run.Run(
        [&] {
          data = 1;
          event.Set();
        },
        [&] {
          event.Clear();
          if (!event.IsSet()) return;
          event.Clear();
          explore::Check(data == 1);
        });
  }));
}

TEST(EventModel, AWaitWithALimitEndsAndTellsTheTruth) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Event event;
    Var<int> data = 0;
    std::stop_source stop;
    run.Run(
        [&] {
          if (event.Wait({absl::Seconds(1), stop.get_token()}))
            explore::Check(data == 1);
        },
        [&] {
          data = 1;
          event.Set();
        },
        [&] { stop.request_stop(); });
    explore::Check(event.IsSet());
  }));
}

TEST(EventModel, WhoHasWaitedMayDestroyIt) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    auto* const event = new Event;
    run.Run([=] { event->Set(); },
            [=] {
              explore::Check(event->Wait());
              delete event;
            });
  }));
}

}  // namespace
}  // namespace heddle
