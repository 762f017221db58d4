// Models of Event: (E1), (E2) and [SET] of event.h, under every schedule.

#include <atomic>
#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/atomic.h"
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

// The edge exists for each Set(), also for one that changes nothing. If the event
// is unset in the end, both came before the Clear(), which therefore sees what
// came before both.
TEST(EventModel, WhatCameBeforeEitherSetIsVisibleAfterTheClear) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Event event;
    internal::Atomic<int> first{0};
    internal::Atomic<int> second{0};
    int seen = 0;
    const auto set = [&](internal::Atomic<int>& data) {
      data.store(1, std::memory_order_relaxed);
      event.Set();
    };
    run.Run([&] { set(first); }, [&] { set(second); },
            [&] {
              event.Clear();
              seen = first.load(std::memory_order_relaxed) +
                     second.load(std::memory_order_relaxed);
            });
    explore::Check(event.IsSet() || seen == 2);
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
    internal::Atomic<int> data{0};
    int seen = 0;
    run.Run(
        [&] {
          data.store(1, std::memory_order_relaxed);
          event.Set();
        },
        [&] {
          event.Clear();
          seen = data.load(std::memory_order_relaxed);
        });
    explore::Check(event.IsSet() || seen == 1);
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

// The first wait may leave a mark that somebody is queued; the second then finds
// the flag while Set() sees to the queue.
TEST(EventModel, WhoHasWaitedMayDestroyIt) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    auto* const event = new Event;
    run.Run([=] { event->Set(); },
            [=] {
              if (!event->Wait(absl::Seconds(1))) explore::Check(event->Wait());
              delete event;
            });
  }));
}

}  // namespace
}  // namespace heddle
