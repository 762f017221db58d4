// Gate: where the threads wait that found a queue empty, or full.
//
// A queue has a gate for each thing that can be waited for. The thread that makes
// that thing come true lets one waiter through; that one takes what it wants and,
// if there is more, lets the next one through. So a burst of items costs its
// producer one wake-up, and a consumer that takes them all has woken nobody for
// nothing.
//
// A gate belongs to the lock under which the thing changes, as a condition
// variable does: all that is asked of the gate is asked with that lock held. So
// the release of the lock is the last touch of the queue by who lets others
// through, and the queue may be destroyed by a thread that then takes the lock.
//
// The waiting side, which has found nothing and holds no lock:
//
//   GateTurn turn(gate, count, lock);       // size_t count(): tries worth it
//   while (turn.Await(started, /*first_look=*/1)) {
//     std::optional<WakeList> woken;        // they wake when the lock is free
//     LockGuard guard(lock);
//     if (turn.is_coming()) turn.Come(/*wants=*/1, woken);
//     const bool taken = Take();
//     turn.Tried();
//     if (taken) return true;
//   }
//   return Take();                          // the limit has passed: a last look
//
// The waking side:
//
//   std::optional<WakeList> woken;
//   LockGuard guard(lock);
//   items_.store(n, std::memory_order_release);
//   gate.LetOne(woken);

#ifndef HEDDLE_QUEUE_INTERNAL_GATE_H_
#define HEDDLE_QUEUE_INTERNAL_GATE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/base/optimization.h"
#include "absl/functional/function_ref.h"
#include "heddle/queue/internal/wait_place.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {

class Gate {
 public:
  constexpr Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Lets the thread through that has waited longest, unless one is on its way
  // already: that one will let the next one through, or a later LetOne() will
  // if it does not get to run for a millisecond. The thread is added to
  // `woken`, which is declared before the lock is taken: it wakes when that ends.
  //
  // REQUIRES: the lock of this gate is held, and what the waiters wait for has
  // been made true under it.
  void LetOne(std::optional<internal::WakeList>& woken) {
    if (ABSL_PREDICT_FALSE((word_ & kQueued) != 0)) LetOneQueued(woken);
  }

  // Lets all threads through that wait. REQUIRES: as LetOne().
  void LetAll(internal::WakeList& woken);

  // How many threads wait. Advisory.
  size_t CountWaiters() const;

 private:
  friend class GateTurn;

  //   (G1) while anybody is queued, kQueued is set. Legal to be set when nobody
  //        is queued: a waiter whose limit passes leaves the parking spot without
  //        the lock.
  //   (G2) kWaking is set, with the age of the wake-up, by a thread that wakes
  //        a single waiter. Such a waiter clears both when it comes, whether
  //        they are about it or about one that was woken later. So while
  //        kWaking is set, the waiter that was woken last has not come. Legal
  //        to be clear while such waiters are on their way.
  //   (G3) nobody is left asleep. Whether to sleep is decided, and the thing made
  //        true and the word read after it, with the lock held: whichever of the
  //        two comes later sees what the other has done.
  //   (G4) nothing is left lying. A thread that finds kWaking set leaves the rest
  //        to the waiter that was woken last. Each that comes clears kWaking
  //        with the lock held, and lets the next one through if there is more
  //        than it wants itself. From there to its try nobody else can take
  //        that (by the same lock, or by another that it has taken before). If
  //        it does not try after all, or its try throws, it lets the next one
  //        through for whatever there is.
  //   (G5) the release of the lock is the last touch of the gate: those that are
  //        woken are claimed before it, and wake after it, by their own address.
  //   (G6) a wake-up is not waited for longer than its BatonAge says: LetOne()
  //        that finds an old kWaking wakes the next waiter. So no waiter
  //        depends on one that does not run, but for calls of LetOne() to come.
  static constexpr uint32_t kQueued = 1;
  static constexpr uint32_t kWaking = 2;
  static constexpr int kAgeShift = 2;
  static constexpr uint32_t kBaton = ~kQueued;  // kWaking and its age

  void LetOneQueued(std::optional<internal::WakeList>& woken);

  internal::Var<uint32_t> word_ = 0;
};

// A thread's waiting at a gate and, when it ends, what it owes to the others.
// `count` says how many tries are worth it, and never too few where `lock`, that
// of the gate, is held; it must outlive the turn.
class GateTurn final : public WaitPlace {
 public:
  GateTurn(Gate& gate, absl::FunctionRef<size_t()> count, Lock& lock)
      : gate_(gate), count_(count), lock_(lock) {}
  GateTurn(const GateTurn&) = delete;
  GateTurn& operator=(const GateTurn&) = delete;
  ~GateTurn() {
    if (ABSL_PREDICT_FALSE(is_coming_ || owes_a_try_)) Leave();
  }

  // Waits until a try is worth it and returns true, or returns false if
  // `started` has ended the wait. A try that fails is followed by another
  // Await(): a thread that was woken in vain then waits in the first place.
  // `first_look`: how many pauses to spend before the first look, by one who does
  // better to come when there is enough for many tries.
  bool Await(const WaitLimit& started, int first_look) {
    WaitPlace* const place = this;
    return AwaitAny({&place, 1}, started, first_look);
  }

  // True if it was woken, and is to Come() as the first part of its try.
  bool is_coming() const { return is_coming_; }

  // Lets the next one through if there is more than this one `wants`. REQUIRES:
  // the lock of the gate is held, and the lock under which the try takes what it
  // wants, from here to its end.
  void Come(size_t wants, std::optional<internal::WakeList>& woken);

  // Says that a try was made, and has not thrown. Touches nothing but the turn:
  // the queue may be gone.
  void Tried() { owes_a_try_ = false; }

  bool IsReady() const override { return count_() != 0; }
  bool Queue(internal::Waiter& waiter) override;
  void Woken(uint32_t message) override;

 private:
  void Leave();

  Gate& gate_;
  const absl::FunctionRef<size_t()> count_;
  Lock& lock_;
  bool is_coming_ = false;   // woken, and has not cleared kWaking yet (G2)
  bool is_first_ = false;    // woken since it last queued
  bool owes_a_try_ = false;  // has come, and has not tried since (G4)
};

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_GATE_H_
