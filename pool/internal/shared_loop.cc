#include "heddle/pool/internal/shared_loop.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/endless_wait.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace pool_internal {

void SharedLoop::Open(const Work& work) {
  work_ = work;
  // relaxed: for guests [OPEN] orders it.
  left_.store(work.end - work.begin, std::memory_order_relaxed);
  present_.store(1, std::memory_order_release);  // [OPEN]
}

// Where a thread is in a loop that it helps with: for a fork().
struct LoopGuest {
  LoopGuest() { internal::ThisThread().loop_guest = this; }
  LoopGuest(const LoopGuest&) = delete;
  LoopGuest& operator=(const LoopGuest&) = delete;
  ~LoopGuest() { internal::ThisThread().loop_guest = outer; }

  LoopGuest* const outer = internal::ThisThread().loop_guest;
  const uint32_t forks = internal::Forks();
  int64_t at = 0;
};

namespace {

constinit internal::AtFork at_fork([] {
  for (LoopGuest* guest = internal::ThisThread().loop_guest; guest != nullptr;
       guest = guest->outer) {
    guest->at = SharedLoop::kBeyondAll;
  }
});

}  // namespace

void SharedLoop::DoPieces(LoopGuest* guest) {
  const Work work = work_;
  int64_t at_of_caller = 0;
  int64_t& at = guest != nullptr ? guest->at : at_of_caller;
  // relaxed throughout: claims, (L2). What the body reads came before [OPEN].
  int64_t left = left_.load(std::memory_order_relaxed);
  while (left > 0) {
    const int64_t piece = std::min(
        left, std::max(work.least, std::min(work.most, left / work.share)));
    if (!left_.compare_exchange_weak(left, left - piece,
                                     std::memory_order_relaxed)) {
      continue;
    }
    const int64_t first = work.end - left;
    at = first;
    std::exception_ptr error = internal::CatchAll(
        [&] { work.body(work.context, first, first + piece, at); });
    if (guest != nullptr && guest->forks != internal::Forks()) return;
    if (error != nullptr) {
      // No piece is begun any more; those before this one have been.
      left_.store(0, std::memory_order_relaxed);
      thrown_.Add(at, std::move(error));
      return;
    }
    left = left_.load(std::memory_order_relaxed);
  }
}

std::exception_ptr SharedLoop::Run() {
  const uint32_t forks = internal::Forks();
  std::exception_ptr error;
  bool all_out = false;
  {
    // Also where the body ends the thread: what the guests use lies on its stack.
    const absl::Cleanup close = [&] {
      all_out = Close(forks);
      if (all_out) error = thrown_.Take();
    };
    DoPieces(nullptr);
  }
  if (!all_out) {
    internal::Throw(BrokenExecutor(
        "ForRange: in the child of a fork() the threads are lost "
        "that were at a part of the loop"));
  }
  return error;
}

bool SharedLoop::Close(uint32_t forks) {
  // relaxed: as all claims.
  left_.store(0, std::memory_order_relaxed);
  // Pieces are small at the end, so a guest is out soon, as a rule.
  const auto alone = [this] {
    return present_.load(std::memory_order_relaxed) == 1;  // relaxed: a hint
  };
  // relaxed: there is one thread, and guests that are inside are lost.
  if (forks != internal::Forks())
    return present_.exchange(0, std::memory_order_relaxed) == 1;
  if (!alone()) static_cast<void>(internal::LookMoreRarely(1, alone));
  if (present_.fetch_sub(1, std::memory_order_acq_rel) > 1) {  // [OUT]
    const EndlessWait wait(this, EndlessWait::IfRing::kTellAnother);
    all_out_.Wait();  // [SET]
    all_out_.Clear();
  }
  return true;
}

void SharedLoop::Help() {
  at_fork.Follow();
  // relaxed: it only decides whether to try.
  int present = present_.load(std::memory_order_relaxed);
  do {
    if (present == 0) return;  // (L1)
  } while (!present_.compare_exchange_weak(present, present + 1,
                                           std::memory_order_acquire,  // [OPEN]
                                           std::memory_order_relaxed));
  LoopGuest guest;
  {
    const RunningCall running(this);
    DoPieces(&guest);
  }
  if (guest.forks != internal::Forks()) {
    // relaxed: there is one thread. A watcher is to see no pieces.
    left_.store(0, std::memory_order_relaxed);
    present_.store(0, std::memory_order_relaxed);
    return;
  }
  if (present_.fetch_sub(1, std::memory_order_acq_rel) == 1)  // [OUT]
    all_out_.Set();
}

}  // namespace pool_internal
}  // namespace heddle
