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
using explore::Explore;
using explore::Options;
using explore::Result;
using internal::Var;

// Everything with at most `bound` deviations.
Options Within(int bound) {
  Options options;
  options.bound = bound;
  options.max_executions = 20'000'000;
  options.max_cpu_seconds = 120;
  return options;
}

void ExpectAll(const Result& result) {
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.complete);
}

// What is too large for more than one deviation: everything within that, and a
// sample of what is beyond.
void ExpectMost(const explore::Body& body) {
  ExpectAll(Explore(Within(1), body));
  for (const int depth : {3, 8}) {
    Options options;
    options.search = explore::Search::kPct;
    options.depth = depth;
    options.max_executions = 200'000;
    EXPECT_TRUE(Explore(options, body));
  }
}

TEST(EventModel, WhatCameBeforeSetIsVisibleAfterWait) {
  ExpectAll(Explore(Within(3), [](Execution& run) {
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
  ExpectAll(Explore(Within(3), [](Execution& run) {
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
  ExpectAll(Explore(Within(3), [](Execution& run) {
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
  ExpectMost([](Execution& run) {
    Event event;
    const auto wait = [&] { explore::Check(event.Wait()); };
    run.Run(wait, wait, [&] { event.Set(); });
  });
}

// Who comes between the Clear() and the next Set() waits for that one.
TEST(EventModel, SetFollowedByClearStrandsNobody) {
  ExpectAll(Explore(Within(3), [](Execution& run) {
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
  ExpectAll(Explore(Within(3), [](Execution& run) {
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
  ExpectMost([](Execution& run) {
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
  });
}

TEST(EventModel, WhoHasWaitedMayDestroyIt) {
  ExpectAll(Explore(Within(3), [](Execution& run) {
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
