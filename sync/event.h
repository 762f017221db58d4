// Event: a flag that threads can wait for, in four bytes.
//
// Set() sets it and releases everybody who waits; it stays set until Clear().
// For a value that is computed once, prefer a Future.
//
// Example:
//
//   Event ready;
//   Thread server([&] { Listen(); ready.Set(); Serve(); });
//   server.Start();
//   if (!ready.Wait(absl::Seconds(5))) return Error("no server");
//
// Set() followed at once by Clear() still releases everyone who was waiting: a
// wait that was under way at the Set() returns true, whatever comes after.
// (Python: threading.Event; is_set() is IsSet() here.)
//
// Thread safety: all methods, but none from a signal handler. Destroying the
// event as soon as a Wait() has returned true is safe, also when the Set() that
// caused it has not yet returned. Memory ordering: what came before a Set() is
// visible after the Wait() and the IsSet() that return true because of it, and
// after a Clear() that undoes it.

#ifndef HEDDLE_SYNC_EVENT_H_
#define HEDDLE_SYNC_EVENT_H_

#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
class Waiter;
}

class Event {
 public:
  // Not set.
  constexpr Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // True if the event is set.
  [[nodiscard]] bool IsSet() const {
    return (word_.load(std::memory_order_acquire) & kSet) != 0;  // [SET]
  }

  // Sets the event and releases everybody who waits. Setting it twice is fine.
  void Set();

  // Makes the event unset again. Clearing it twice is fine.
  void Clear();

  // Waits until the event is set, within `limit`: true if it is or was set,
  // false if the limit passed first. Returns at once if the event is set.
  // Without a limit it is always true.
  [[nodiscard]] bool Wait(const WaitLimit& limit) {
    return ABSL_PREDICT_TRUE(IsSet()) || WaitSlow(limit);
  }
  bool Wait() { return ABSL_PREDICT_TRUE(IsSet()) || WaitSlow(WaitLimit()); }

  // For those who implement a wait on several things: puts `waiter` into the queue
  // of those who wait for the event, or returns false if it is set.
  bool Queue(internal::Waiter& waiter);

  // For logs and debuggers: whether it is set, and how many threads wait.
  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out, const Event& event);

 private:
  // Two bits: kSet, the flag; kQueued, threads may be queued.
  //   (E1) while anybody is queued for this event, kQueued is set. Legal to be
  //        set when nobody is queued; illegal to be clear when somebody is.
  //   (E2) kQueued changes, and threads are queued, only with the parking spot
  //        of this event held, and nobody is queued while kSet is set.
  //   [SET] release of word_ in Set() -> acquire in Wait(), IsSet(), Clear().
  //        Set() writes the word even if kSet is set already, so that the edge
  //        exists for each Set(). It is the last touch of the object.
  static constexpr uint32_t kSet = 1;
  static constexpr uint32_t kQueued = 2;

  bool WaitSlow(const WaitLimit& limit);

  internal::Atomic<uint32_t> word_{0};
};

static_assert(sizeof(Event) == 4);

}  // namespace heddle

#endif  // HEDDLE_SYNC_EVENT_H_
