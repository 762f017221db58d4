// The row `python_pool`: multiprocessing's ThreadPool, and Heddle's.

#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/pool/async_result.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/tools/compare/compare.h"

namespace heddle {
namespace compare {
namespace {

constexpr int kWorkers = 2;
constexpr int64_t kCalls = 100'000;

int64_t Increment(int64_t number) { return number + 1; }

int64_t Map(ThreadPool& pool, const std::vector<int64_t>& numbers) {
  const std::vector<int64_t> results = pool.Map(Increment, numbers);
  return std::accumulate(results.begin(), results.end(), int64_t{0});
}

int64_t ApplyAsync(ThreadPool& pool, const std::vector<int64_t>& numbers) {
  std::vector<AsyncResult<int64_t>> results;
  results.reserve(numbers.size());
  for (const int64_t number : numbers)
    results.push_back(pool.ApplyAsync(Increment, number));
  int64_t sum = 0;
  for (const AsyncResult<int64_t>& result : results) sum += result.Get();
  return sum;
}

[[maybe_unused]] const bool registered = [] {
  const Row row("PythonPool",
                "A function that adds 1, called for each of n numbers through "
                "map, and through apply_async with all results collected: "
                "Heddle's ThreadPool, and CPython's own.");
  for (const auto& [call, run] :
       {std::pair("map", &Map), std::pair("apply_async", &ApplyAsync)}) {
    const Parameters parameters{{"workers", std::to_string(kWorkers)},
                                {"call", call},
                                {"n", std::to_string(kCalls)}};
    row.Case("heddle", parameters, [run = run](benchmark::State& state) {
      ThreadPool pool(kWorkers);
      std::vector<int64_t> numbers(kCalls);
      std::iota(numbers.begin(), numbers.end(), 0);
      run(pool, numbers);
      for (auto _ : state) {
        if (!CheckSum(state, run(pool, numbers), kCalls * (kCalls + 1) / 2))
          break;
      }
      state.SetItemsProcessed(state.iterations() * kCalls);
    });
    row.PythonCase("cpython_thread_pool", parameters, "python_pool.py");
  }
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
