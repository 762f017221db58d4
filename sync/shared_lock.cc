#include "heddle/sync/shared_lock.h"

#include <cstdint>
#include <optional>
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

// Takes the lock or, with the spot held, marks that somebody is about to queue.
bool SharedLock::TakeOrMark(uint32_t tag) {
  // relaxed: the exchange checks it, or (H2).
  uint32_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const bool mine =
        tag == kWriter ? seen == kFree : (seen & (kWriter | kQueued)) == 0;
    if (!mine && (seen & kQueued) != 0) return false;
    if (mine && seen >= kMostReaders) {
      internal::Throw(std::overflow_error(
          "SharedLock::lock_shared: 2^30 - 1 readers have the lock"));
    }
    if (word_.compare_exchange_weak(seen, mine ? seen + tag : seen | kQueued,
                                    std::memory_order_acquire,
                                    std::memory_order_relaxed)) {  // [UNLOCK]
      return mine;
    }
  }
}

void SharedLock::Queue(uint32_t tag) { Queue(tag, WaitLimit()); }

bool SharedLock::Queue(uint32_t tag, const WaitLimit& limit) {
  const WaitLimit started = limit.Started();
  if (started.deadline().IsPast()) return false;
  Waiter waiter(tag);
  {
    ParkingSpot spot(this);
    if (TakeOrMark(tag)) return true;
    spot.Add(waiter);  // (H1), (H2)
  }
  if (waiter.Sleep(started)) return true;  // handed over
  Leave();
  return tag == kWriter ? TakeToWrite() : TakeToRead();
}

// Hands the lock, held by `word` and nobody else, to all those at the head of
// the queue who can have it. Returns who holds it then, and whether any are left.
uint32_t SharedLock::Serve(uint32_t word, ParkingSpot& spot, WakeList& woken) {
  while (const std::optional<uint32_t> tag = spot.OldestTag()) {
    const bool can = *tag == kWriter
                         ? word == kFree
                         : (word & kWriter) == 0 && word < kMostReaders;
    if (!can) break;
    if (spot.WakeOldest(woken)) word += *tag;
  }
  return word | (spot.HasWaiters() ? kQueued : kFree);
}

// A waiter whose limit has passed may have been the oldest (H3): a writer, for
// example, behind whom readers waited to read with those who do.
void SharedLock::Leave() {
  WakeList woken;
  ParkingSpot spot(this);
  // relaxed: who is served needs to see what the last writer did, and that one
  // had this spot after them (H2), or they have read the word since.
  uint32_t seen = word_.load(std::memory_order_relaxed);
  if ((seen & kQueued) == 0 || (seen & kWriter) != 0) return;
  // Read by `seen / kReader` threads at least one of which stays until it gets
  // the spot (H2); so all that can be served are readers.
  const uint32_t held = seen & ~kQueued;
  const uint32_t next = Serve(held, spot, woken);
  const uint32_t served = (next & ~kQueued) - held;
  while (!word_.compare_exchange_weak(
      seen, ((seen & ~kQueued) + served) | (next & kQueued),
      std::memory_order_relaxed)) {
    // relaxed: that others have stopped reading is no news to readers.
  }
}

void SharedLock::UnlockSlow() {
  WakeList woken;
  ParkingSpot spot(this);
  // relaxed: a writer's own word. The fast path failed because somebody queued,
  // and nobody takes kQueued away while there is a writer (H2).
  if (word_.load(std::memory_order_relaxed) != (kWriter | kQueued)) {
    internal::Throw(std::logic_error("SharedLock::unlock: nobody writes"));
  }
  word_.store(Serve(kFree, spot, woken),
              std::memory_order_release);  // [UNLOCK]
}

void SharedLock::UnlockSharedSlow() {
  WakeList woken;
  ParkingSpot spot(this);
  // acquire: what the other readers did, for the writer who is next.
  uint32_t seen = word_.load(std::memory_order_acquire);  // [UNLOCK]
  while (seen != (kReader | kQueued)) {
    if (seen < kReader) {
      internal::Throw(
          std::logic_error("SharedLock::unlock_shared: nobody reads"));
    }
    if (word_.compare_exchange_weak(seen, seen - kReader,
                                    std::memory_order_release,
                                    std::memory_order_acquire)) {  // [UNLOCK]
      return;
    }
  }
  word_.store(Serve(kFree, spot, woken),
              std::memory_order_release);  // [UNLOCK]
}

std::string SharedLock::DebugString() const {
  const ParkingSpot spot(this);
  // relaxed: a snapshot.
  const uint32_t word = word_.load(std::memory_order_relaxed);
  return absl::StrCat("SharedLock(",
                      (word & kWriter) != 0 ? "one writer"
                      : word >= kReader
                          ? absl::StrCat("readers=", word / kReader)
                          : "unlocked",
                      ", waiters=", spot.CountWaiters(), ")");
}

std::ostream& operator<<(std::ostream& out, const SharedLock& lock) {
  return out << lock.DebugString();
}

}  // namespace heddle
