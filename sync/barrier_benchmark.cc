// Barrier beside std::barrier.

#include <barrier>
#include <cstdint>
#include <optional>

#include "benchmark/benchmark.h"
#include "heddle/sync/barrier.h"

namespace heddle {
namespace {

class StdBarrier {
 public:
  explicit StdBarrier(int parties) : barrier_(parties) {}
  void Wait() { barrier_.arrive_and_wait(); }

 private:
  std::barrier<> barrier_;
};

// All threads meet; an item is one thread's Wait(). Google Benchmark gives each
// the same number of iterations, so all meetings are complete.
template <typename BarrierType>
void Meet(benchmark::State& state) {
  static std::optional<BarrierType> barrier;
  // The threads begin together, when all have come to the loop.
  if (state.thread_index() == 0) barrier.emplace(state.threads());
  for (auto _ : state) barrier->Wait();
  // And they end together, too.
  if (state.thread_index() == 0) barrier.reset();
  state.SetItemsProcessed(state.iterations());
}

void BM_Barrier_Meet(benchmark::State& state) { Meet<Barrier>(state); }
BENCHMARK(BM_Barrier_Meet)->ThreadRange(1, 64)->UseRealTime();

void BM_StdBarrier_Meet(benchmark::State& state) { Meet<StdBarrier>(state); }
BENCHMARK(BM_StdBarrier_Meet)->ThreadRange(1, 64)->UseRealTime();

void BM_Barrier_WaitWithAction(benchmark::State& state) {
  int64_t count = 0;
  Barrier barrier(/*parties=*/1,
                  [&count] { benchmark::DoNotOptimize(++count); });
  for (auto _ : state) benchmark::DoNotOptimize(barrier.Wait());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Barrier_WaitWithAction);

void BM_Barrier_AbortReset(benchmark::State& state) {
  Barrier barrier(/*parties=*/2);
  for (auto _ : state) {
    barrier.Abort();
    barrier.Reset();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Barrier_AbortReset);

}  // namespace
}  // namespace heddle
