// ParallelLoop(): body(i) for all i of [begin, end), by the caller and by as
// many workers as come in time.
//
// The caller begins alone. Only when the first elements have shown that the rest
// will take longer than it takes to wake somebody are workers invited; then all
// take pieces of what is left, smaller and smaller ones, so that they end
// together however uneven the work is. A shorter loop costs no more than its
// elements and a few looks at the clock; but if a worker watches for such loops
// (loop_board.h), it has its part.

#ifndef HEDDLE_POOL_INTERNAL_LOOP_H_
#define HEDDLE_POOL_INTERNAL_LOOP_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>

#include "heddle/pool/internal/loop_board.h"
#include "heddle/pool/internal/loop_pace.h"
#include "heddle/pool/internal/shared_loop.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"

namespace heddle {
namespace pool_internal {

// A loop to which workers are invited, who may come when it is over.
class InvitedLoop : public SharedLoop {
 public:
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    // acq_rel: what any holder did before it is destroyed.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      DestroyInBlock(this);
  }

 private:
  internal::Atomic<int> references_{1};  // the caller's
};

// The two ways to do elements of `work` together with others; it says what they
// are, but not how they are divided. Both rethrow what the lowest element that
// threw has thrown.
//
// As long as they look short, with who watches `board`, if anybody does. Returns
// where that has got to.
int64_t DoWithWatcher(WorkerPool& pool, LoopBoard& board, LoopPace& pace,
                      const SharedLoop::Work& work);
// All of them, with the workers of `pool`.
void DoAllWithWorkers(WorkerPool& pool, int64_t grain,
                      const SharedLoop::Work& work);

// REQUIRES: begin < end, grain >= 1.
template <typename F>
void ParallelLoop(WorkerPool& pool, LoopBoard& board, int64_t begin,
                  int64_t end, int64_t grain, F& body) {
  // One after the other, if the elements are more than a number can say.
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  while (begin < 0 && end > begin + kMost) {
    ParallelLoop(pool, board, begin, begin + kMost, grain, body);
    begin += kMost;
  }
  SharedLoop::Work work;
  work.body = [](void* context, int64_t first, int64_t last, int64_t& at) {
    F& function = *static_cast<F*>(context);  // const again if it was
    for (at = first; at < last; ++at) function(at);
  };
  work.context =
      const_cast<void*>(static_cast<const void*>(std::addressof(body)));
  work.end = end;
  LoopPace::Rest rest = LoopPace::Rest::kForOne;
  for (LoopPace pace(grain, internal::Clock::Now());
       rest != LoopPace::Rest::kForAll;) {
    const int64_t piece = std::min(pace.piece(), end - begin);
    for (const int64_t stop = begin + piece; begin < stop; ++begin) body(begin);
    if (begin == end) return;
    rest = pace.Look(internal::Clock::Now(), piece, end - begin);
    work.begin = begin;
    if (rest == LoopPace::Rest::kForTwo)
      begin = DoWithWatcher(pool, board, pace, work);
    if (begin == end) return;
  }
  DoAllWithWorkers(pool, grain, work);
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_LOOP_H_
