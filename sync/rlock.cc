#include "heddle/sync/rlock.h"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {

void RLock::ThrowNotOwned(const char* call) {
  internal::Throw(std::logic_error(
      absl::StrCat(call, ": this thread does not hold the lock")));
}

void RLock::ThrowTooDeep() {
  internal::Throw(std::overflow_error(
      "RLock::lock: this thread has taken the lock 2^32 - 1 times"));
}

uint32_t RLock::UnlockAll() {
  const uint32_t count = count_;
  count_ = 0;
  End();
  return count;
}

void RLock::LockAgain(uint32_t count, bool woken) {
  lock_.LockAgain(woken);
  Begin(Self());
  count_ = count;
}

std::string RLock::DebugString() const {
  // relaxed: a snapshot.
  const uint32_t owner = owner_.load(std::memory_order_relaxed);
  const size_t waiters = internal::CountWaitersAt(&lock_);
  return absl::StrCat(
      "RLock(",
      owner == kNobody ? "unlocked" : absl::StrCat("locked by thread ", owner),
      ", waiters=", waiters, ")");
}

std::ostream& operator<<(std::ostream& out, const RLock& lock) {
  return out << lock.DebugString();
}

}  // namespace heddle
