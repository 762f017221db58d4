#include "heddle/pool/internal/loop.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>

#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace pool_internal {

void SharedLoop::DoPieces() {
  // relaxed throughout: claims, (L2). What the body reads was written before
  // the guests were invited.
  int64_t next = next_.load(std::memory_order_relaxed);
  while (next < end_) {
    const int64_t left = end_ - next;
    const int64_t piece = std::min(left, std::max(grain_, left / share_));
    if (!next_.compare_exchange_weak(next, next + piece,
                                     std::memory_order_relaxed)) {
      continue;
    }
    int64_t at = next;
    std::exception_ptr error =
        internal::CatchAll([&] { body_(context_, next, next + piece, at); });
    if (error != nullptr) {
      // No piece is begun any more; those before this one have been.
      next_.store(end_, std::memory_order_relaxed);
      thrown_.Add(at, std::move(error));
      return;
    }
    next = next_.load(std::memory_order_relaxed);
  }
}

void SharedLoop::Leave() {
  if (present_.fetch_sub(1, std::memory_order_acq_rel) == 1)  // [OUT]
    all_out_.Set();
}

std::exception_ptr SharedLoop::RunAsCaller() {
  DoPieces();
  Leave();
  all_out_.Wait();
  return thrown_.Take();
}

void SharedLoop::RunAsGuest() {
  // relaxed: who is counted has been invited, and that ordered all it reads.
  int present = present_.load(std::memory_order_relaxed);
  do {
    if (present == 0) return;  // (L1)
  } while (!present_.compare_exchange_weak(present, present + 1,
                                           std::memory_order_relaxed));
  DoPieces();
  Leave();
}

void Invite(WorkerPool& pool, const internal::RefPtr<SharedLoop>& loop,
            int guests) {
  // Without memory, or in a pool that has been shut down meanwhile, the caller
  // does it all.
  static_cast<void>(internal::CatchAll([&] {
    TaskQueue invitations;
    for (int i = 0; i < guests; ++i)
      invitations.Push(Task([loop] { loop->RunAsGuest(); }));
    static_cast<void>(pool.ScheduleMany(invitations));
  }));
}

}  // namespace pool_internal
}  // namespace heddle
