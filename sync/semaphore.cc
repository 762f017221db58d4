#include "heddle/sync/semaphore.h"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

int64_t Semaphore::ThrowNegative() {
  internal::Throw(std::invalid_argument(
      "Semaphore: the initial value must not be negative"));
}

void Semaphore::Await() { Await(WaitLimit()); }

bool Semaphore::Await(const WaitLimit& limit) {
  const WaitLimit started = limit.Started();
  if (started.deadline().IsPast()) return false;
  Waiter waiter;
  {
    ParkingSpot spot(this);
    // relaxed: the exchange checks it, or (S2).
    int64_t seen = word_.load(std::memory_order_relaxed);
    while (seen != kQueued) {
      if (word_.compare_exchange_weak(
              seen, seen > 0 ? seen - 1 : kQueued, std::memory_order_acquire,
              std::memory_order_relaxed)) {  // [RELEASE]
        if (seen > 0) return true;
        break;
      }
    }
    spot.Add(waiter);  // (S1), (S2)
  }
  // Woken means that a unit was handed over (S3).
  return waiter.Sleep(started) || TryAcquire();
}

void Semaphore::ThrowRefused(const Bound& bound, int64_t value, int64_t count) {
  if (count < 1) {
    internal::Throw(std::invalid_argument(absl::StrCat(
        "Semaphore::Release: the count must be one or more, not ", count)));
  }
  if (!bound.is_given) {
    internal::Throw(std::overflow_error(absl::StrCat(
        "Semaphore::Release: ", value, " + ", count, " is over 2^63 - 1")));
  }
  internal::Throw(std::invalid_argument(absl::StrCat(
      "BoundedSemaphore::Release: released too many times: ", value, " + ",
      count, " is over ", bound.most)));
}

void Semaphore::ReleaseSlow(const Bound& bound, int64_t count) {
  const int64_t value = Serve(bound, count);
  if (value != kServed) ThrowRefused(bound, value, count);
}

// Releases `count` units and returns kServed, or changes nothing and returns
// the value with which they would be too many.
int64_t Semaphore::Serve(const Bound& bound, int64_t count) {
  WakeList woken;
  ParkingSpot spot(this);
  // relaxed: the exchange checks it, or (S2).
  int64_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const int64_t value = seen == kQueued ? 0 : seen;
    if (count < 1 || count > bound.most - value) return value;
    if (seen == kQueued) break;
    if (word_.compare_exchange_weak(seen, seen + count,
                                    std::memory_order_release,
                                    std::memory_order_relaxed)) {  // [RELEASE]
      return kServed;
    }
  }
  const auto served =
      static_cast<int64_t>(spot.Wake(static_cast<size_t>(count), woken));
  const int64_t next = spot.HasWaiters() ? kQueued : count - served;
  word_.store(next, std::memory_order_release);  // [RELEASE], (S1), (S3)
  return kServed;
}

std::string Semaphore::DebugString() const {
  const size_t waiters = internal::CountWaitersAt(this);
  return absl::StrCat("Semaphore(value=", value(), ", waiters=", waiters, ")");
}

std::ostream& operator<<(std::ostream& out, const Semaphore& semaphore) {
  return out << semaphore.DebugString();
}

std::string BoundedSemaphore::DebugString() const {
  const size_t waiters = internal::CountWaitersAt(&semaphore_);
  return absl::StrCat("BoundedSemaphore(value=", value(), "/", bound_,
                      ", waiters=", waiters, ")");
}

std::ostream& operator<<(std::ostream& out, const BoundedSemaphore& semaphore) {
  return out << semaphore.DebugString();
}

}  // namespace heddle
