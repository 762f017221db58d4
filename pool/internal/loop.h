// ParallelLoop(): body(i) for all i of [begin, end), by the caller and by as
// many workers as come in time.
//
// The caller begins alone. Only when the first elements have shown that the rest
// will take longer than it takes to wake somebody are workers invited; a short
// loop costs no more than its elements and a few looks at the clock. Then all
// take pieces of what is left, smaller and smaller ones, so that they end
// together however uneven the work is.
//
// The loop is on the heap, but the body on the caller's stack:
//
//   (L1) present_ counts those inside, at first the caller. Nobody enters at 0,
//        and the caller leaves only when no piece is left: then it waits for 0,
//        and who comes later touches nothing but the loop itself.
//   (L2) next_ only grows; who raises it from a to b does [a, b).
//   [OUT] release of present_ by who leaves -> acquire by who brings it to 0,
//         and [SET] of the event: all pieces before the caller's return.

#ifndef HEDDLE_POOL_INTERNAL_LOOP_H_
#define HEDDLE_POOL_INTERNAL_LOOP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "heddle/pool/internal/lowest_error.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace pool_internal {

// What of the loop does not depend on the body.
class SharedLoop {
 public:
  // body(context, begin, end) does a piece; it throws what an element threw
  // after storing its number in `at`.
  using Body = void (*)(void* context, int64_t begin, int64_t end, int64_t& at);

  SharedLoop(Body body, void* context, int64_t begin, int64_t end,
             int64_t grain, int workers)
      : body_(body),
        context_(context),
        end_(end),
        grain_(grain),
        share_(4 * int64_t{workers}),
        next_(begin) {}

  // By the caller, whose presence is counted: does pieces, and returns when all
  // are done. Returns what the lowest element that threw has thrown.
  std::exception_ptr RunAsCaller();

  // By a worker that was invited.
  void RunAsGuest();

  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    // acq_rel: what any holder did before it is destroyed.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      DestroyInBlock(this);
  }

 private:
  void DoPieces();
  void Leave();

  const Body body_;
  void* const context_;
  const int64_t end_;
  const int64_t grain_;
  const int64_t share_;
  internal::Atomic<int64_t> next_;       // (L2)
  internal::Atomic<int> present_{1};     // (L1)
  internal::Atomic<int> references_{1};  // the caller's
  Event all_out_;
  LowestError thrown_;
};

// Invites up to `guests` workers of `pool`; fewer if there is no memory, or the
// pool accepts nothing.
void Invite(WorkerPool& pool, const internal::RefPtr<SharedLoop>& loop,
            int guests);

// A loop that is expected to be done in less is not shared: to wake a worker
// takes about as long.
inline constexpr int64_t kAloneNanos = 20'000;
// The elements that take this long together tell how long the rest will take.
inline constexpr int64_t kKnownNanos = 500;

// REQUIRES: begin <= end, grain >= 1.
template <typename F>
void ParallelLoop(WorkerPool& pool, int64_t begin, int64_t end, int64_t grain,
                  F& body) {
  const int64_t all = end - begin;
  const int workers = pool.max_workers();
  // Alone, as long as the rest looks short: one grain, eight, ...; the first few
  // tell nothing if the looks at the clock take longer.
  const int64_t started = internal::Clock::Now();
  for (int64_t piece = grain; begin < end;) {
    const int64_t stop = begin + std::min(piece, end - begin);
    for (; begin < stop; ++begin) body(begin);
    const int64_t left = end - begin;
    if (left == 0) return;
    const int64_t taken = internal::Clock::Now() - started;
    const bool rest_is_long =
        static_cast<double>(taken) * static_cast<double>(left) >
        static_cast<double>(kAloneNanos) * static_cast<double>(all - left);
    if (taken >= kKnownNanos && rest_is_long && left > grain) break;
    piece = piece < left / 8 ? 8 * piece : left;
  }
  if (begin >= end) return;

  const SharedLoop::Body piece_of_body = [](void* context, int64_t at_first,
                                            int64_t at_last, int64_t& at) {
    F& function = *static_cast<F*>(context);  // const again if it was
    for (at = at_first; at < at_last; ++at) function(at);
  };
  const auto loop = internal::RefPtr<SharedLoop>::Adopt(MakeInBlock<SharedLoop>(
      piece_of_body,
      const_cast<void*>(static_cast<const void*>(std::addressof(body))), begin,
      end, grain, workers));
  const int64_t pieces = (end - begin + grain - 1) / grain;
  // In a worker one of them is at it already.
  Invite(pool, loop,
         static_cast<int>(std::min<int64_t>(
             pieces, pool.IsWorkerHere() ? workers - 1 : workers)));
  std::exception_ptr error = loop->RunAsCaller();
  if (error != nullptr) internal::Rethrow(std::move(error));
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_LOOP_H_
