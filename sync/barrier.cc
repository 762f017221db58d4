#include "heddle/sync/barrier.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "heddle/sync/internal/small_action.h"
#include "heddle/thread/internal/duration_nanos.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

namespace {

// The message to those who are woken because the barrier broke; the others, who
// are released, get none.
constexpr uint32_t kBroken = 1;

[[noreturn]] void ThrowBroken(const char* why) {
  internal::Throw(BrokenBarrierError(absl::StrCat("Barrier::Wait: ", why)));
}

uint32_t CheckedParties(int parties) {
  if (parties < 1) {
    internal::Throw(std::invalid_argument(absl::StrCat(
        "Barrier: the parties must be one or more, not ", parties)));
  }
  return static_cast<uint32_t>(parties);
}

}  // namespace

Barrier::Barrier(int parties, sync_internal::SmallAction action)
    : Barrier(parties, std::move(action), std::numeric_limits<int64_t>::max()) {
}

Barrier::Barrier(int parties, const absl::Duration& timeout)
    : Barrier(parties, sync_internal::SmallAction(), Nanos(timeout)) {}

Barrier::Barrier(int parties, sync_internal::SmallAction action,
                 int64_t timeout_nanos)
    : parties_(CheckedParties(parties)),
      timeout_nanos_(timeout_nanos),
      action_(std::move(action)) {}

int64_t Barrier::Nanos(const absl::Duration& timeout) {
  return internal::DurationNanos(timeout);
}

int Barrier::Wait() { return Wait(absl::Nanoseconds(timeout_nanos_)); }

int Barrier::Wait(const WaitLimit& limit) {
  const WaitLimit started = limit.Started();
  WakeList woken;  // ends last: after it the barrier may be gone
  Waiter waiter;
  uint32_t index = 0;
  uint32_t meeting = 0;
  uint32_t number = 0;
  bool last = false;
  {
    ParkingSpot spot(this);
    if (broken_) ThrowBroken("the barrier is broken");
    index = arrived_;
    meeting = meeting_;
    number = closed_;
    last = index + 1 == parties_;
    if (!last) {
      ++arrived_;
      spot.Add(waiter);
    } else if (spot.WakeAll(woken) == index) {  // (B2)
      arrived_ = 0;
      ++meeting_;  // (B3)
      ++closed_;
    } else {
      Break(spot, woken);
      ThrowBroken("another thread has given up");
    }
  }
  // Whoever was added may be released, and this object be gone, before it looks.
  if (last) {
    if (action_) Act(number, woken);
    return static_cast<int>(index);
  }
  if (waiter.Sleep(started)) {
    if (waiter.message() == kBroken) ThrowBroken("the barrier was broken");
    return static_cast<int>(index);
  }
  ParkingSpot spot(this);
  if (meeting_ == meeting) Break(spot, woken);  // (B3)
  ThrowBroken("the limit has passed");
}

void Barrier::Break(ParkingSpot& spot, WakeList& woken) {
  broken_ = true;
  arrived_ = 0;
  ++meeting_;
  spot.WakeAll(woken);
  woken.set_message(kBroken);
}

// Runs the action of the meeting with this number, in its turn.
void Barrier::Act(uint32_t number, WakeList& released) {
  AwaitTurn(number);
  const std::exception_ptr error = internal::CatchAll([this] { action_(); });
  if (error != nullptr) {
    ParkingSpot spot(this);
    Break(spot, released);
  }
  {
    WakeList next;
    ParkingSpot spot(&acted_);
    acted_ = number + 1;
    spot.WakeAll(next);
  }
  if (error != nullptr) internal::Rethrow(error);
}

// More threads than parties may complete a meeting while the action of the one
// before still runs (B4). That one is sure to end, so there is no limit.
void Barrier::AwaitTurn(uint32_t number) {
  for (;;) {
    Waiter waiter;
    {
      ParkingSpot spot(&acted_);
      if (acted_ == number) return;
      spot.Add(waiter);
    }
    waiter.Sleep(WaitLimit());
  }
}

void Barrier::Reset() {
  WakeList woken;
  ParkingSpot spot(this);
  Break(spot, woken);
  broken_ = false;
}

void Barrier::Abort() {
  WakeList woken;
  ParkingSpot spot(this);
  Break(spot, woken);
}

int Barrier::waiting() const {
  const ParkingSpot spot(this);
  return static_cast<int>(arrived_);
}

bool Barrier::broken() const {
  const ParkingSpot spot(this);
  return broken_;
}

std::string Barrier::DebugString() const {
  const ParkingSpot spot(this);
  return absl::StrCat("Barrier(", broken_ ? "broken, " : "",
                      "waiting=", uint32_t{arrived_}, "/", parties_, ")");
}

std::ostream& operator<<(std::ostream& out, const Barrier& barrier) {
  return out << barrier.DebugString();
}

}  // namespace heddle
