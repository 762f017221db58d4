// The row `thread`: starting a thread and joining it.

#include "heddle/thread/thread.h"

#include <boost/thread/thread.hpp>
#include <cstdint>
#include <thread>

#include "benchmark/benchmark.h"
#include "heddle/tools/compare/compare.h"

namespace heddle {
namespace compare {
namespace {

// A contender is a function that runs another in a thread to its end.

template <typename F>
void RunHeddle(F f) {
  Thread thread(f);
  thread.Start();
  thread.Join();
}

template <typename StandardThread, typename F>
void RunStandard(F f) {
  StandardThread thread(f);
  thread.join();
}

template <typename Run>
void StartAndJoin(benchmark::State& state, Run run) {
  constexpr int64_t kThreads = 10;
  for (auto _ : state) {
    int64_t sum = 0;
    for (int64_t i = 0; i < kThreads; ++i) run([&sum] { ++sum; });
    if (!CheckSum(state, sum, kThreads)) break;
  }
  state.SetItemsProcessed(state.iterations() * kThreads);
}

[[maybe_unused]] const bool registered = [] {
  const Row row(
      "Thread",
      "Start a thread that adds one to a number, and join it. An item "
      "is one thread.");
  row.Case("heddle", {}, [](benchmark::State& state) {
    StartAndJoin(state, [](auto f) { RunHeddle(f); });
  });
  row.Case("std_thread", {}, [](benchmark::State& state) {
    StartAndJoin(state, [](auto f) { RunStandard<std::thread>(f); });
  });
  row.Case("boost_thread", {}, [](benchmark::State& state) {
    StartAndJoin(state, [](auto f) { RunStandard<boost::thread>(f); });
  });
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
