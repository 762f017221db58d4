// EndlessWait: a task waits, without a limit, for the result of another. That
// these waits form no ring is seen to here: in a ring, nobody would ever go on.
//
//   (E1) A wait is entered before its thread blocks, and taken out when that has
//        come back; both, and the look for a ring, under one lock. So of the
//        waits that would form one, the last is refused, and only that.
//   (E2) A result that is awaited is alive while the wait is entered: the waiter
//        has a handle to it. So what is reached from one under the lock is there.
//   (E3) No false alarm: each step leads from a result that is not there to one
//        that its callable, which is at this wait, needs to go on.
//
// Thread safety: an object belongs to the thread that waits.

#ifndef HEDDLE_POOL_INTERNAL_ENDLESS_WAIT_H_
#define HEDDLE_POOL_INTERNAL_ENDLESS_WAIT_H_

#include <cstddef>

#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/thread_record.h"

namespace heddle {
namespace pool_internal {

class EndlessWait {
 public:
  // The innermost callable that runs in this thread waits for `awaited`, if
  // there is one. Throws DeadlockError if that waits for this thread, be it by
  // way of others; then nothing is entered.
  explicit EndlessWait(const ResultState& awaited);
  EndlessWait(const EndlessWait&) = delete;
  EndlessWait& operator=(const EndlessWait&) = delete;
  ~EndlessWait();

 private:
  size_t RingLength() const;

  const RunningResult* const running_;
  const ResultState& awaited_;
  internal::ThreadRecord* const thread_;  // null: one without a name
  const EndlessWait* outer_ = nullptr;    // of the same callable
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_ENDLESS_WAIT_H_
