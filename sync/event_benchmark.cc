#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "heddle/sync/event.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

void BM_Event_IsSet(benchmark::State& state) {
  Event event;
  for (auto _ : state) benchmark::DoNotOptimize(event.IsSet());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Event_IsSet);

void BM_Event_WaitWhenSet(benchmark::State& state) {
  Event event;
  event.Set();
  for (auto _ : state) benchmark::DoNotOptimize(event.Wait());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Event_WaitWhenSet);

void BM_Event_OneLookWhenUnset(benchmark::State& state) {
  Event event;
  for (auto _ : state)
    benchmark::DoNotOptimize(event.Wait(absl::ZeroDuration()));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Event_OneLookWhenUnset);

void BM_Event_SetClear(benchmark::State& state) {
  Event event;
  for (auto _ : state) {
    event.Set();
    event.Clear();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Event_SetClear);

// A flag with the standard's means, for comparison.
class StdEvent {
 public:
  void Set() {
    std::lock_guard<std::mutex> lock(mutex_);
    set_ = true;
    condition_.notify_all();
  }
  void Clear() {
    std::lock_guard<std::mutex> lock(mutex_);
    set_ = false;
  }
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    condition_.wait(lock, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool set_ = false;
};

void BM_StdConditionVariable_SetClear(benchmark::State& state) {
  StdEvent event;
  for (auto _ : state) {
    event.Set();
    event.Clear();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_StdConditionVariable_SetClear);

// Two threads release each other in turn; an item is one release.
template <typename EventType>
void RoundTrip(benchmark::State& state) {
  EventType there;
  EventType back;
  bool stopped = false;  // written before `there` is set
  Thread other([&] {
    for (;;) {
      there.Wait();
      there.Clear();
      if (stopped) return;
      back.Set();
    }
  });
  other.Start();
  for (auto _ : state) {
    there.Set();
    back.Wait();
    back.Clear();
  }
  stopped = true;
  there.Set();
  other.Join();
  state.SetItemsProcessed(2 * state.iterations());
}

void BM_Event_RoundTrip(benchmark::State& state) { RoundTrip<Event>(state); }
BENCHMARK(BM_Event_RoundTrip)->UseRealTime();

void BM_StdConditionVariable_RoundTrip(benchmark::State& state) {
  RoundTrip<StdEvent>(state);
}
BENCHMARK(BM_StdConditionVariable_RoundTrip)->UseRealTime();

}  // namespace
}  // namespace heddle
