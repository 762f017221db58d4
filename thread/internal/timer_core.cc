#include "heddle/thread/internal/timer_core.h"

#include <cstdint>
#include <optional>
#include <stop_token>

#include "absl/time/time.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/stop_callback.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

bool TimerCore::Cancel() { return Finish(kPending); }

// The word changes with the bucket locked: (P6) of the parking layer.
bool TimerCore::Finish(uint32_t from) {
  WakeList woken;
  ParkingSpot spot(&word_);
  if (!word_.compare_exchange_strong(from, kFinished, std::memory_order_release,
                                     std::memory_order_relaxed)) {  // [FINISH]
    return false;
  }
  spot.WakeAll(woken);
  return true;
}

bool TimerCore::WaitFinished(const WaitLimit& limit) const {
  const WaitLimit started = limit.Started();
  while (!IsFinished()) {
    Waiter waiter;
    {
      ParkingSpot spot(&word_);
      if (IsFinished()) return true;
      spot.Add(waiter);
    }
    if (!waiter.Sleep(started)) return IsFinished();
  }
  return true;
}

bool TimerCore::AwaitTurn(const std::stop_token& stop) {
  {
    const auto cancel = [this] { Cancel(); };
    std::optional<StopCallback<decltype(cancel)>> on_stop;
    if (delay_.stop_token().stop_possible())
      on_stop.emplace(delay_.stop_token(), cancel);
    if (WaitFinished({delay_.Remaining(), stop})) return false;
  }
  if (stop.stop_requested()) {
    Cancel();
    return false;
  }
  uint32_t expected = kPending;
  // relaxed: who calls Cancel() has left nothing for the function to see.
  return word_.compare_exchange_strong(expected, kFiring,
                                       std::memory_order_relaxed);
}

}  // namespace internal
}  // namespace heddle
