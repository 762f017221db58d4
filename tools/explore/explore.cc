#include "heddle/tools/explore/explore.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "heddle/tools/explore/failure.h"
#include "heddle/tools/explore/internal/arena.h"
#include "heddle/tools/explore/internal/engine.h"
#include "heddle/tools/explore/internal/report.h"
#include "heddle/tools/explore/internal/runtime.h"
#include "heddle/tools/explore/internal/strategy.h"
#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {
namespace {

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

// GoogleTest makes some of its state at the first failure, and it has to outlive
// the execution that fails: so that is this one, which is in no execution.
void WarmUpGoogleTest() {
  static bool done = false;
  if (done) return;
  done = true;
  testing::TestPartResultArray failures;
  const testing::ScopedFakeTestPartResultReporter reporter(
      testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD,
      &failures);
  ADD_FAILURE();
}

// The EXPECT_... of a body, which are failures of its execution. The strings in
// it may lie in the execution's memory: who has read them leaves the object to
// itself.
class Expectations {
 public:
  Expectations()
      : failed_(*new testing::TestPartResultArray),
        reporter_(testing::ScopedFakeTestPartResultReporter::
                      INTERCEPT_ONLY_CURRENT_THREAD,
                  &failed_) {}
  Expectations(const Expectations&) = delete;
  Expectations& operator=(const Expectations&) = delete;
  ~Expectations() {
    if (failed_.size() == 0) delete &failed_;
  }

  bool failed() const { return failed_.size() > 0; }
  std::string text() const {
    const testing::TestPartResult& first = failed_.GetTestPartResult(0);
    const char* const file =
        first.file_name() == nullptr ? "" : first.file_name();
    return Describe(Where{file, first.line_number()}) + ": " + first.message();
  }

 private:
  testing::TestPartResultArray& failed_;
  testing::ScopedFakeTestPartResultReporter reporter_;
};

struct Call {
  const Body& body;
  static void Run(void* call) {
    Execution execution;
    static_cast<Call*>(call)->body(execution);
  }
};

Outcome RunOnce(Strategy& strategy, const Limits& limits, const Body& body,
                const Expectations& expectations, bool trace) {
  Call call{body};
  Outcome outcome = engine.Run(strategy, limits, &Call::Run, &call, trace);
  if (expectations.failed() && (outcome.kind == FailureKind::kNone ||
                                outcome.kind == FailureKind::kLeak)) {
    outcome.kind = FailureKind::kCheck;
    outcome.text = expectations.text();
  }
  return outcome;
}

std::unique_ptr<Strategy> MakeStrategy(const Options& options) {
  std::vector<uint8_t> answers;
  if (!options.replay.empty()) {
    if (!FromSeed(options.replay, answers)) {
      std::fprintf(stderr, "explore: '%s' is no seed\n",
                   options.replay.c_str());
      std::abort();
    }
    return MakeReplay(std::move(answers));
  }
  switch (options.search) {
    case Search::kExhaustive:
      return MakeExhaustive(options.bound);
    case Search::kPct:
      return MakePct(options.seed, options.depth);
    case Search::kRandom:
      return MakeRandom(options.seed);
  }
  return nullptr;
}

Limits LimitsOf(const Options& options) {
  Limits limits;
  limits.max_steps = options.max_steps;
  limits.spurious = options.spurious;
  limits.thread_start_failures = options.thread_start_failures;
  limits.stale_reads = options.stale_reads;
  limits.reuse_memory = options.reuse_memory;
  limits.check_leaks = options.check_leaks;
  return limits;
}

Result ExploreAsTold(const Options& options, const Body& body) {
  CatchCrashes();
  WarmUpGoogleTest();
  Result result;
  const Limits limits = LimitsOf(options);
  const std::unique_ptr<Strategy> strategy = MakeStrategy(options);
  const double start = CpuSeconds();
  Outcome outcome;
  {
    const Expectations expectations;
    for (;;) {
      if (result.executions >= options.max_executions) break;
      if (result.executions % 256 == 255 &&
          CpuSeconds() - start > options.max_cpu_seconds) {
        break;
      }
      if (!strategy->Begin()) {
        result.complete = true;
        break;
      }
      ++result.executions;
      outcome = RunOnce(*strategy, limits, body, expectations, false);
      result.steps += outcome.steps;
      if (outcome.kind != FailureKind::kNone) break;
    }
  }
  result.cpu_seconds = CpuSeconds() - start;
  if (outcome.kind == FailureKind::kNone) return result;

  // Once more, to see how it came to that.
  const std::vector<uint8_t> answers = engine.answers();
  result.seed = ToSeed(answers);
  result.kind = outcome.kind;
  const std::unique_ptr<Strategy> again = MakeReplay(answers);
  const Expectations expectations;
  const Outcome replayed = RunOnce(*again, limits, body, expectations, true);
  result.report = Report(replayed, result.seed, result.executions);
  if (replayed.kind != outcome.kind) {
    result.report +=
        "The first time it was a " + std::string(NameOf(outcome.kind)) + ": " +
        outcome.text +
        "\nThe body depends on something that the engine does not decide.\n";
  }
  return result;
}

Options FromEnvironment(Options options) {
  if (const char* search = std::getenv("HEDDLE_EXPLORE_SEARCH")) {
    const char* const colon = std::strchr(search, ':');
    const std::string name =
        colon == nullptr ? search : std::string(search, colon);
    const int number = colon == nullptr ? 0 : std::atoi(colon + 1);
    if (name == "exhaustive") {
      options.search = Search::kExhaustive;
      if (number > 0) options.bound = number;
    } else if (name == "pct") {
      options.search = Search::kPct;
      if (number > 0) options.depth = number;
    } else if (name == "random") {
      options.search = Search::kRandom;
    } else {
      std::fprintf(stderr, "explore: HEDDLE_EXPLORE_SEARCH is '%s'\n", search);
      std::abort();
    }
  }
  if (const char* seed = std::getenv("HEDDLE_EXPLORE_SEED"))
    options.seed = std::strtoull(seed, nullptr, 10);
  if (const char* seconds = std::getenv("HEDDLE_EXPLORE_SECONDS")) {
    options.max_cpu_seconds = std::atof(seconds);
    options.max_executions = INT64_MAX;
  }
  if (const char* replay = std::getenv("HEDDLE_EXPLORE_REPLAY"))
    options.replay = replay;
  return options;
}

bool EnvironmentChooses() {
  return std::getenv("HEDDLE_EXPLORE_SEARCH") != nullptr ||
         std::getenv("HEDDLE_EXPLORE_REPLAY") != nullptr;
}

testing::AssertionResult Sampled(int64_t executions, const Body& body) {
  for (const int depth : {3, 5, 8, 10}) {
    Options options;
    options.search = Search::kPct;
    options.depth = depth;
    options.max_executions = executions;
    const Result result = Explore(options, body);
    if (!result.passed() || EnvironmentChooses()) return result;
  }
  return testing::AssertionSuccess();
}

// A line that tools/explore/deep adds up.
void Tell(const Options& options, const Result& result) {
  const testing::TestInfo* const test =
      testing::UnitTest::GetInstance()->current_test_info();
  std::string how;
  switch (options.search) {
    case Search::kExhaustive:
      how = result.complete
                ? "everything within " + std::to_string(options.bound)
                : "not everything within " + std::to_string(options.bound);
      break;
    case Search::kPct:
      how = "pct " + std::to_string(options.depth);
      break;
    case Search::kRandom:
      how = "random";
      break;
  }
  std::printf("explore: %s.%s: %lld executions, %s, %.2f CPU-seconds\n",
              test == nullptr ? "" : test->test_suite_name(),
              test == nullptr ? "" : test->name(),
              static_cast<long long>(result.executions), how.c_str(),
              result.cpu_seconds);
}

}  // namespace

