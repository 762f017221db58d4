#include "heddle/pool/internal/result_state.h"

#include <cstdint>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/endless_wait.h"
#include "heddle/pool/internal/in_place.h"
#include "heddle/pool/internal/nested_calls.h"
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

const char ResultState::kManyRunners[] = "";

bool IsEndless(const WaitLimit& started) {
  return started.deadline().IsNever() && !started.stop_token().stop_possible();
}

ResultState::State ResultState::Change(State from, State to) noexcept {
  // relaxed: the exchange checks it.
  uint32_t seen = word_.load(std::memory_order_relaxed);
  while (StateOf(seen) == from) {
    // In a final state nobody waits any more: the bit goes.
    const uint32_t bit = IsFinal(to) ? 0 : seen & kQueued;
    if (word_.compare_exchange_weak(seen, to | bit,
                                    std::memory_order_acq_rel,  // [DONE], [SET]
                                    std::memory_order_relaxed)) {
      if (IsFinal(to) && (seen & kQueued) != 0) Announce();
      return from;
    }
  }
  return StateOf(seen);
}

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
  // told may destroy it.
  Ref();
  const State before = Change(kPending, kCancelled);
  if (before == kPending) {
    // After those who wait have been told: they are what the callable's
    // destructor, a user's code, may be waiting for.
    NestedCalls::DestroyRest(*this);
  } else {
    Unref();
  }
  return before == kPending || before == kCancelled;
}

void ResultState::DestroyRest() noexcept {
  if (Cancelled()) {
    DestroyCallable();
  } else {
    DestroyResult();
  }
  Unref();
}

void ResultState::Finish() noexcept { End(kFinished); }

void ResultState::FinishCancelled() noexcept { End(kCancelled); }

void ResultState::End(State state) noexcept {
  const uint32_t seen =
      word_.exchange(state, std::memory_order_release);  // [DONE]
  if ((seen & kQueued) != 0) Announce();
}

// Tells all who wait. The caller holds a reference, so the state is there:
// unlike a Lock, it cannot be destroyed by those who are told while this goes
// on.
void ResultState::Announce() noexcept {
  ResultHook* hook = nullptr;
  {
    WakeList woken;
    ParkingSpot spot(&word_);
    spot.WakeAll(woken);
    hook = hooks_;
    hooks_ = nullptr;
    if (hook != nullptr) hook->previous_->next_ = nullptr;  // a ring no more
    for (ResultHook* at = hook; at != nullptr; at = at->next_)
      at->listed_ = false;
  }
  while (hook != nullptr) {
    ResultHook* const next = hook->next_;
    hook->Completed();
    hook = next;
  }
}

// Sees to it that who makes the state final looks for those who wait; false if
// it is final. REQUIRES: the parking spot of word_ is held until that one would
// find something.
bool ResultState::MarkQueued() noexcept {
  uint32_t seen = word_.load(std::memory_order_acquire);  // [DONE]
  do {
    if (IsFinal(seen)) return false;
  } while ((seen & kQueued) == 0 &&
           !word_.compare_exchange_weak(seen, seen | kQueued,
                                        std::memory_order_acquire));  // [DONE]
  return true;
}

bool ResultState::AddHook(ResultHook& hook, Place place) noexcept {
  ParkingSpot spot(&word_);
  if (!MarkQueued()) return false;
  hook.listed_ = true;
  if (hooks_ == nullptr) {
    hook.next_ = &hook;
    hook.previous_ = &hook;
    hooks_ = &hook;
    return true;
  }
  ResultHook* const first = hooks_;
  hook.next_ = first;
  hook.previous_ = first->previous_;
  first->previous_->next_ = &hook;
  first->previous_ = &hook;
  if (place == Place::kFirst) hooks_ = &hook;
  return true;
}

bool ResultState::RemoveHook(ResultHook& hook) noexcept {
  ParkingSpot spot(&word_);
  if (!hook.listed_) return false;
  hook.listed_ = false;
  hook.previous_->next_ = hook.next_;
  hook.next_->previous_ = hook.previous_;
  if (hooks_ == &hook) hooks_ = hook.next_ == &hook ? nullptr : hook.next_;
  return true;
}

bool ResultState::RunInPlace() {
  if (pool() == 0 || pool() != internal::ThisThread().pool || !CanRunHere())
    return false;
  return RunWithStack([this] { return RunFromHere(); });
}

bool ResultState::RunFromHere() noexcept {
  const NestedCalls::Afresh afresh;  // RunInPlace() looks after the stack
  return RunHere();
}

bool ResultState::WaitSlow(const WaitLimit& limit) {
  const WaitLimit started = limit.Started();
  if (!IsEndless(started)) {
    while (Park(started)) {  // woken, but perhaps for another: see EndlessWait
      if (Done()) return true;
    }
    return Done();
  }
  // A worker that wants what is still queued in its own pool runs it here: in
  // the queue it might wait for this very worker. Nobody else's task, and only
  // for who would wait without end: a run has no limit.
  if (RunInPlace() && Done()) return true;
  EndlessWait wait(*this);
  ParkUntilDone(wait);
  return true;
}

void ResultState::WaitToEnd() noexcept {
  if (Done()) return;
  bool ran = false;
  // Without a thread to go on in there is still half of the stack.
  if (internal::CatchAll([&] { ran = RunInPlace(); }) != nullptr)
    ran = RunFromHere();
  if (ran && Done()) return;
  EndlessWait wait(*this, EndlessWait::IfRing::kTellAnother);
  ParkUntilDone(wait);
}

void ResultState::ParkUntilDone(EndlessWait& wait) {
  const WaitLimit endless = WaitLimit().Started();
  for (;;) {
    Park(endless, &wait);
    if (Done()) return;
    wait.ThrowIfInRing();
  }
}

// Waits until it is done or this thread is woken; false if the limit passed.
bool ResultState::Park(const WaitLimit& started, EndlessWait* wait) {
  Waiter waiter;
  {
    ParkingSpot spot(&word_);
    if (!MarkQueued()) return true;
    if (wait != nullptr && wait->TakeTold()) return true;
    spot.Add(waiter);
  }
  return waiter.Sleep(started);
}

const std::exception_ptr& ResultState::AwaitError(const char* handle,
                                                  const WaitLimit& limit) {
  if (!Wait(limit)) {
    internal::Throw(TimeoutError(
        absl::StrCat(handle, ": the limit passed before the work had ended")));
  }
  if (Cancelled()) {
    internal::Throw(CancelledError(
        absl::StrCat(handle, ": the work was cancelled before it had ended")));
  }
  return error_;
}

void ResultState::AwaitResult(const char* handle, const WaitLimit& limit) {
  const std::exception_ptr& error = AwaitError(handle, limit);
  if (error != nullptr) internal::Rethrow(error);
}

}  // namespace pool_internal
}  // namespace heddle
