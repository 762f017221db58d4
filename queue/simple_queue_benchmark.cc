#include <cstdint>

#include "benchmark/benchmark.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

// One thread; `depth` items are queued all the time.
void BM_SimpleQueue_PutGet(benchmark::State& state) {
  SimpleQueue<int64_t> queue;
  for (int64_t i = 0; i < state.range(0); ++i) queue.Put(i);
  for (auto _ : state) {
    queue.Put(1);
    benchmark::DoNotOptimize(queue.Get());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SimpleQueue_PutGet)->ArgName("depth")->Arg(0)->Arg(1000);

void BM_SimpleQueue_TryGetWhenEmpty(benchmark::State& state) {
  SimpleQueue<int64_t> queue;
  for (auto _ : state) benchmark::DoNotOptimize(queue.TryGet());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SimpleQueue_TryGetWhenEmpty);

// Each thread puts one and gets one: never empty for long, never waited for.
void BM_SimpleQueue_PutGetContended(benchmark::State& state) {
  static SimpleQueue<int64_t> queue;
  for (auto _ : state) {
    queue.Put(1);
    benchmark::DoNotOptimize(queue.Get());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SimpleQueue_PutGetContended)->ThreadRange(1, 64)->UseRealTime();

// Half of the threads put, half get and wait when there is nothing. An item is
// one that went through.
void BM_SimpleQueue_Transfer(benchmark::State& state) {
  static SimpleQueue<int64_t> queue;
  if (state.thread_index() % 2 == 0) {
    for (auto _ : state) queue.Put(1);
    state.SetItemsProcessed(state.iterations());
  } else {
    for (auto _ : state) benchmark::DoNotOptimize(queue.Get());
  }
}
BENCHMARK(BM_SimpleQueue_Transfer)->ThreadRange(2, 64)->UseRealTime();

// A request and its answer, each through a queue; an item is one of the two.
void BM_SimpleQueue_RoundTrip(benchmark::State& state) {
  SimpleQueue<int64_t> there;
  SimpleQueue<int64_t> back;
  Thread echo([&] {
    for (;;) {
      const int64_t item = there.Get().value_or(-1);
      if (item < 0) return;
      back.Put(item);
    }
  });
  echo.Start();
  for (auto _ : state) {
    there.Put(1);
    benchmark::DoNotOptimize(back.Get());
  }
  there.Put(-1);
  echo.Join();
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(BM_SimpleQueue_RoundTrip)->UseRealTime();

}  // namespace
}  // namespace heddle
