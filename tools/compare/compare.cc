#include "heddle/tools/compare/compare.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"

namespace heddle {
namespace compare {
namespace {

// Of all the Pythons that there may be, the one that `install` installs.
constexpr char kPython[] = "/usr/bin/python3";

#ifdef __clang__
constexpr char kCompiler[] = "clang " __clang_version__;
#else
constexpr char kCompiler[] = "GCC " __VERSION__;
#endif

// Abseil comes through Bazel, so no package knows its version.
std::string AbseilVersion() {
#ifdef ABSL_LTS_RELEASE_VERSION
  return absl::StrCat("Abseil ", ABSL_LTS_RELEASE_VERSION);
#else
  return "Abseil";
#endif
}

// Tells tools/compare/run, which sets the variable, that a case starts over.
// Google Benchmark itself is silent until the last repetition of a case.
void TellProgress(const std::string& name, const benchmark::State& state) {
  static const bool wanted = std::getenv("HEDDLE_COMPARE_PROGRESS") != nullptr;
  if (!wanted || state.thread_index() != 0) return;
  std::fprintf(stderr, "compare-progress %s %lld\n", name.c_str(),
               static_cast<long long>(state.max_iterations));
}

// Runs a script as PythonCase() says.
bool RunScript(const std::string& command, double* seconds, int64_t* items) {
  std::FILE* const output = popen(command.c_str(), "r");
  if (output == nullptr) return false;
  long long printed_items = 0;
  const int read = std::fscanf(output, "%lf %lld", seconds, &printed_items);
  *items = printed_items;
  const int status = pclose(output);
  return status == 0 && read == 2 && *seconds > 0 && *items > 0;
}

}  // namespace

Row::Row(std::string work, const std::string& description)
    : work_(std::move(work)) {
  benchmark::AddCustomContext("description", description);
  benchmark::AddCustomContext("compiler", kCompiler);
  benchmark::AddCustomContext("abseil", AbseilVersion());
}

benchmark::internal::Benchmark* Row::Add(
    const std::string& contender, const Parameters& parameters,
    std::function<void(benchmark::State&)> body) const {
  std::string name = absl::StrCat("BM_", work_, "/", contender);
  for (const auto& [key, value] : parameters) {
    absl::StrAppend(&name, "/", key, ":", value);
  }
  return benchmark::RegisterBenchmark(
      name.c_str(), [name, body = std::move(body)](benchmark::State& state) {
        TellProgress(name, state);
        body(state);
      });
}

benchmark::internal::Benchmark* Row::Case(
    const std::string& contender, const Parameters& parameters,
    std::function<void(benchmark::State&)> body) const {
  return Add(contender, parameters, std::move(body))->UseRealTime();
}

benchmark::internal::Benchmark* Row::TimedCase(
    const std::string& contender, const Parameters& parameters,
    std::function<void(benchmark::State&)> body) const {
  return Add(contender, parameters, std::move(body))->UseManualTime();
}

benchmark::internal::Benchmark* Row::PythonCase(
    const std::string& contender, const Parameters& parameters,
    const std::string& script) const {
  // From the top of the repository, or of the runfiles: where `run`, `bazel
  // run` and `bazel test` all start a program.
  std::string command = absl::StrCat(kPython, " tools/compare/rows/", script);
  for (const auto& [key, value] : parameters) {
    absl::StrAppend(&command, " --", key, "=", value);
  }
  return TimedCase(contender, parameters, [command](benchmark::State& state) {
    int64_t all_items = 0;
    for (auto _ : state) {
      double seconds = 0;
      int64_t items = 0;
      if (!RunScript(command, &seconds, &items)) {
        state.SkipWithError(absl::StrCat("failed: ", command).c_str());
        break;
      }
      state.SetIterationTime(seconds);
      all_items += items;
    }
    state.SetItemsProcessed(all_items);
  });
}

bool CheckSum(benchmark::State& state, int64_t sum, int64_t expected) {
  if (sum == expected) return true;
  state.SkipWithError(
      absl::StrCat("the sum is ", sum, " and should be ", expected).c_str());
  return false;
}

}  // namespace compare
}  // namespace heddle
