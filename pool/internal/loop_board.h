// LoopBoard: where a loop of some microseconds is posted for a worker that watches.
//
// To wake a worker takes as long as such a loop, so a single one is its caller's
// alone. But where they come in a stream, one behind the other, a worker is
// called once, and watches the board for the next, awake, as long as they come:
// then each is shared at the cost of a few cache lines. After some 25 microseconds
// without one, or as soon as the worker is wanted for a task, it goes its way.
// One worker watches: more would cost processors more than they gain.
//
// Nobody counts on who watches: a loop that is not helped with is done by its
// caller. So a watching worker is a worker at a task like any other, and what it
// looks at are hints, but for the loop itself (shared_loop.h).
//
//   (B1) Who has set owned_ opens loop_, and runs it; nobody else does.
//   [OWN] release of owned_ by who has run a loop -> acquire by the next who sets
//         it: all that guests read of the last loop before the next is written.
//
// Thread safety: all methods.

#ifndef HEDDLE_POOL_INTERNAL_LOOP_BOARD_H_
#define HEDDLE_POOL_INTERNAL_LOOP_BOARD_H_

#include <cstdint>
#include <exception>
#include <memory>

#include "heddle/pool/internal/shared_loop.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/atomic.h"

namespace heddle {
namespace pool_internal {

class LoopBoard : public std::enable_shared_from_this<LoopBoard> {
 public:
  // So many loops without a watcher, each begun within kStreamNanos of the last,
  // are a stream: it pays for a wake-up many times over.
  static constexpr int kStream = 64;
  static constexpr int64_t kStreamNanos = 50'000;
  // How often a watcher looks before it gives up: for some 25 microseconds.
  static constexpr int kLooks = 1000;

  LoopBoard() = default;
  LoopBoard(const LoopBoard&) = delete;
  LoopBoard& operator=(const LoopBoard&) = delete;

  bool IsWatched() const {
    return watched_.load(std::memory_order_relaxed);  // relaxed: a hint
  }

  // Does a loop, together with who watches, and returns true and in `error` what
  // the lowest element that threw has thrown; or false if another loop is on the
  // board.
  bool TryRun(const SharedLoop::Work& work, std::exception_ptr& error);

  // A loop that was begun at `started`, of internal::Clock, would have been run
  // here, but nobody watched. Calls a worker of `pool` if they come in a stream.
  void Missed(WorkerPool& pool, int64_t started);

  // By a worker: helps with loops as long as they come; or with the one that is
  // on the board now, if there is any.
  void Watch();
  void Help() { loop_.Help(); }

 private:
  class Invitation;

  bool LooksForLoop(unsigned& looks) const;

  alignas(64) SharedLoop loop_;
  // Those who have loops:
  alignas(64) internal::Atomic<bool> owned_{false};  // (B1)
  internal::Atomic<int64_t> last_missed_{0};
  internal::Atomic<int> stream_{0};
  // Seldom written:
  alignas(64) internal::Atomic<bool> watched_{false};
  internal::Atomic<bool> invited_{false};  // a watcher is, or is on its way
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_LOOP_BOARD_H_
