// The row `executor_map`: Executor::Map with chunks, beside ThreadPool::Map.

#include <tbb/parallel_for.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/tbb_arena.h"

namespace heddle {
namespace compare {
namespace {

constexpr int64_t kElements = 1'000'000;

int64_t Increment(int64_t number) { return number + 1; }

using Numbers = std::vector<int64_t>;

int64_t Sum(const Numbers& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), int64_t{0});
}

// A contender has Run(numbers), which returns the sum of all results.

class HeddleExecutor {
 public:
  explicit HeddleExecutor(int workers) : executor_(workers) {}
  int64_t Run(const Numbers& numbers) {
    int64_t sum = 0;
    for (const int64_t result :
         executor_.Map(Increment, numbers, {.chunksize = 5000})) {
      sum += result;
    }
    return sum;
  }

 private:
  ThreadPoolExecutor executor_;
};

class HeddleThreadPool {
 public:
  explicit HeddleThreadPool(int workers) : pool_(workers) {}
  int64_t Run(const Numbers& numbers) {
    return Sum(pool_.Map(Increment, numbers));
  }

 private:
  ThreadPool pool_;
};

class Tbb {
 public:
  explicit Tbb(int workers) : arena_(workers, TbbArena::Caller::kWorks) {}
  int64_t Run(const Numbers& numbers) {
    Numbers results(numbers.size());
    arena_->execute([&] {
      tbb::parallel_for(size_t{0}, numbers.size(),
                        [&](size_t i) { results[i] = Increment(numbers[i]); });
    });
    return Sum(results);
  }

 private:
  TbbArena arena_;
};

template <typename Contender>
void MapAll(benchmark::State& state, int workers) {
  Contender contender(workers);
  Numbers numbers(kElements);
  std::iota(numbers.begin(), numbers.end(), 0);
  contender.Run(numbers);
  for (auto _ : state) {
    const int64_t sum = contender.Run(numbers);
    if (!CheckSum(state, sum, kElements * (kElements + 1) / 2)) break;
  }
  state.SetItemsProcessed(state.iterations() * kElements);
}

[[maybe_unused]] const bool registered = [] {
  const Row row("ExecutorMap",
                "A function that adds 1, called for each of a million numbers, "
                "and all results added up: an executor's Map in chunks of "
                "5000, a pool's, and a loop that writes into a vector.");
  for (const int workers : {2, 4}) {
    const auto add = [&](const std::string& name, auto run) {
      row.Case(name, {{"workers", std::to_string(workers)}},
               [=](benchmark::State& state) { run(state, workers); });
    };
    add("heddle", MapAll<HeddleExecutor>);
    add("heddle_thread_pool_map", MapAll<HeddleThreadPool>);
    add("tbb_parallel_for", MapAll<Tbb>);
  }
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
