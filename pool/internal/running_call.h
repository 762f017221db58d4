// RunningCall: while it lives, the calling thread runs user code that somebody
// may wait for.
//
// Calls nest: a callable that waits may run another in place, or submit one to
// an InlineExecutor. All calls that are one above the other belong to one
// *stack*, which goes on only when its innermost call does. (A stack may continue
// in another thread: see in_place.h.)
//
// Thread safety: an object belongs to its thread.

#ifndef HEDDLE_POOL_INTERNAL_RUNNING_CALL_H_
#define HEDDLE_POOL_INTERNAL_RUNNING_CALL_H_

#include <utility>

#include "heddle/thread/internal/per_thread.h"

namespace heddle {
namespace pool_internal {

class RunningCall {
 public:
  // The only call that the result of some state comes from.
  RunningCall() : RunningCall(nullptr) {}
  // One of several parts, in as many threads, that `whole` needs to end. It is
  // the identity of a map, a loop, a fork, an executor: nobody looks at it.
  explicit RunningCall(const void* whole)
      : thread_(internal::ThisThread()),
        outer_(std::exchange(thread_.running_call, this)),
        stack_(outer_ != nullptr ? outer_->stack_ : &thread_),
        whole_(whole),
        nearest_part_(whole != nullptr    ? this
                      : outer_ != nullptr ? outer_->nearest_part_
                                          : nullptr) {}
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;
  ~RunningCall() { thread_.running_call = outer_; }

  // The identity of the stack. No two that exist have the same.
  const void* stack() const { return stack_; }

  // Whether a call of this thread's is a part of `whole`.
  static bool IsHereInPartOf(const void* whole) {
    const RunningCall* const here = internal::ThisThread().running_call;
    return here != nullptr && here->IsInPartOf(whole);
  }

  // Whether this call, or one around it, is a part of `whole`.
  bool IsInPartOf(const void* whole) const {
    const RunningCall* part = nearest_part_;
    while (part != nullptr && part->whole_ != whole)
      part = part->outer_ != nullptr ? part->outer_->nearest_part_ : nullptr;
    return part != nullptr;
  }

 private:
  internal::PerThread& thread_;
  const RunningCall* const outer_;
  const void* const stack_;
  const void* const whole_;                // null: none
  const RunningCall* const nearest_part_;  // of something; null: none
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_RUNNING_CALL_H_
