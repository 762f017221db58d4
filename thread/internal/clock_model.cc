// Under --config=model: time is the explorer's. It passes when a strategy says
// so, and has no substitute.

#include <cstdint>

#include "heddle/thread/internal/clock.h"
#include "heddle/tools/explore/model.h"

namespace heddle {
namespace internal {

Clock::Substitute* Clock::substitute() { return nullptr; }
void Clock::set_substitute(Substitute* /*substitute*/) {}

int64_t Clock::Now() { return explore::Now(); }
int64_t Clock::MachineNow() { return Now(); }

Deadline Deadline::After(int64_t nanos) {
  if (nanos <= 0) return Past();
  const int64_t now = Clock::Now();
  return nanos >= Never().nanos() - now ? Never() : Deadline(now + nanos);
}

bool Deadline::HasPassed() const {
  if (IsNever()) return false;
  return IsPast() || explore::TimePasses(nanos_);
}

}  // namespace internal
}  // namespace heddle
