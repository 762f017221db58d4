// Explore(): runs code that is written on Heddle's primitives under every
// schedule, or under millions of them, and says under which one it fails.
//
// Only under --config=model, where heddle::internal::Atomic, the futex, threads
// and the clock are a deterministic scheduler and the library's own sources run
// on it. A model test reads like a unit test:
//
//   TEST(LockModel, CountsUnderALockAddUp) {
//     EXPECT_TRUE(explore::Holds(3, [](explore::Execution& run) {
//       Lock lock;
//       internal::Var<int> count = 0;
//       const auto add = [&] { LockGuard guard(lock); ++count; };
//       run.Run(add, add);      // each in a thread of its own
//       EXPECT_EQ(count, 2);    // when both have ended
//     }));
//   }
//
// The body is run once for each execution and must do the same each time: what
// it uses is made in it, and it depends on nothing but what the engine decides.
// Keep it small: two or three threads and a few operations each find what there
// is to find, and the number of schedules grows steeply. See README.md.
//
// Thread safety: none; one exploration at a time in a process.

#ifndef HEDDLE_TOOLS_EXPLORE_EXPLORE_H_
#define HEDDLE_TOOLS_EXPLORE_EXPLORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "heddle/tools/explore/failure.h"
#include "heddle/tools/explore/model.h"
#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {

enum class Search {
  kExhaustive,  // every schedule with at most Options::bound deviations
  kPct,         // random priorities that change Options::depth - 1 times
  kRandom,      // a random walk
};

struct Options {
  Search search = Search::kExhaustive;
  // How often an execution may deviate from the course in which every thread
  // runs until it waits: preemptions, timeouts while others can run, wake-ups
  // and failures of a weak compare-exchange for no reason.
  int bound = 3;
  int depth = 3;
  uint64_t seed = 1;

  // The budget. Who uses it up without a failure has passed, but
  // Result::complete is false.
  int64_t max_executions = 2'000'000;
  double max_cpu_seconds = 20;

  // Of one execution.
  int64_t max_steps = 20'000;     // more is a livelock
  int spurious = 1;               // wake-ups and failures for no reason
  int thread_start_failures = 0;  // the system may refuse so many threads
  int stale_reads = 2;        // of one store in a row, if there is a newer one
  bool reuse_memory = false;  // freed blocks may be used again (ABA)
  bool check_leaks = true;

  // Runs the one execution that a failure printed this seed for.
  std::string replay;
};

struct Result {
  FailureKind kind = FailureKind::kNone;
  std::string report;  // what failed, its seed, and the steps that led there
  std::string seed;
  int64_t executions = 0;  // up to and including the one that failed
  int64_t steps = 0;       // in all of them
  double cpu_seconds = 0;
  bool complete = false;  // an exhaustive search has seen everything

  bool passed() const { return kind == FailureKind::kNone; }
  // For EXPECT_TRUE(Explore(...)), which then prints the report.
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator testing::AssertionResult() const;
};

// The execution that a body runs in.
class Execution {
 public:
  // Runs each function in a thread of its own; returns when all have ended.
  template <typename... Functions>
  void Run(Functions&&... functions) {
    const Task tasks[] = {{&Call<std::remove_reference_t<Functions>>,
                           std::addressof(functions)}...};
    RunAll(tasks, sizeof...(functions));
  }

  // Starts a thread; Join() waits for its end.
  template <typename Function>
  int Start(Function function) {
    auto copy = std::make_unique<Function>(std::move(function));
    return StartThread(&CallOwned<Function>, copy.release());
  }
  void Join(int thread) { JoinThread(thread); }

  // A number in [0, count): each is explored.
  int Choose(int count);

  // What reports call the object and its parts.
  template <typename T>
  void Name(const T& object, const char* name) {
    NameBytes(&object, sizeof(object), name);
  }

 private:
  struct Task {
    void (*run)(void*);
    const void* argument;
  };

  template <typename Function>
  static void Call(void* function) {
    (*static_cast<Function*>(function))();
  }
  template <typename Function>
  static void CallOwned(void* function) {
    const std::unique_ptr<Function> owned(static_cast<Function*>(function));
    (*owned)();
  }

  static void RunAll(const Task* tasks, size_t count);
  static void NameBytes(const void* object, size_t bytes, const char* name);
};

using Body = std::function<void(Execution&)>;

// Explores `body` until something fails, everything is covered, or the budget is
// used up. The environment may say otherwise, for deep runs and to look into a
// failure: HEDDLE_EXPLORE_SEARCH (exhaustive:4, pct:10, random),
// HEDDLE_EXPLORE_SEED, HEDDLE_EXPLORE_SECONDS (of each exploration; then
// executions are not counted), HEDDLE_EXPLORE_REPLAY.
Result Explore(const Options& options, const Body& body);

// What most models ask: true if `body` fails under no schedule with at most
// `bound` deviations, all of which were explored, nor in samples of those with
// more (PCT of the depths 3, 5, 8 and 10). Choose the largest bound, up to 3, that
// ends within seconds. The environment as above; then its search is the only one.
testing::AssertionResult Holds(int bound, const Body& body);

// The samples alone, more of them: for what is too large even without deviations.
// `samples` of each depth; fewer for what takes long.
testing::AssertionResult HoldsInSamples(const Body& body,
                                        int samples = 100'000);

// For what must fail: true if the exploration ends with a failure of this kind.
// The environment changes nothing.
testing::AssertionResult Finds(FailureKind kind, const Options& options,
                               const Body& body);

// Ends the execution with a failure unless `holds`. In a hot model cheaper than
// EXPECT_TRUE(), which works too and lets the execution go on.
void Check(bool holds, const char* what = "a check",
           Where where = Where::Here());

// What is done in one is not part of the execution: its memory outlives it. For
// models that gather what they have seen.
class Outside {
 public:
  Outside();
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;
  ~Outside();

 private:
  const bool before_;
};

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_EXPLORE_H_
