// Threads begun and joined, beside std::thread. The difference between the two
// is the state that others may ask, the registry, the name at the system, and
// what Join() adds by being told of the end before the system's thread is
// joined. And what is asked of the calling thread, beside a thread_local.

#include <cstdint>
#include <deque>
#include <thread>

#include "benchmark/benchmark.h"
#include "heddle/thread/local.h"
#include "heddle/thread/this_thread.h"
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

void BM_Local_Get(benchmark::State& state) {
  const Local<int64_t> local;
  for (auto _ : state) benchmark::DoNotOptimize(++*local);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Local_Get);

thread_local int64_t plain_thread_local = 0;

void BM_ThreadLocal_Get(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(++plain_thread_local);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ThreadLocal_Get);

void BM_CurrentThread(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(CurrentThread());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_CurrentThread);

}  // namespace
}  // namespace heddle
