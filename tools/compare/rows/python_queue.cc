// The row `python_queue`: Python's own queues, and Heddle's of the same names.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

constexpr int64_t kItems = 100'000;

template <typename HeddleQueue>
void Transfer(benchmark::State& state, int pairs) {
  HeddleQueue queue;
  std::vector<int64_t> sums(static_cast<size_t>(pairs));
  Crew crew(2 * pairs, [&](int member) {
    if (member < pairs) {
      for (int64_t i = 0; i < kItems / pairs; ++i) queue.Put(1);
      return;
    }
    int64_t sum = 0;
    for (int64_t i = 0; i < kItems / pairs; ++i) sum += *queue.Get();
    sums[static_cast<size_t>(member - pairs)] = sum;
  });
  crew.Round();
  for (auto _ : state) {
    crew.Round();
    int64_t all = 0;
    for (const int64_t sum : sums) all += sum;
    if (!CheckSum(state, all, kItems)) break;
  }
  state.SetItemsProcessed(state.iterations() * kItems);
}

template <typename HeddleQueue>
void AddCases(const Row& row, const std::string& kind) {
  for (const int pairs : {1, 2}) {
    const std::string threads =
        std::to_string(pairs) + "P" + std::to_string(pairs) + "C";
    row.Case("heddle", {{"kind", kind}, {"threads", threads}},
             [pairs](benchmark::State& state) {
               Transfer<HeddleQueue>(state, pairs);
             });
    row.PythonCase("cpython_queue", {{"kind", kind}, {"threads", threads}},
                   "python_queue.py");
  }
}

[[maybe_unused]] const bool registered = [] {
  const Row row("PythonQueue",
                "Items through Queue and SimpleQueue, by so many producers (P) "
                "and consumers (C): Heddle's, and CPython's own.");
  AddCases<Queue<int64_t>>(row, "Queue");
  AddCases<SimpleQueue<int64_t>>(row, "SimpleQueue");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
