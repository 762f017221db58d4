// The row `event`: a flag that is looked at and waited for.

#include "heddle/sync/event.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <latch>
#include <string>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender has Set(), IsSet() and Wait(). It is used once, as most of them
// can only be.

class Heddle {
 public:
  void Set() { event_.Set(); }
  bool IsSet() const { return event_.IsSet(); }
  void Wait() { event_.Wait(); }

 private:
  Event event_;
};

class AbslNotification {
 public:
  void Set() { notification_.Notify(); }
  bool IsSet() const { return notification_.HasBeenNotified(); }
  void Wait() { notification_.WaitForNotification(); }

 private:
  absl::Notification notification_;
};

class StdLatch {
 public:
  void Set() { latch_.count_down(); }
  bool IsSet() const { return latch_.try_wait(); }
  void Wait() { latch_.wait(); }

 private:
  std::latch latch_{1};
};

class StdAtomicFlag {
 public:
  void Set() {
    flag_.test_and_set(std::memory_order_release);
    flag_.notify_all();
  }
  bool IsSet() const { return flag_.test(std::memory_order_acquire); }
  void Wait() { flag_.wait(false, std::memory_order_acquire); }

 private:
  std::atomic_flag flag_;
};

template <typename Contender>
void Check(benchmark::State& state) {
  constexpr int64_t kLooks = 1000;
  const OtherThread other;
  Contender event;
  event.Set();
  for (auto _ : state) {
    int64_t sum = 0;
    for (int64_t i = 0; i < kLooks; ++i) {
      if (event.IsSet()) ++sum;
      benchmark::DoNotOptimize(sum);
    }
    if (!CheckSum(state, sum, kLooks)) break;
  }
  state.SetItemsProcessed(state.iterations() * kLooks);
}

using Clock = std::chrono::steady_clock;

// An event and when it was set.
template <typename Contender>
struct Turn {
  Contender event;
  Clock::time_point set;
};

// Two threads let each other go on in turn, each time by an event of its own.
// Before that they do some work; with enough of it the other has given up
// spinning by then, and sleeps. An item is the time from just before a Set() to
// the end of the Wait() for it.
template <typename Contender>
void Wake(benchmark::State& state, absl::Duration before) {
  constexpr size_t kTurns = 1000;
  const Work work(before);
  std::deque<Turn<Contender>> turns;
  struct alignas(64) Part {
    int64_t waits = 0;
    Clock::duration taken{};
  };
  std::array<Part, 2> parts;
  Crew crew(/*size=*/2, [&](int member) {
    Part& mine = parts[static_cast<size_t>(member)];
    for (size_t i = 0; i < turns.size(); ++i) {
      Turn<Contender>& turn = turns[i];
      if (i % 2 == static_cast<size_t>(member)) {
        work();
        turn.set = Clock::now();
        turn.event.Set();
      } else {
        turn.event.Wait();
        mine.taken += Clock::now() - turn.set;
        ++mine.waits;
      }
    }
  });
  crew.Round();
  for (auto _ : state) {
    turns.clear();
    for (size_t i = 0; i < kTurns; ++i) turns.emplace_back();
    parts = {};
    crew.Round();
    const std::chrono::duration<double> taken = parts[0].taken + parts[1].taken;
    state.SetIterationTime(taken.count());
    if (!CheckSum(state, parts[0].waits + parts[1].waits, kTurns)) break;
  }
  state.SetItemsProcessed(state.iterations() * int64_t{kTurns});
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name) {
  row.Case(name, {{"scene", "is_set"}}, Check<Contender>);
  row.TimedCase(name, {{"scene", "wake"}, {"work", "none"}},
                [](benchmark::State& state) {
                  Wake<Contender>(state, absl::ZeroDuration());
                });
  row.TimedCase(name, {{"scene", "wake"}, {"work", "50us"}},
                [](benchmark::State& state) {
                  Wake<Contender>(state, absl::Microseconds(50));
                });
}

[[maybe_unused]] const bool registered = [] {
  const Row row(
      "Event",
      "A flag that threads can wait for. is_set: look whether it is set, which "
      "it is, while another thread is there, asleep. wake: two threads let "
      "each "
      "other go on in turn, each time by a new flag; an item is the time from "
      "just before the setting to the end of the wait. With work 50us so much "
      "work comes before each setting, which is not in the time: the other "
      "thread sleeps by then.");
  AddCases<Heddle>(row, "heddle");
  AddCases<AbslNotification>(row, "absl_notification");
  AddCases<StdLatch>(row, "std_latch");
  AddCases<StdAtomicFlag>(row, "std_atomic_flag");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
