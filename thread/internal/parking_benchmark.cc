// What the parts of a wait cost. The rows without a second thread make no
// system call: they are the price of the bookkeeping.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <stop_token>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
namespace {

void BM_ParkingSpot_LookAndFindNobody(benchmark::State& state) {
  const int key = 0;
  for (auto _ : state) {
    ParkingSpot spot(&key);
    benchmark::DoNotOptimize(spot.HasWaiters());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParkingSpot_LookAndFindNobody);

void BM_ParkingSpot_WakeNobody(benchmark::State& state) {
  const int key = 0;
  for (auto _ : state) {
    WakeList woken;
    ParkingSpot spot(&key);
    benchmark::DoNotOptimize(spot.Wake(1, woken));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParkingSpot_WakeNobody);

// A waiter that was woken before it slept.
void AddWakeAndSleep(benchmark::State& state, const WaitLimit& limit) {
  const int key = 0;
  for (auto _ : state) {
    Waiter waiter;
    {
      ParkingSpot spot(&key);
      spot.Add(waiter);
    }
    {
      WakeList woken;
      ParkingSpot spot(&key);
      spot.Wake(1, woken);
    }
    benchmark::DoNotOptimize(waiter.Sleep(limit));
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Waiter_WokenBeforeItSleeps(benchmark::State& state) {
  AddWakeAndSleep(state, WaitLimit());
}
BENCHMARK(BM_Waiter_WokenBeforeItSleeps);

void BM_Waiter_WokenBeforeItSleepsWithAStopToken(benchmark::State& state) {
  std::stop_source stop;
  AddWakeAndSleep(state, stop.get_token());
}
BENCHMARK(BM_Waiter_WokenBeforeItSleepsWithAStopToken);

void BM_Waiter_LimitHasPassed(benchmark::State& state) {
  const int key = 0;
  const WaitLimit limit = WaitLimit(absl::ZeroDuration()).Started();
  for (auto _ : state) {
    Waiter waiter;
    {
      ParkingSpot spot(&key);
      spot.Add(waiter);
    }
    benchmark::DoNotOptimize(waiter.Sleep(limit));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Waiter_LimitHasPassed);

// One wake-up among waiters of many other keys, some of which share its bucket.
void BM_ParkingSpot_WakeOneAmongOtherKeys(benchmark::State& state) {
  std::deque<char> keys(static_cast<size_t>(state.range(0)));
  std::deque<Waiter> others(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    ParkingSpot spot(&keys[i]);
    spot.Add(others[i]);
  }
  AddWakeAndSleep(state, WaitLimit());
  for (Waiter& other : others)
    other.Sleep(WaitLimit(absl::ZeroDuration()).Started());
}
BENCHMARK(BM_ParkingSpot_WakeOneAmongOtherKeys)
    ->ArgName("waiters")
    ->Arg(100)
    ->Arg(10000);

void BM_ParkingSpot_WakeAll(benchmark::State& state) {
  const int key = 0;
  const auto count = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    std::deque<Waiter> waiters(count);
    {
      ParkingSpot spot(&key);
      for (Waiter& waiter : waiters) spot.Add(waiter);
    }
    {
      WakeList woken;
      ParkingSpot spot(&key);
      spot.WakeAll(woken);
    }
    for (Waiter& waiter : waiters)
      benchmark::DoNotOptimize(waiter.Sleep(WaitLimit()));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ParkingSpot_WakeAll)->ArgName("waiters")->Arg(1)->Arg(100);

// Two threads wake each other in turn; an item is one wake-up.
void BM_Parking_RoundTrip(benchmark::State& state) {
  const int keys[2] = {};
  bool turn[2] = {false, false};  // each guarded by the spot of its key
  bool stopped = false;           // guarded by the first key's
  const auto give = [&](size_t to, bool stop) {
    WakeList woken;
    ParkingSpot spot(&keys[to]);
    if (stop) stopped = true;
    turn[to] = true;
    spot.Wake(1, woken);
  };
  const auto take = [&](size_t mine) {
    for (;;) {
      Waiter waiter;
      {
        ParkingSpot spot(&keys[mine]);
        if (turn[mine]) {
          turn[mine] = false;
          return !stopped;
        }
        spot.Add(waiter);
      }
      waiter.Sleep(WaitLimit());
    }
  };
  Thread other([&] {
    while (take(0)) give(1, false);
  });
  other.Start();
  for (auto _ : state) {
    give(0, false);
    take(1);
  }
  give(0, true);
  other.Join();
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(BM_Parking_RoundTrip)->UseRealTime();

}  // namespace
}  // namespace internal
}  // namespace heddle
