// FailureKind: what an execution can fail of.

#ifndef HEDDLE_TOOLS_EXPLORE_FAILURE_H_
#define HEDDLE_TOOLS_EXPLORE_FAILURE_H_

namespace heddle {
namespace explore {

enum class FailureKind {
  kNone,
  kCheck,     // Check(), assert(), EXPECT_...: what the model itself says
  kDataRace,  // two accesses, one a write, neither before the other
  kDeadlock,  // threads wait and nobody can wake them: lost wake-ups too
  kLivelock,  // no end within Options::max_steps operations
  kUseAfterDestroy,  // of an Atomic, a Var, or freed memory; freed twice
  kLeak,             // memory that was allocated and not freed
  kException,        // left the function of a thread
  kCrash,            // a signal: SIGSEGV, SIGABRT, ...
  kLimit,            // too large for the engine: threads, memory, locations
};

// "data race" and the like.
const char* NameOf(FailureKind kind);

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_FAILURE_H_
