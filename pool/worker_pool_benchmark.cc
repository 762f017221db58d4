#include <atomic>
#include <cstdint>

#include "benchmark/benchmark.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"

namespace heddle {
namespace {

// One producer schedules a batch of empty tasks and waits for all of them.
void BM_WorkerPool_ScheduleBatch(benchmark::State& state) {
  constexpr int64_t kTasks = 10'000;
  WorkerPool pool({.max_workers = static_cast<int>(state.range(0)),
                   .start = WorkerPool::StartPolicy::kAtOnce});
  for (auto _ : state) {
    std::atomic<int64_t> left{kTasks};
    Event done;
    for (int64_t i = 0; i < kTasks; ++i) {
      Task task([&left, &done] {
        if (left.fetch_sub(1) == 1) done.Set();
      });
      benchmark::DoNotOptimize(pool.Schedule(task));
    }
    done.Wait();
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}
BENCHMARK(BM_WorkerPool_ScheduleBatch)
    ->ArgName("workers")
    ->Arg(1)
    ->Arg(2)
    ->Arg(4)
    ->UseRealTime();

// One task at a time, from a sleeping pool: submit, run, wake the submitter.
void BM_WorkerPool_RoundTrip(benchmark::State& state) {
  WorkerPool pool(
      {.max_workers = 1, .start = WorkerPool::StartPolicy::kAtOnce});
  for (auto _ : state) {
    Event done;
    Task task([&done] { done.Set(); });
    benchmark::DoNotOptimize(pool.Schedule(task));
    done.Wait();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WorkerPool_RoundTrip)->UseRealTime();

// Making and dropping a task: the cost of its memory and its callable.
void BM_Task_MakeAndRun(benchmark::State& state) {
  int64_t sum = 0;
  for (auto _ : state) {
    Task task([&sum] { ++sum; });
    std::move(task).Run();
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Task_MakeAndRun);

}  // namespace
}  // namespace heddle
