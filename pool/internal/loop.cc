#include "heddle/pool/internal/loop.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <utility>

#include "heddle/pool/internal/loop_board.h"
#include "heddle/pool/internal/loop_pace.h"
#include "heddle/pool/internal/shared_loop.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace pool_internal {
namespace {

// Pieces of a loop that one worker helps with: a claim takes about as long as the
// transfer of a cache line, and the last to end keeps the other waiting.
constexpr double kLeastNanos = 100;
constexpr double kMostNanos = 2'000;

}  // namespace

int64_t DoWithWatcher(WorkerPool& pool, LoopBoard& board, LoopPace& pace,
                      const SharedLoop::Work& work) {
  const auto elements_for = [&pace](double nanos) {
    return std::max(pace.grain(), static_cast<int64_t>(nanos / pace.nanos()));
  };
  SharedLoop::Work next = work;
  next.share = 2;
  LoopPace::Rest rest = LoopPace::Rest::kForTwo;
  while (rest == LoopPace::Rest::kForTwo && next.begin < work.end) {
    if (!board.IsWatched()) {
      board.Missed(pool, pace.started());
      break;
    }
    next.least = elements_for(kLeastNanos);
    next.most = elements_for(kMostNanos);
    const int64_t left = work.end - next.begin;
    const bool is_last = left / LoopPace::kTimesSeen <= pace.seen();
    const int64_t count = is_last ? left : LoopPace::kTimesSeen * pace.seen();
    next.end = next.begin + count;
    std::exception_ptr error;
    if (!board.TryRun(next, error)) break;
    if (error != nullptr) internal::Rethrow(std::move(error));
    next.begin = next.end;
    if (!is_last)
      rest =
          pace.Look(internal::Clock::Now(), count, left - count, /*threads=*/2);
  }
  return next.begin;
}

void DoAllWithWorkers(WorkerPool& pool, int64_t grain,
                      const SharedLoop::Work& work) {
  const int workers = pool.max_workers();
  SharedLoop::Work all = work;
  all.share = 8 * int64_t{workers};
  all.least = grain;
  all.most = std::numeric_limits<int64_t>::max();
  const auto loop =
      internal::RefPtr<InvitedLoop>::Adopt(MakeInBlock<InvitedLoop>());
  loop->Open(all);
  const int64_t pieces = (all.end - all.begin - 1) / grain + 1;
  // In a worker one of them is at it already.
  const auto guests =
      std::min<int64_t>(pieces, pool.IsWorkerHere() ? workers - 1 : workers);
  // Without memory, or in a pool that has been shut down meanwhile, the caller
  // does it all.
  static_cast<void>(internal::CatchAll([&] {
    TaskQueue invitations;
    for (int64_t i = 0; i < guests; ++i)
      invitations.Push(Task([loop] { loop->Help(); }));
    static_cast<void>(pool.ScheduleMany(invitations));
  }));
  std::exception_ptr error = loop->Run();
  if (error != nullptr) internal::Rethrow(std::move(error));
}

}  // namespace pool_internal
}  // namespace heddle
