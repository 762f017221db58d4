// The row `fork`: Fibonacci's numbers by recursion, each call of which forks.

#include <omp.h>
#include <tbb/parallel_invoke.h>
#include <tbb/task_group.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "benchmark/benchmark.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/tbb_arena.h"

namespace heddle {
namespace compare {
namespace {

constexpr int kN = 27;
constexpr int64_t kFib = 196'418;
constexpr int64_t kForks = 317'810;  // fib(kN + 1) - 1: calls with n >= 2

int64_t HeddleFib(WorkerPool& pool, int n) {
  if (n < 2) return n;
  int64_t a = 0;
  int64_t b = 0;
  pool.Invoke([&] { a = HeddleFib(pool, n - 1); },
              [&] { b = HeddleFib(pool, n - 2); });
  return a + b;
}

void Heddle(benchmark::State& state, int workers) {
  WorkerPool pool(
      {.max_workers = workers, .start = WorkerPool::StartPolicy::kAtOnce});
  for (auto _ : state) {
    int64_t fib = 0;
    pool.Invoke([&] { fib = HeddleFib(pool, kN); }, [] {});
    if (!CheckSum(state, fib, kFib)) break;
  }
  state.SetItemsProcessed(state.iterations() * kForks);
}

int64_t TbbGroupFib(int n) {
  if (n < 2) return n;
  int64_t a = 0;
  int64_t b = 0;
  tbb::task_group group;
  group.run([&] { a = TbbGroupFib(n - 1); });
  b = TbbGroupFib(n - 2);
  group.wait();
  return a + b;
}

int64_t TbbInvokeFib(int n) {
  if (n < 2) return n;
  int64_t a = 0;
  int64_t b = 0;
  tbb::parallel_invoke([&] { a = TbbInvokeFib(n - 1); },
                       [&] { b = TbbInvokeFib(n - 2); });
  return a + b;
}

void Tbb(benchmark::State& state, int workers, int64_t (*fib)(int)) {
  TbbArena arena(workers, TbbArena::Caller::kWorks);
  for (auto _ : state) {
    if (!CheckSum(state, arena->execute([fib] { return fib(kN); }), kFib))
      break;
  }
  state.SetItemsProcessed(state.iterations() * kForks);
}

int64_t GompFib(int n) {
  if (n < 2) return n;
  int64_t a = 0;
  int64_t b = 0;
#pragma omp task shared(a)
  a = GompFib(n - 1);
  b = GompFib(n - 2);
#pragma omp taskwait
  return a + b;
}

void Gomp(benchmark::State& state, int workers) {
  for (auto _ : state) {
    int64_t fib = 0;
#pragma omp parallel num_threads(workers)
#pragma omp single
    fib = GompFib(kN);
    if (!CheckSum(state, fib, kFib)) break;
  }
  state.SetItemsProcessed(state.iterations() * kForks);
}

[[maybe_unused]] const bool registered = [] {
  const Row row("Fork",
                "fib(27) without a cutoff: each of 317,810 calls forks in two "
                "and waits for both. Time per fork.");
  for (const int workers : {1, 2, 4}) {
    const Parameters parameters{{"workers", std::to_string(workers)}};
    row.Case("heddle_invoke", parameters,
             [=](benchmark::State& state) { Heddle(state, workers); });
    row.Case("tbb_task_group", parameters, [=](benchmark::State& state) {
      Tbb(state, workers, TbbGroupFib);
    });
    row.Case("tbb_parallel_invoke", parameters, [=](benchmark::State& state) {
      Tbb(state, workers, TbbInvokeFib);
    });
    row.Case("gomp_task", parameters,
             [=](benchmark::State& state) { Gomp(state, workers); });
  }
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
