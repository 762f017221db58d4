// Barrier: a fixed number of threads meet, again and again; 64 bytes.
//
// Wait() blocks until as many threads as the barrier has parties are in it, then
// all go on, and the barrier is ready for the next meeting. An action, if there
// is one, is run by the last to arrive before anybody goes on. For threads that
// meet once use a Latch.
//
// Example:
//
//   Barrier step(/*parties=*/4, [&grid] { grid.Swap(); });
//   ... in each of four threads:
//   for (int i = 0; i < kSteps; ++i) {
//     Compute(grid, my_part);
//     step.Wait();
//   }
//
// If one of them gives up (its limit passed), or the action throws, or somebody
// calls Abort(), the barrier is broken: all who wait, and all who come, get a
// BrokenBarrierError, because a meeting with one missing would never begin.
// Reset() makes it whole again. (Python: threading.Barrier.)
//
// Differences from std::barrier: limits, the order of arrival, Abort() and
// Reset(), and an action that may throw.
//
// The action runs in one thread at a time and may call all methods but Wait(),
// which throws std::logic_error there. A Reset() or Abort() of the action's
// does not disturb the meeting for which it runs. If it throws, or ends its thread
// (pthread_exit()), the barrier is broken, even if somebody has called Reset()
// meanwhile. A meeting whose action has begun is complete: no limit ends it, and
// Wait(limit) then lasts as long as the action does.
//
// Thread safety: all methods. Destroying the barrier
// as soon as all parties' Wait() calls of the last meeting but one's own have
// been released is safe: a Wait() that returned does not touch it any more.
// Memory ordering: what each thread did before Wait() is visible to the action,
// and what the action did to each after Wait().

#ifndef HEDDLE_SYNC_BARRIER_H_
#define HEDDLE_SYNC_BARRIER_H_

#include <cstdint>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "heddle/sync/internal/small_action.h"
#include "heddle/thread/internal/chrono_nanos.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
class ParkingSpot;
class Waiter;
class WakeList;
}  // namespace internal

// The barrier was broken, before or while this thread waited.
class BrokenBarrierError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Barrier {
 public:
  // Without an action. `timeout` is the limit of a Wait() that names none; if
  // none is given either, that waits for ever. Throws std::invalid_argument if
  // `parties` is less than one.
  explicit Barrier(int parties)
      : Barrier(parties, sync_internal::SmallAction()) {}
  Barrier(int parties, const absl::Duration& timeout);
  template <internal::ChronoDuration Duration>
  Barrier(int parties, const Duration& timeout)
      : Barrier(parties, sync_internal::SmallAction(),
                internal::ChronoNanos(timeout)) {}

  // With an action: a callable that needs no arguments. It is kept in the
  // barrier, so what it captures may have the size of three pointers: capture
  // by reference what is larger.
  template <typename Action>
  requires std::is_invocable_v<Action&> Barrier(int parties, Action action)
      : Barrier(parties, sync_internal::SmallAction(std::move(action))) {}
  template <typename Action>
  requires std::is_invocable_v<Action&> Barrier(int parties, Action action,
                                                const absl::Duration& timeout)
      : Barrier(parties, sync_internal::SmallAction(std::move(action)),
                Nanos(timeout)) {}
  template <typename Action, internal::ChronoDuration Duration>
  requires std::is_invocable_v<Action&> Barrier(int parties, Action action,
                                                const Duration& timeout)
      : Barrier(parties, sync_internal::SmallAction(std::move(action)),
                internal::ChronoNanos(timeout)) {}

  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Waits for the others, within `limit` or that of the constructor. Returns
  // the order of arrival in this meeting, from 0 to parties() - 1, each once;
  // the last one ran the action, which no limit counts. Throws
  // BrokenBarrierError if the barrier is broken or breaks, which a limit that
  // passes makes it do; and, in the thread that ran it, what the action throws.
  // Throws std::logic_error, and changes nothing, if the barrier's own action
  // calls it.
  int Wait();
  int Wait(const WaitLimit& limit);

  // Lets those who wait go with a BrokenBarrierError. The barrier is whole and
  // empty afterwards. A meeting that is complete is not disturbed.
  void Reset();

  // Breaks the barrier until the next Reset().
  void Abort();

  [[nodiscard]] int parties() const { return static_cast<int>(parties_); }

  // How many threads wait for the others, and whether the barrier is broken.
  // Advisory: they may change at any time.
  [[nodiscard]] int waiting() const;
  [[nodiscard]] bool broken() const;

  // For logs and debuggers: all of that.
  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out, const Barrier& barrier);

 private:
  //   (B1) arrived_, meeting_, closed_ and broken_ change only with the parking
  //        spot of this barrier held. arrived_ is the number of threads that
  //        came to the meeting that is not complete yet, and 0 while broken_.
  //   (B2) the last to arrive claims all others and begins the next meeting,
  //        under one hold of the spot: from then on no limit, Abort() or
  //        Reset() reaches the complete one. If it claims fewer, one of them
  //        has just given up: then the barrier breaks.
  //   (B3) meeting_ changes whenever arrived_ goes back to 0, so who gives up
  //        can tell whether the meeting that it came to is still open.
  //   (B4) with an action, complete meetings are numbered by closed_, and
  //        act in that order: a meeting's action begins when acted_ is its
  //        number. Only after it are its threads let go. acted_ changes only
  //        with its own parking spot held.
  //   The releasing of the spot, or of that of acted_, is the last touch of the
  //   object by who completes a meeting.
  Barrier(int parties, sync_internal::SmallAction action);
  Barrier(int parties, sync_internal::SmallAction action,
          int64_t timeout_nanos);

  static int64_t Nanos(const absl::Duration& timeout);

  // What became of a thread that came to a meeting.
  struct Arrival {
    const char* why_broken = nullptr;
    uint32_t index = 0;
    uint32_t meeting = 0;
    uint32_t number = 0;  // of the meeting that it completes
    bool is_last = false;
  };
  Arrival Arrive(internal::Waiter& waiter, internal::WakeList& woken);
  void GiveUp(uint32_t meeting, internal::WakeList& woken);
  void Break(internal::ParkingSpot& spot, internal::WakeList& woken);
  void Act(uint32_t number, internal::WakeList& released);
  void AwaitTurn(uint32_t number);

  const uint32_t parties_;
  internal::Var<uint32_t> arrived_ = 0;
  internal::Var<uint32_t> meeting_ = 0;
  internal::Var<uint32_t> closed_ = 0;
  internal::Var<uint32_t> acted_ = 0;
  internal::Var<bool> broken_ = false;
  const int64_t timeout_nanos_;  // INT64_MAX: for ever
  sync_internal::SmallAction action_;
};

static_assert(sizeof(Barrier) <= 64);

}  // namespace heddle

#endif  // HEDDLE_SYNC_BARRIER_H_
