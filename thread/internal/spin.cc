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

// relaxed wherever it is used: a count, which orders nothing.
constinit Atomic<int> turns_taken{0};

// For about half a microsecond.
void PauseInstead() {
  for (int i = 0; i < 12; ++i) SpinPause();
}

bool TakeTurn() {
  if (kSpinRounds == 0) return false;
  static const int turns = UsableCpus();
  if (turns_taken.load(std::memory_order_relaxed) >= turns) return false;
  if (turns_taken.fetch_add(1, std::memory_order_relaxed) < turns) return true;
  turns_taken.fetch_sub(1, std::memory_order_relaxed);
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
  if (mine_) turns_taken.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace internal
}  // namespace heddle