Result::operator testing::AssertionResult() const {
  if (passed()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << report;
}

Result Explore(const Options& options, const Body& body) {
  const Options all = FromEnvironment(options);
  Result result = ExploreAsTold(all, body);
  Tell(all, result);
  return result;
}

testing::AssertionResult Holds(int bound, const Body& body) {
  Options options;
  options.bound = bound;
  options.max_executions = INT64_MAX;
  // A guard against a model that never ends; no slow or busy machine is to meet it
  // with one that does.
  options.max_cpu_seconds = 240;
  const Result result = Explore(options, body);
  if (!result.passed() || EnvironmentChooses()) return result;
  if (!result.complete) {
    return testing::AssertionFailure()
           << "not everything within " << bound << " deviations was seen in "
           << options.max_cpu_seconds << " CPU-seconds: " << result.executions
           << " executions";
  }
  return Sampled(20'000, body);
}

testing::AssertionResult HoldsInSamples(const Body& body, int samples) {
  return Sampled(samples, body);
}

testing::AssertionResult Finds(FailureKind kind, const Options& options,
                               const Body& body) {
  const Result result = ExploreAsTold(options, body);
  Tell(options, result);
  if (result.kind == kind) {
    return testing::AssertionSuccess() << "found, and that was not expected:\n"
                                       << result.report;
  }
  if (result.passed()) {
    return testing::AssertionFailure()
           << "no " << NameOf(kind) << " in " << result.executions
           << " executions" << (result.complete ? ", which are all" : "");
  }
  return testing::AssertionFailure() << "instead of a " << NameOf(kind) << ":\n"
                                     << result.report;
}

void Check(bool holds, const char* what, Where where) {
  if (!holds && exploring)
    engine.Fail(FailureKind::kCheck, Describe(where) + ": " + what);
  EXPECT_TRUE(holds) << what;
}

void Execution::RunAll(const Task* tasks, size_t count) {
  uint32_t threads = 0;
  for (size_t i = 0; i < count; ++i) {
    const int thread =
        engine.Start(tasks[i].run, const_cast<void*>(tasks[i].argument));
    if (thread >= 0) threads |= Engine::Bit(thread);
  }
  engine.Join(threads);
}

int Execution::Choose(int count) {
  return count > 1 ? engine.Decide(Choice::kModel, count, /*deviates=*/false)
                   : 0;
}

void Execution::NameBytes(const void* object, size_t bytes, const char* name) {
  engine.Name(object, bytes, name);
}

Outside::Outside() : before_(use_arena) { use_arena = false; }
Outside::~Outside() { use_arena = before_; }

}  // namespace explore
}  // namespace heddle
