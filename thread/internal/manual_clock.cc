#include "heddle/thread/internal/manual_clock.h"

#include <cstddef>
#include <cstdint>
#include <thread>

#include "absl/time/time.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/futex.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace internal {

int64_t ManualClock::Now() {
  LockGuard guard(lock_);
  return now_;
}

bool ManualClock::Wait(Atomic<uint32_t>& word, uint32_t expected,
                       Deadline deadline) {
  lock_.lock();
  if (now_ >= deadline.nanos()) {
    lock_.unlock();
    return false;
  }
  const auto self = sleepers_.insert(sleepers_.end(), Sleeper{&word, deadline});
  lock_.unlock();

  // A wake-up by Advance() changes no word, so it can come before the sleep and
  // be missed; Advance() repeats it until this sleeper is gone from the list.
  FutexWait(word, expected, Deadline::Never());

  lock_.lock();
  sleepers_.erase(self);
  const bool in_time = now_ < deadline.nanos();
  lock_.unlock();
  return in_time;
}

void ManualClock::Advance(absl::Duration step) {
  lock_.lock();
  now_ += absl::ToInt64Nanoseconds(step);
  for (;;) {
    bool due = false;
    for (const Sleeper& sleeper : sleepers_) {
      if (sleeper.deadline.nanos() > now_) continue;
      due = true;
      FutexWakeAll(sleeper.address);
    }
    lock_.unlock();
    if (!due) return;
    std::this_thread::yield();
    lock_.lock();
  }
}

void ManualClock::AwaitSleepers(size_t count) {
  for (;;) {
    lock_.lock();
    const bool enough = sleepers_.size() >= count;
    lock_.unlock();
    if (enough) return;
    std::this_thread::yield();
  }
}

}  // namespace internal
}  // namespace heddle
