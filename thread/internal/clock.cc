#include "heddle/thread/internal/clock.h"

#include <chrono>
#include <cstdint>

#include "heddle/thread/internal/atomic.h"

namespace heddle {
namespace internal {
namespace {

// [CLOCK] release in set_substitute() -> acquire in substitute(): the object
// before its address.
constinit Atomic<Clock::Substitute*> current_substitute{nullptr};

}  // namespace

Clock::Substitute* Clock::substitute() {
  return current_substitute.load(std::memory_order_acquire);  // [CLOCK]
}

void Clock::set_substitute(Substitute* substitute) {
  current_substitute.store(substitute, std::memory_order_release);  // [CLOCK]
}

int64_t Clock::Now() {
  Substitute* const clock = substitute();
  return clock != nullptr ? clock->Now() : MachineNow();
}

int64_t Clock::MachineNow() {
  // libstdc++ and libc++ both read CLOCK_MONOTONIC here, which is the clock
  // that a futex deadline is measured on.
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Deadline Deadline::After(int64_t nanos) {
  // For ever and one look need no clock; both are what most waits ask for.
  if (nanos <= 0) return Past();
  if (nanos == Never().nanos()) return Never();
  const int64_t now = Clock::Now();
  return nanos >= Never().nanos() - now ? Never() : Deadline(now + nanos);
}

bool Deadline::HasPassed() const {
  if (IsNever()) return false;
  return IsPast() || Clock::Now() >= nanos_;
}

}  // namespace internal
}  // namespace heddle
