// EndlessWait: a thread that runs user code waits, without a limit, for a result
// or for the parts of a map, a loop or a fork. That these waits form no ring is
// seen to here: in a ring, nobody would ever go on.
//
// The graph: a stack (running_call.h) waits for a result, which one stack gives,
// or for a whole, of which several stacks run parts.
//
//   (E1) A wait is entered before its thread blocks, and taken out when that has
//        come back; both, and the look for a ring, under one lock. So of the
//        waits that would form one, the last sees it.
//   (E2) What is awaited is alive while the wait is entered: the waiter has a
//        handle to the result. So what is reached from one under the lock is
//        there. A whole is an identity only.
//   (E3) No false alarm: each step is certain. From a wait to a stack: the result
//        is not there, and the stack is at the call that gives it, or at a part
//        of the whole, until it ends. From a stack to a wait: all its calls are
//        below the one that waits. A wait for the first of several results is
//        not entered.
//   (E4) The last wait of a ring throws DeadlockError, and only that. If it
//        cannot (a fork ends with its call, whatever comes), it wakes another of
//        the ring that can, which looks again, and throws.
//
// A look goes through as many waits as the ring would have; through all that are
// entered, where it passes a whole.
//
// Thread safety: an object belongs to the thread that waits.

#ifndef HEDDLE_POOL_INTERNAL_ENDLESS_WAIT_H_
#define HEDDLE_POOL_INTERNAL_ENDLESS_WAIT_H_

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/thread/internal/thread_record.h"

namespace heddle {
namespace internal {
class WakeList;
}  // namespace internal
namespace pool_internal {

class ResultState;

class EndlessWait {
 public:
  // If what is awaited waits for this stack, be it by way of others: kThrow
  // throws DeadlockError, and nothing is entered; kTellAnother lets another do
  // so, for who cannot go before what it waits for.
  enum class IfRing { kThrow, kTellAnother };

  // The innermost call in this thread waits for `awaited`, if there is one.
  explicit EndlessWait(const ResultState& awaited,
                       IfRing if_ring = IfRing::kThrow);

  // It waits for the end of all parts of `whole` that run.
  EndlessWait(const void* whole, IfRing if_ring);

  EndlessWait(const EndlessWait&) = delete;
  EndlessWait& operator=(const EndlessWait&) = delete;
  ~EndlessWait();

  // For who was woken though the result that it waits for is not there: throws
  // DeadlockError if it may, and waits in a ring now.
  void ThrowIfInRing();

  // Whether it was woken for a ring since this was asked. REQUIRES: the parking
  // spot of the result is held: so that is not missed by who is about to park.
  bool TakeTold() { return std::exchange(told_, false); }

 private:
  EndlessWait(const ResultState* awaited, const void* whole, IfRing if_ring);

  bool CanBeTold() const {
    return awaited_ != nullptr && if_ring_ == IfRing::kThrow;
  }

  struct Search;
  // Under the lock:
  bool FindRing(Search& search) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  bool VisitTargets(EndlessWait& from,
                    Search& search) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  static void Push(EndlessWait& wait, EndlessWait& from, Search& search);
  void Tell(internal::WakeList& woken);

  const RunningCall* const running_;  // null: nobody waits for this thread
  const ResultState* const awaited_;  // null: a whole is
  const void* const whole_;
  const IfRing if_ring_;
  internal::ThreadRecord* const thread_;  // null: one without a name
  // Guarded by the lock in endless_wait.cc, as is all of one that is entered.
  EndlessWait* next_ = nullptr;  // in its bucket, newest first
  uint64_t seen_by_ = 0;         // the last search that came here, and
  EndlessWait* reached_from_ = nullptr;
  EndlessWait* next_to_visit_ = nullptr;
  bool told_ = false;  // guarded by the result's parking spot
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_ENDLESS_WAIT_H_
