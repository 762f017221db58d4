#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/futures/future.h"
#include "heddle/futures/thread_pool_executor.h"

namespace heddle {
namespace {

// Submits a batch of trivial calls with a future each, then collects all
// results.
void BM_ThreadPoolExecutor_SubmitCollect(benchmark::State& state) {
  constexpr int kCalls = 10'000;
  ThreadPoolExecutor executor(static_cast<int>(state.range(0)));
  std::vector<Future<int>> futures;
  futures.reserve(kCalls);
  for (auto _ : state) {
    int64_t sum = 0;
    for (int i = 0; i < kCalls; ++i)
      futures.push_back(executor.Submit([i] { return i; }));
    for (const Future<int>& future : futures) sum += future.Result();
    benchmark::DoNotOptimize(sum);
    futures.clear();
  }
  state.SetItemsProcessed(state.iterations() * kCalls);
}
BENCHMARK(BM_ThreadPoolExecutor_SubmitCollect)
    ->ArgName("workers")
    ->Arg(1)
    ->Arg(2)
    ->Arg(4)
    ->UseRealTime();

// One call at a time: submit, run in a sleeping worker, wake the submitter.
void BM_ThreadPoolExecutor_RoundTrip(benchmark::State& state) {
  ThreadPoolExecutor executor(1);
  for (auto _ : state)
    benchmark::DoNotOptimize(executor.Submit([] { return 1; }).Result());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ThreadPoolExecutor_RoundTrip)->UseRealTime();

// A trivial function over a vector, results taken in order.
void BM_ThreadPoolExecutor_Map(benchmark::State& state) {
  ThreadPoolExecutor executor(2);
  const std::vector<int> numbers(10'000, 1);
  for (auto _ : state) {
    int64_t sum = 0;
    for (const int n :
         executor.Map([](int x) { return x + 1; }, numbers,
                      {.buffersize = static_cast<size_t>(state.range(0))})) {
      sum += n;
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<int64_t>(numbers.size()));
}
BENCHMARK(BM_ThreadPoolExecutor_Map)
    ->ArgName("buffersize")
    ->Arg(0)
    ->Arg(64)
    ->UseRealTime();

}  // namespace
}  // namespace heddle
