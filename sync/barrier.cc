#include "heddle/sync/barrier.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "heddle/sync/internal/small_action.h"
#include "heddle/thread/internal/duration_nanos.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/per_thread.h"
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

}  // namespace

// An action that runs in this thread, and the one in which it does.
struct sync_internal::RunningAction {
  const Barrier* barrier;
  const RunningAction* outer;
};

namespace {

// An action that waits for its own barrier waits for itself: its meeting is
// over when the action is.
void CheckNotInAction(const Barrier* barrier) {
  for (const sync_internal::RunningAction* action =
           internal::ThisThread().running_action;
       action != nullptr; action = action->outer) {
    if (action->barrier == barrier) {
      internal::Throw(std::logic_error(
          "Barrier::Wait: called by the action of the same barrier"));
    }
  }
}

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
  CheckNotInAction(this);
  const WaitLimit started = limit.Started();
  Arrival arrival{};
  {
    WakeList woken;  // ends last: after it the barrier may be gone
    Waiter waiter;
    arrival = Arrive(waiter, woken);
    if (arrival.why_broken == nullptr) {
      // Whoever was added may be released, and this object be gone, before it
      // looks.
      if (arrival.is_last) {
        if (action_) Act(arrival.number, woken);
      } else if (waiter.Sleep(started)) {
        if (waiter.message() == kBroken)
          arrival.why_broken = "the barrier was broken";
      } else {
        GiveUp(arrival.meeting, woken);
        arrival.why_broken = "the limit has passed";
      }
    }
  }
  if (arrival.why_broken != nullptr) ThrowBroken(arrival.why_broken);
  return static_cast<int>(arrival.index);
}

// Comes to the meeting, as one more who waits or as the last.
Barrier::Arrival Barrier::Arrive(Waiter& waiter, WakeList& woken) {
  ParkingSpot spot(this);
  if (broken_) return {.why_broken = "the barrier is broken"};
  Arrival arrival{.index = arrived_, .meeting = meeting_, .number = closed_};
  arrival.is_last = arrival.index + 1 == parties_;
  if (!arrival.is_last) {
    ++arrived_;
    spot.Add(waiter);
  } else if (spot.WakeAll(woken) == arrival.index) {  // (B2)
    arrived_ = 0;
    ++meeting_;  // (B3)
    ++closed_;
  } else {
    Break(spot, woken);
    arrival.why_broken = "another thread has given up";
  }
  return arrival;
}

// After a wait for this meeting that its limit has ended.
void Barrier::GiveUp(uint32_t meeting, WakeList& woken) {
  ParkingSpot spot(this);
  if (meeting_ == meeting) Break(spot, woken);  // (B3)
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
  internal::PerThread& thread = internal::ThisThread();
  const sync_internal::RunningAction running{this, thread.running_action};
  thread.running_action = &running;
  bool has_returned = false;
  const absl::Cleanup end = [&] {
    thread.running_action = running.outer;
    if (!has_returned) {  // it threw, or ends its thread
      ParkingSpot spot(this);
      Break(spot, released);
    }
    WakeList next;
    ParkingSpot spot(&acted_);
    acted_ = number + 1;
    spot.WakeAll(next);
  };
  action_();
  has_returned = true;
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
  bool broken = false;
  uint32_t arrived = 0;
  {
    const ParkingSpot spot(this);
    broken = broken_;
    arrived = arrived_;
  }
  return absl::StrCat("Barrier(", broken ? "broken, " : "", "waiting=", arrived,
                      "/", parties_, ")");
}

std::ostream& operator<<(std::ostream& out, const Barrier& barrier) {
  return out << barrier.DebugString();
}

}  // namespace heddle
