#include "heddle/sync/internal/baton_age.h"

#include <cstdint>

#include "heddle/thread/internal/clock.h"

namespace heddle {
namespace sync_internal {
namespace {

constexpr uint32_t kStampMask = (uint32_t{1} << 25) - 1;

}  // namespace

uint32_t BatonAge::Begin() {
  static_assert(kBits == kCountBits + 25);
  const auto units =
      static_cast<uint64_t>(internal::Clock::MachineNow()) >> kUnitBits;
  return (static_cast<uint32_t>(units) & kStampMask) << kCountBits;
}

bool BatonAge::IsOldNow(uint32_t age) {
  const auto now =
      static_cast<uint64_t>(internal::Clock::MachineNow()) >> kUnitBits;
  const uint32_t units =
      (static_cast<uint32_t>(now) - (age >> kCountBits)) & kStampMask;
#ifdef HEDDLE_MODEL
  // There a moment comes when the explorer says so: ask it for this one.
  return internal::Deadline(
             static_cast<int64_t>((now - units + kOldUnits) << kUnitBits))
      .HasPassed();
#else
  return units >= kOldUnits;
#endif
}

}  // namespace sync_internal
}  // namespace heddle
