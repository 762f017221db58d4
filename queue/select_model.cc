// Models of SelectGet(): a wait that stands in several queues, under every
// schedule.

#include <cstddef>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/select.h"
#include "heddle/sync/event.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using explore::HoldsInSamples;

TEST(SelectModel, TakesTheItemOfEitherQueue) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> first;
    Queue<int> second;
    size_t index = 9;
    run.Run([&] { index = SelectGet(first, second)->index(); },
            [&] { second.Put(1); });
    explore::Check(index == 1);
    explore::Check(second.Empty());
  }));
}

// It takes one of the two; the other is there, or comes to who waits for it.
TEST(SelectModel, TakesOneWhereBothCome) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> first;
    Queue<int> second;
    run.Run([&] { explore::Check(SelectGet(first, second).has_value()); },
            [&] { first.Put(1); }, [&] { second.Put(1); });
    explore::Check(first.Size() + second.Size() == 1);
  }));
}

// Woken by one queue, it may take from another that is ready too.
TEST(SelectModel, TheWakeUpItDoesNotUseGoesToWhoWaits) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> first;
    Queue<int> second;
    run.Run([&] { explore::Check(SelectGet(first, second).has_value()); },
            [&] { explore::Check(second.Get().has_value()); },
            [&] {
              second.Put(2);
              first.Put(1);
              second.Put(3);
            });
    explore::Check(first.Size() + second.Size() == 1);
  }));
}

TEST(SelectModel, TwoWhoSelectGetOneEach) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> first;
    Queue<int> second;
    run.Run([&] { explore::Check(SelectGet(first, second).has_value()); },
            [&] { explore::Check(SelectGet(second, first).has_value()); },
            [&] {
              first.Put(1);
              second.Put(2);
            });
    explore::Check(first.Empty() && second.Empty());
  }));
}

TEST(SelectModel, ALimitTakesTheItemOrLeavesIt) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> first;
    Queue<int> second;
    bool got = false;
    run.Run(
        [&] { got = SelectGet(first, second, absl::Seconds(1)).has_value(); },
        [&] { second.Put(1); });
    explore::Check(got == second.Empty());
  }));
}

TEST(SelectModel, AnEventOrAnItem) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> queue;
    Event event;
    size_t index = 9;
    run.Run([&] { index = SelectGet(queue, event)->index(); },
            [&] { queue.Put(1); }, [&] { event.Set(); });
    explore::Check(index == (queue.Empty() ? 0 : 1));
  }));
}

TEST(SelectModel, AnEventMayBeDestroyedByWhoWasToldOfIt) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> queue;
    auto* event = new Event;
    run.Run(
        [&] {
          explore::Check(SelectGet(queue, *event)->index() == 1);
          delete event;
        },
        [&] { event->Set(); });
  }));
}

TEST(SelectModel, ShutdownOfBothEndsIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Queue<int> first;
    Queue<int> second;
    run.Run([&] { explore::Check(!SelectGet(first, second).has_value()); },
            [&] {
              first.Shutdown();
              second.Shutdown();
            });
  }));
}

}  // namespace
}  // namespace heddle
