#include "heddle/thread/internal/spin.h"

#include <sched.h>

#include <cstdint>
#include <utility>

#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/os_thread.h"

namespace heddle {
namespace internal {
namespace {

// In a cache line of its own: every thread that looks for a moment writes here,
// and who does not is not to be slowed down by it.
struct alignas(64) Turns {
  Atomic<int> taken{0};  // relaxed wherever it is used: it orders nothing
};
constinit Turns all_turns;

// 0: not asked yet. relaxed: all who ask are told the same.
constinit Atomic<int> most_turns{0};

// Those who were looking do not give their turns back.
constinit AtFork at_fork([] {
  all_turns.taken.store(0, std::memory_order_relaxed);
});

void PauseInstead() { SpinPauses(12); }

bool TakeTurn() {
  if (kSpinRounds == 0) return false;
  int turns = most_turns.load(std::memory_order_relaxed);
  if (turns == 0) {
    at_fork.Follow();
    turns = UsableCpus();
    most_turns.store(turns, std::memory_order_relaxed);
  }
  if (all_turns.taken.load(std::memory_order_relaxed) >= turns) return false;
  if (all_turns.taken.fetch_add(1, std::memory_order_relaxed) < turns)
    return true;
  all_turns.taken.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

}  // namespace

void SpinYields::Yield() {
  static constinit YieldRest rest;
  if (pauses_) return PauseInstead();
  if (std::exchange(is_timed_, true)) {
    sched_yield();
    return;
  }
  const int64_t before = Clock::MachineNow();
  pauses_ = rest.IsOn(before);
  if (pauses_) return PauseInstead();
  sched_yield();
  pauses_ = rest.BeginIfLong(before, Clock::MachineNow());
}

SpinTurn::SpinTurn() : mine_(TakeTurn()) {}

SpinTurn::~SpinTurn() {
  if (mine_) all_turns.taken.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace internal
}  // namespace heddle
