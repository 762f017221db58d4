// Measures search against `grep -rnFI`, in turns, on the system's headers.
//
//   tools/bazel run -c opt //examples:search_benchmark
//
// More rounds with `-- --benchmark_min_time=5` at the end.
//
// "Time" is that of one search; search_ms and grep_ms are the medians of the
// wall times, and search_to_grep is the first as a part of the second. A grep
// that is not counted comes before all: the files are in memory after it.

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/examples/run_program.h"

namespace {

using examples::ExampleProgram;
using examples::ProgramResult;
using examples::RunProgram;

struct TimedRun {
  double seconds;
  ProgramResult result;
};

// The output goes to a file in memory: into /dev/null grep would not print, nor
// search to the end.
TimedRun Run(const std::vector<std::string>& arguments) {
  const auto start = std::chrono::steady_clock::now();
  ProgramResult result = RunProgram(arguments);
  const auto taken = std::chrono::steady_clock::now() - start;
  return {std::chrono::duration<double>(taken).count(), std::move(result)};
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n == 0 ? 0 : (values[(n - 1) / 2] + values[n / 2]) / 2;
}

void BM_Search_VersusGrep(benchmark::State& state, const char* word) {
  const std::string tree = "/usr/include";
  const std::vector<std::string> search = {ExampleProgram("search"), word,
                                           tree};
  const std::vector<std::string> grep = {"grep", "-rnFI", word, tree};
  [[maybe_unused]] static const TimedRun kWarmUp = Run(grep);
  std::vector<double> search_times;
  std::vector<double> grep_times;
  for (auto _ : state) {
    const TimedRun ours = Run(search);
    const TimedRun theirs = Run(grep);
    // The order of files is another, so the lengths have to do.
    if (ours.result.exit_code != theirs.result.exit_code ||
        ours.result.out.size() != theirs.result.out.size()) {
      state.SkipWithError(
          ("search did not find what grep did: " + ours.result.err).c_str());
      return;
    }
    search_times.push_back(ours.seconds);
    grep_times.push_back(theirs.seconds);
    state.SetIterationTime(search_times.back());
  }
  const double search_median = Median(search_times);
  const double grep_median = Median(grep_times);
  state.counters["search_ms"] = search_median * 1e3;
  state.counters["grep_ms"] = grep_median * 1e3;
  state.counters["search_to_grep"] = search_median / grep_median;
}
BENCHMARK_CAPTURE(BM_Search_VersusGrep, in_some_lines, "mutex")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Search_VersusGrep, in_many_lines, "int")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Search_VersusGrep, in_no_line, "never in a header")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
