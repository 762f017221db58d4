#include "heddle/pool/internal/shared_loop.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>

#include "heddle/pool/internal/endless_wait.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/thread/internal/atomic.h"
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

void SharedLoop::DoPieces() {
  const Work work = work_;
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
    int64_t at = first;
    std::exception_ptr error = internal::CatchAll(
        [&] { work.body(work.context, first, first + piece, at); });
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
  DoPieces();
  // Pieces are small at the end, so a guest is out soon, as a rule.
  const auto alone = [this] {
    return present_.load(std::memory_order_relaxed) == 1;  // relaxed: a hint
  };
  if (!alone()) static_cast<void>(internal::LookMoreRarely(1, alone));
  if (present_.fetch_sub(1, std::memory_order_acq_rel) > 1) {  // [OUT]
    const EndlessWait wait(this, EndlessWait::IfRing::kTellAnother);
    all_out_.Wait();  // [SET]
    all_out_.Clear();
  }
  return thrown_.Take();
}

void SharedLoop::Help() {
  // relaxed: it only decides whether to try.
  int present = present_.load(std::memory_order_relaxed);
  do {
    if (present == 0) return;  // (L1)
  } while (!present_.compare_exchange_weak(present, present + 1,
                                           std::memory_order_acquire,  // [OPEN]
                                           std::memory_order_relaxed));
  {
    const RunningCall running(this);
    DoPieces();
  }
  if (present_.fetch_sub(1, std::memory_order_acq_rel) == 1)  // [OUT]
    all_out_.Set();
}

}  // namespace pool_internal
}  // namespace heddle
