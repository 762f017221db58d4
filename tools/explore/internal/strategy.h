// Strategy: who decides, at each point of an execution where it can go on in
// several ways, which way it goes.
//
// The engine asks for two things: the thread to run next, and a number, where
// an operation has several outcomes (the store that a load reads from, the
// sleeper that a wake-up goes to, a spurious failure). The answers, in order,
// determine the execution: written down they are its seed.

#ifndef HEDDLE_TOOLS_EXPLORE_INTERNAL_STRATEGY_H_
#define HEDDLE_TOOLS_EXPLORE_INTERNAL_STRATEGY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heddle/tools/explore/internal/arena.h"

namespace heddle {
namespace explore {

// The ways to go on at a scheduling point: sets of threads, as bits. They are
// counted in this order: the current thread, if it can go on; the other
// runnable threads; those whose timeout may pass now; those that may wake for
// no reason. Within each, the lowest first.
struct Candidates {
  uint32_t runnable = 0;  // the current one too, if it can go on
  uint32_t timed = 0;
  uint32_t spurious = 0;
  int current = -1;  // the thread that can go on; -1: it waits, ended or yields
  int yielding = -1;  // the thread that lets others go first
  int64_t step = 0;

  int count() const;
  struct Candidate {
    int thread;
    enum { kRun, kTimeOut, kWakeForNoReason } how;
  };
  Candidate at(int index) const;
};

enum class Choice {
  kRead,      // 0: the newest store
  kStore,     // 0: after all others
  kWake,      // 0: who sleeps longest
  kTime,      // 0: has not passed yet
  kSpurious,  // 0: succeeds
  kReuse,     // 0: fresh memory
  kModel,     // the model's own
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  // Before each execution. False: there is no other.
  virtual bool Begin() = 0;

  // REQUIRES: there are two candidates or more. Returns an index.
  virtual int PickThread(const Candidates& candidates) = 0;

  // A number in [0, count). REQUIRES: count > 1. `deviates`: every answer but 0
  // is something that rarely happens, and counts like a preemption.
  virtual int Pick(Choice choice, int count, bool deviates) = 0;
};

// Each choice at random, independent of the others.
std::unique_ptr<Strategy> MakeRandom(uint64_t seed);

// Probabilistic concurrency testing (Burckhardt et al., 2010): the runnable
// thread of the highest priority runs; priorities are random and change at
// `depth` - 1 random steps. Finds a bug that needs `depth` ordering constraints
// with a probability that can be computed, where a random walk may need ages.
std::unique_ptr<Strategy> MakePct(uint64_t seed, int depth);

// Every execution with at most `bound` deviations: preemptions (a switch away
// from a thread that could go on), timeouts while others run, spurious wake-ups
// and failures. All other choices, the reads-from choices among them, are free.
// First those without any deviation, then with at most one, and so on.
std::unique_ptr<Strategy> MakeExhaustive(int bound);

// The execution that these answers belong to, once. Beyond their end: 0.
std::unique_ptr<Strategy> MakeReplay(std::vector<uint8_t> answers);

// Answers as text and back: "12:1,3:2" is 12 times 0, then 1, 3 times 0, then
// 2, then 0 for ever. FromSeed() returns false if it is no such text.
std::string ToSeed(const std::vector<uint8_t>& answers);
bool FromSeed(const std::string& seed, std::vector<uint8_t>& answers);

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_INTERNAL_STRATEGY_H_
