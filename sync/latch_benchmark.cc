// Latch beside std::latch.

#include <cstdint>
#include <latch>
#include <optional>

#include "benchmark/benchmark.h"
#include "heddle/sync/latch.h"

namespace heddle {
namespace {

class StdLatch {
 public:
  explicit StdLatch(uint32_t count) : latch_(count) {}
  void CountDown() { latch_.count_down(); }
  void Wait() { latch_.wait(); }

 private:
  std::latch latch_;
};

// An item is one CountDown(), of `count` that a latch takes until a Wait() for
// it returns.
template <typename LatchType>
void CountDownAndWait(benchmark::State& state) {
  const int64_t count = state.range(0);
  for (auto _ : state) {
    LatchType latch(static_cast<uint32_t>(count));
    for (int64_t i = 0; i < count; ++i) latch.CountDown();
    latch.Wait();
  }
  state.SetItemsProcessed(state.iterations() * count);
}

void BM_Latch_CountDownAndWait(benchmark::State& state) {
  CountDownAndWait<Latch>(state);
}
BENCHMARK(BM_Latch_CountDownAndWait)->ArgName("count")->Arg(1)->Arg(100);

void BM_StdLatch_CountDownAndWait(benchmark::State& state) {
  CountDownAndWait<StdLatch>(state);
}
BENCHMARK(BM_StdLatch_CountDownAndWait)->ArgName("count")->Arg(1)->Arg(100);

void BM_Latch_TryWait(benchmark::State& state) {
  Latch latch(1);
  for (auto _ : state) benchmark::DoNotOptimize(latch.TryWait());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Latch_TryWait);

// All threads count one latch down, and not to zero: kMax takes them longer than
// Google Benchmark lets them run. An item is one CountDown().
void BM_Latch_ContendedCountDown(benchmark::State& state) {
  static std::optional<Latch> latch;
  // The threads begin together, when all have come to the loop.
  if (state.thread_index() == 0) latch.emplace(Latch::kMax);
  for (auto _ : state) latch->CountDown();
  if (state.thread_index() == 0) latch.reset();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Latch_ContendedCountDown)->ThreadRange(1, 64)->UseRealTime();

}  // namespace
}  // namespace heddle
