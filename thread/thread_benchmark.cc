// Threads begun and joined, beside std::thread. The difference between the two
// is what Start() adds by waiting until the thread runs, and what Join() adds
// by being told of the end before the system's thread is joined.

#include <cstdint>
#include <deque>
#include <thread>

#include "benchmark/benchmark.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

void BM_Thread_MakeAndDrop(benchmark::State& state) {
  for (auto _ : state) {
    Thread thread([] {});
    benchmark::DoNotOptimize(thread);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Thread_MakeAndDrop);

void BM_Thread_StartJoin(benchmark::State& state) {
  for (auto _ : state) {
    Thread thread([] {});
    thread.Start();
    thread.Join();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Thread_StartJoin)->UseRealTime();

void BM_StdThread_StartJoin(benchmark::State& state) {
  for (auto _ : state) {
    std::thread thread([] {});
    thread.join();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_StdThread_StartJoin)->UseRealTime();

void BM_Thread_StartManyJoinAll(benchmark::State& state) {
  for (auto _ : state) {
    std::deque<Thread> threads;
    for (int64_t i = 0; i < state.range(0); ++i) {
      threads.emplace_back([] {});
      threads.back().Start();
    }
    for (Thread& thread : threads) thread.Join();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Thread_StartManyJoinAll)
    ->ArgName("threads")
    ->Arg(4)
    ->Arg(64)
    ->UseRealTime();

void BM_StdThread_StartManyJoinAll(benchmark::State& state) {
  for (auto _ : state) {
    std::deque<std::thread> threads;
    for (int64_t i = 0; i < state.range(0); ++i) threads.emplace_back([] {});
    for (std::thread& thread : threads) thread.join();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_StdThread_StartManyJoinAll)
    ->ArgName("threads")
    ->Arg(4)
    ->Arg(64)
    ->UseRealTime();

void BM_Thread_JoinOfAnEndedThread(benchmark::State& state) {
  Thread thread([] {});
  thread.Start();
  thread.Join();
  for (auto _ : state) benchmark::DoNotOptimize(thread.Join());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Thread_JoinOfAnEndedThread);

}  // namespace
}  // namespace heddle
