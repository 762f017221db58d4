#include "heddle/pool/internal/result_state.h"

#include <cstdint>
#include <exception>
#include <utility>

#include "heddle/pool/errors.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace pool_internal {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

bool ResultState::LeavePending(State next) noexcept {
  // relaxed: the exchange checks it.
  uint32_t seen = word_.load(std::memory_order_relaxed);
  while (StateOf(seen) == kPending) {
    // A cancelled state is final, and all who wait are woken below: the bit
    // goes.
    const uint32_t bit = next == kRunning ? seen & kQueued : 0;
    if (word_.compare_exchange_weak(seen, next | bit,
                                    std::memory_order_release,  // [DONE]
                                    std::memory_order_relaxed)) {
      if (next == kCancelled) {
        // Those who wait first: they are what the callable's destructor, a
        // user's code, may be waiting for.
        if ((seen & kQueued) != 0) WakeAll();
        DestroyCallable();
      }
      return true;
    }
  }
  return false;
}

bool ResultState::TryStart() noexcept { return LeavePending(kRunning); }

void ResultState::Drop(std::exception_ptr why) noexcept {
  if (why == nullptr) {
    Cancel();
  } else if (TryStart()) {
    error_ = std::move(why);
    DestroyCallable();
    Finish();
  }
  Unref();
}

bool ResultState::Cancel() noexcept {
  // The callable may own the handle that the caller came by, and those who are
  // woken may destroy it.
  Ref();
  const bool cancelled = LeavePending(kCancelled) || Cancelled();
  Unref();
  return cancelled;
}

void ResultState::Finish() noexcept { End(kFinished); }

void ResultState::FinishCancelled() noexcept { End(kCancelled); }

void ResultState::End(State state) noexcept {
  const uint32_t seen =
      word_.exchange(state, std::memory_order_release);  // [DONE]
  if ((seen & kQueued) != 0) WakeAll();
}

// The caller holds a reference, so the word is there: unlike a Lock, a future
// cannot be destroyed by those who are woken while this goes on.
void ResultState::WakeAll() noexcept {
  WakeList woken;
  ParkingSpot spot(&word_);
  spot.WakeAll(woken);
}

bool ResultState::WaitSlow(const WaitLimit& limit) {
  // A worker that wants what is still queued in its own pool runs it here: in
  // the queue it might wait for this very worker. Nobody else's task, and only
  // for who would wait without end: a run has no limit.
  const WaitLimit started = limit.Started();
  if (pool() != 0 && pool() == internal::ThisThread().pool &&
      started.deadline().IsNever() && !started.stop_token().stop_possible() &&
      RunHere() && Done()) {
    return true;
  }
  Waiter waiter;
  {
    ParkingSpot spot(&word_);
    uint32_t seen = word_.load(std::memory_order_acquire);  // [DONE]
    do {
      if (IsFinal(seen)) return true;
    } while ((seen & kQueued) == 0 &&
             !word_.compare_exchange_weak(
                 seen, seen | kQueued, std::memory_order_acquire));  // [DONE]
    spot.Add(waiter);
  }
  waiter.Sleep(started);
  return Done();
}

const std::exception_ptr& ResultState::AwaitError(const WaitLimit& limit) {
  if (!Wait(limit)) {
    internal::Throw(
        TimeoutError("Future: the limit passed before the work had ended"));
  }
  if (Cancelled()) {
    internal::Throw(CancelledError("Future: cancelled before it began to run"));
  }
  return error_;
}

void ResultState::AwaitResult(const WaitLimit& limit) {
  if (const std::exception_ptr& error = AwaitError(limit); error != nullptr) {
    internal::Rethrow(error);
  }
}

}  // namespace pool_internal
}  // namespace heddle
