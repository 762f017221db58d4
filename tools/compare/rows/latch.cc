// The row `latch`: threads that count down and one that waits for all of them.

#include "heddle/sync/latch.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <latch>
#include <numeric>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender is made with a count and has ArriveAndWait().

class Heddle {
 public:
  explicit Heddle(int count) : latch_(static_cast<uint32_t>(count)) {}
  void ArriveAndWait() { latch_.ArriveAndWait(); }

 private:
  Latch latch_;
};

class StdLatch {
 public:
  explicit StdLatch(int count) : latch_(count) {}
  void ArriveAndWait() { latch_.arrive_and_wait(); }

 private:
  std::latch latch_;
};

template <typename Contender>
void Meet(benchmark::State& state, int threads) {
  constexpr int64_t kLatches = 1000;
  std::deque<Contender> latches;
  std::vector<int64_t> passed(static_cast<size_t>(threads));
  Crew crew(threads, [&](int member) {
    int64_t count = 0;
    for (Contender& latch : latches) {
      latch.ArriveAndWait();
      ++count;
    }
    passed[static_cast<size_t>(member)] = count;
  });
  crew.Round();
  for (auto _ : state) {
    state.PauseTiming();
    latches.clear();
    for (int64_t i = 0; i < kLatches; ++i) latches.emplace_back(threads);
    state.ResumeTiming();
    crew.Round();
    const int64_t sum =
        std::accumulate(passed.begin(), passed.end(), int64_t{0});
    if (!CheckSum(state, sum, threads * kLatches)) break;
  }
  state.SetItemsProcessed(state.iterations() * kLatches);
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name) {
  for (const int threads : {1, 2, 4}) {
    row.Case(name, {{"threads", std::to_string(threads)}},
             [threads](benchmark::State& state) {
               Meet<Contender>(state, threads);
             });
  }
}

[[maybe_unused]] const bool registered = [] {
  const Row row("Latch",
                "Threads count a latch down to zero and wait for that, one "
                "latch after the other. An item is one latch.");
  AddCases<Heddle>(row, "heddle");
  AddCases<StdLatch>(row, "std_latch");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
