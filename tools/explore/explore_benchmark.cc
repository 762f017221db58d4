// What an execution costs: the futex lock of three threads by two rounds.

#include <atomic>
#include <cstdint>

#include "benchmark/benchmark.h"
#include "heddle/tools/explore/atomic.h"
#include "heddle/tools/explore/explore.h"
#include "heddle/tools/explore/model.h"
#include "heddle/tools/explore/var.h"

namespace heddle {
namespace explore {
namespace {

void FutexLock(Execution& run) {
  Atomic<uint32_t> word{0};
  Var<int> count = 0;
  const auto add = [&] {
    for (int i = 0; i < 2; ++i) {
      uint32_t seen = 0;
      if (!word.compare_exchange_strong(seen, 1, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
        while (word.exchange(2, std::memory_order_acquire) != 0)
          FutexSleep(&word, 2, /*timed=*/false, 0);
      }
      ++count;
      if (word.exchange(0, std::memory_order_release) == 2)
        FutexWake(&word, /*all=*/false);
    }
  };
  run.Run(add, add, add);
}

void BM_Explore_FutexLock(benchmark::State& state) {
  Options options;
  options.search = static_cast<Search>(state.range(0));
  options.max_executions = 20'000;
  int64_t executions = 0;
  for (auto _ : state) {
    const Result result = Explore(options, FutexLock);
    if (!result.passed()) state.SkipWithError(result.report.c_str());
    executions += result.executions;
  }
  state.SetItemsProcessed(executions);
}
// 0: exhaustive, 1: PCT, 2: random.
BENCHMARK(BM_Explore_FutexLock)->ArgName("search")->Arg(0)->Arg(1)->Arg(2);

}  // namespace
}  // namespace explore
}  // namespace heddle
