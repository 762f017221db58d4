#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/select.h"

namespace heddle {
namespace {

// One thread puts an item and gets one; a bound of 0 is none.
template <typename AnyQueue>
void PutGet(benchmark::State& state) {
  AnyQueue queue(state.range(0));
  for (auto _ : state) {
    queue.Put(1);
    benchmark::DoNotOptimize(queue.Get());
  }
  state.SetItemsProcessed(state.iterations());
}
void BM_Queue_PutGet(benchmark::State& state) { PutGet<Queue<int64_t>>(state); }
BENCHMARK(BM_Queue_PutGet)->ArgName("bound")->Arg(0)->Arg(1024);
void BM_LifoQueue_PutGet(benchmark::State& state) {
  PutGet<LifoQueue<int64_t>>(state);
}
BENCHMARK(BM_LifoQueue_PutGet)->ArgName("bound")->Arg(0)->Arg(1024);

// The same with so many items in the heap.
void BM_PriorityQueue_PutGet(benchmark::State& state) {
  PriorityQueue<int64_t> queue;
  for (int64_t i = 0; i < state.range(0); ++i) queue.Put(i * 7919 % 100'003);
  int64_t item = 0;
  for (auto _ : state) {
    item = (item + 7919) % 100'003;
    queue.Put(item);
    benchmark::DoNotOptimize(queue.Get());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PriorityQueue_PutGet)
    ->ArgName("depth")
    ->Arg(0)
    ->Arg(100)
    ->Arg(10'000);

// Many at once: an item is one of them.
void BM_Queue_PutManyGetMany(benchmark::State& state) {
  Queue<int64_t> queue;
  const std::vector<int64_t> items(static_cast<size_t>(state.range(0)), 1);
  std::vector<int64_t> got;
  got.reserve(items.size());
  for (auto _ : state) {
    queue.PutMany(items);
    got.clear();
    static_cast<void>(queue.GetMany(std::back_inserter(got), items.size()));
    benchmark::DoNotOptimize(got.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Queue_PutManyGetMany)->ArgName("items")->Arg(1)->Arg(16)->Arg(256);

// Half of the threads put, half get; each waits when it must. An item is one
// that went through.
void BM_Queue_Transfer(benchmark::State& state) {
  static std::unique_ptr<Queue<int64_t>> queue;
  if (state.thread_index() == 0) {
    queue = std::make_unique<Queue<int64_t>>(state.range(0));
  }
  if (state.thread_index() % 2 == 0) {
    for (auto _ : state) queue->Put(1);
    state.SetItemsProcessed(state.iterations());
  } else {
    for (auto _ : state) benchmark::DoNotOptimize(queue->Get());
  }
}
BENCHMARK(BM_Queue_Transfer)
    ->ArgName("bound")
    ->Arg(0)
    ->Arg(1024)
    ->ThreadRange(2, 64)
    ->UseRealTime();

// So many queues, of which the last has an item.
template <size_t... i>
void Select(benchmark::State& state, std::index_sequence<i...>) {
  Queue<int64_t> queues[sizeof...(i)];
  for (auto _ : state) {
    queues[sizeof...(i) - 1].Put(1);
    benchmark::DoNotOptimize(SelectGet(queues[i]...));
  }
  state.SetItemsProcessed(state.iterations());
}
void BM_SelectGet_OfTwo(benchmark::State& state) {
  Select(state, std::make_index_sequence<2>());
}
BENCHMARK(BM_SelectGet_OfTwo);
void BM_SelectGet_OfEight(benchmark::State& state) {
  Select(state, std::make_index_sequence<8>());
}
BENCHMARK(BM_SelectGet_OfEight);

}  // namespace
}  // namespace heddle
