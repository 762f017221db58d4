// Gate: where the threads wait that found a queue empty, or full.
//
// A queue has a gate for each thing that can be waited for. Who makes that thing
// come true lets one waiter through; that one does its work and, if there is
// more, lets the next one through. So a burst of items costs its producer one
// wake-up, and a consumer that takes them all has woken nobody in vain.
//
// The waiting side, which has found nothing and holds no lock:
//
//   GateTurn turn(gate, ready, lock);       // bool ready(): worth a try?
//   while (turn.Await(started, /*first_look=*/1)) {
//     if (Take()) return true;              // the turn ends: the next may go
//   }
//   return Take();                          // the limit has passed: a last look
//
// The waking side:
//
//   {
//     LockGuard guard(lock);
//     items_.store(n, std::memory_order_release);
//   }
//   gate.LetOne();

#ifndef HEDDLE_QUEUE_INTERNAL_GATE_H_
#define HEDDLE_QUEUE_INTERNAL_GATE_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/optimization.h"
#include "absl/functional/function_ref.h"
#include "heddle/queue/internal/wait_place.h"
#include "heddle/sync/internal/lock_pass.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {

class Gate {
 public:
  constexpr Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Lets the thread through that has waited longest, unless one is on its way
  // already: that one will let the next one through.
  //
  // REQUIRES: what the waiters wait for was made true before: under the lock that
  // they name, which has been released since, or by a sequentially consistent
  // operation. (G3)
  void LetOne() {
    const uint32_t seen = word_.load(std::memory_order_seq_cst);  // (G3), (G4)
    if (ABSL_PREDICT_FALSE((seen & (kQueued | kWaking)) == kQueued)) WakeOne();
  }

  // Lets all threads through that wait. REQUIRES: as LetOne().
  void LetAll() {
    const uint32_t seen = word_.load(std::memory_order_seq_cst);  // (G3)
    if (ABSL_PREDICT_FALSE((seen & kQueued) != 0)) WakeAll();
  }

  // How many threads wait. Advisory.
  size_t CountWaiters() const;

 private:
  friend class GateTurn;

  //   (G1) while anybody is queued, kQueued is set. Legal to be set when nobody
  //        is queued. It is changed, and threads are queued, only with the
  //        parking spot of this gate held.
  //   (G2) kWaking is set by who wakes a single thread, with the spot held, and
  //        cleared by that thread alone: when it queues again, or when its turn
  //        ends. There is one such thread at a time.
  //   (G3) nobody is left asleep. A waiter stores kQueued and then looks whether
  //        it must sleep; who makes the thing true looks at the word after
  //        that. One of the two sees the other. Either because the thing is made
  //        true under the lock, and the waiter passes by that lock between its
  //        two steps: before or after the other's unlock() (L5). Or because all
  //        four are sequentially consistent.
  //   (G4) nothing is left lying. Who looks at the word and sees kWaking leaves
  //        the rest to the thread on its way. That one clears kWaking, passes by
  //        and then looks at the thing: again one of the two sees the other.
  static constexpr uint32_t kQueued = 1;
  static constexpr uint32_t kWaking = 2;

  void WakeOne();
  void WakeAll();

  internal::Atomic<uint32_t> word_{0};
};

// A thread's waiting at a gate and, when it ends, what it owes to the others.
// `ready` says whether a try is worth it; it must outlive the turn. It loads what
// is changed under `lock` to acquire it, and the rest sequentially consistently.
class GateTurn final : public WaitPlace {
 public:
  GateTurn(Gate& gate, absl::FunctionRef<bool()> ready, Lock& lock)
      : gate_(gate), ready_(ready), lock_(lock) {}
  GateTurn(const GateTurn&) = delete;
  GateTurn& operator=(const GateTurn&) = delete;
  ~GateTurn();

  // Waits until a try is worth it and returns true, or returns false if
  // `started` has ended the wait. A try that fails is followed by another
  // Await(): who was woken in vain then waits in the first place. `first_look`:
  // how many pauses to spend before the first look, by one who does better to
  // come when there is enough for many tries.
  bool Await(const WaitLimit& started, int first_look) {
    WaitPlace* const place = this;
    return AwaitAny({&place, 1}, started, first_look);
  }

  bool IsReady() const override { return ready_(); }
  bool Queue(internal::Waiter& waiter) override;
  void Woken(uint32_t message) override;

 private:
  // Whether a try is worth it, after a change of the word.
  bool IsReadyAfterAll() {
    sync_internal::LockPass::By(lock_);
    return ready_();
  }

  Gate& gate_;
  const absl::FunctionRef<bool()> ready_;
  Lock& lock_;
  bool is_waking_ = false;    // kWaking is this turn's (G2)
  bool owes_a_look_ = false;  // it was, and what it stood for is not yet done
};

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_GATE_H_
