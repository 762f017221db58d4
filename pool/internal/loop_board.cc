// Hints are relaxed, wherever nothing else is said.

#include "heddle/pool/internal/loop_board.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "heddle/pool/internal/shared_loop.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace pool_internal {

// That a worker is on its way, or watches; until its task has ended, or been
// dropped.
class LoopBoard::Invitation {
 public:
  explicit Invitation(std::shared_ptr<LoopBoard> board)
      : board_(std::move(board)) {}
  Invitation(Invitation&&) = default;
  Invitation& operator=(Invitation&&) = delete;
  ~Invitation() {
    if (board_ != nullptr)
      board_->invited_.store(false, std::memory_order_relaxed);
  }

  void operator()() const { board_->Watch(); }

 private:
  std::shared_ptr<LoopBoard> board_;
};

bool LoopBoard::TryRun(const SharedLoop::Work& work,
                       std::exception_ptr& error) {
  if (owned_.load(std::memory_order_relaxed) ||
      owned_.exchange(true, std::memory_order_acquire)) {  // (B1), [OWN]
    return false;
  }
  // Also where the body ends the thread.
  const absl::Cleanup disown = [this] {
    owned_.store(false, std::memory_order_release);  // [OWN]
  };
  loop_.Open(work);
  error = loop_.Run();
  return true;
}

void LoopBoard::Missed(WorkerPool& pool, int64_t started) {
  const int64_t last = last_missed_.load(std::memory_order_relaxed);
  if (started == last) return;  // looks at the same loop
  const int before = started - last > kStreamNanos
                         ? 0
                         : stream_.load(std::memory_order_relaxed);
  const int stream = std::min(before + 1, kStream);
  last_missed_.store(started, std::memory_order_relaxed);
  stream_.store(stream, std::memory_order_relaxed);
  if (stream < kStream || invited_.load(std::memory_order_relaxed)) return;
  // No static: see at_fork.h. It comes once for each stream of loops.
  if (internal::UsableCpus() == 1 ||
      invited_.exchange(true, std::memory_order_relaxed))
    return;
  // Without memory, or in a pool that has been shut down meanwhile, nobody comes.
  // ScheduleMany() never waits for room in the queue.
  static_cast<void>(internal::CatchAll([&] {
    TaskQueue tasks;
    tasks.Push(Task(Invitation(shared_from_this())));
    static_cast<void>(pool.ScheduleMany(tasks));
  }));
}

void LoopBoard::Watch() {
  watched_.store(true, std::memory_order_relaxed);
  bool helped = false;
  for (unsigned looks = 0; LooksForLoop(looks); helped = true) Help();
  watched_.store(false, std::memory_order_relaxed);
  // Loops that go on are worth the next watcher at once; otherwise this one has
  // come in vain.
  if (helped)
    last_missed_.store(internal::Clock::Now(), std::memory_order_relaxed);
  stream_.store(helped ? kStream : 0, std::memory_order_relaxed);
}

// True if there is a loop to be helped with. One look in eight is whether the
// worker is wanted, also while loops come: `looks` counts.
bool LoopBoard::LooksForLoop(unsigned& looks) const {
  const internal::SpinTurn turn;
  for (int i = 0; turn && i < kLooks; ++i) {
    if (++looks % 8 == 0 && WorkerPool::IsWorkerWanted()) return false;
    if (loop_.HasPieces()) return true;
    internal::SpinPause();
  }
  return false;
}

}  // namespace pool_internal
}  // namespace heddle
