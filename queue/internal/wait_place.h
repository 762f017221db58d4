// WaitPlace: somewhere to wait, alone or together with other places.

#ifndef HEDDLE_QUEUE_INTERNAL_WAIT_PLACE_H_
#define HEDDLE_QUEUE_INTERNAL_WAIT_PLACE_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {

// One thread's wait, as it is seen from one of the things it waits for.
class WaitPlace {
 public:
  // Whether a try is worth it.
  virtual bool IsReady() const = 0;

  // Puts `waiter` into the queue of those who wait here, unless a try is worth
  // it: then returns false.
  virtual bool Queue(internal::Waiter& waiter) = 0;

  // It was here that the wait was ended by a wake-up, with that message.
  virtual void Woken(uint32_t message) = 0;

 protected:
  ~WaitPlace() = default;
};

// At so many places at most can a thread wait at once.
inline constexpr size_t kMaxPlaces = 16;

// Waits until a try is worth it at one of the places, and returns true, or
// returns false if `started` has ended the wait. At most one place is told that
// the wake-up was its own. It pauses `first_look` times, awake, before its first
// look. REQUIRES: one place at least, and at most kMaxPlaces.
bool AwaitAny(absl::Span<WaitPlace* const> places, const WaitLimit& started,
              int first_look);

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_WAIT_PLACE_H_
