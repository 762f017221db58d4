#include "heddle/thread/internal/spin.h"

#include <sched.h>

#include <cstdint>
#include <utility>

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

void PauseInstead() { SpinPauses(12); }

bool TakeTurn() {
  if (kSpinRounds == 0) return false;
  static const int turns = UsableCpus();
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
