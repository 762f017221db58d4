#include "heddle/queue/internal/done_count.h"

#include <cstddef>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"

namespace heddle {
namespace queue_internal {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

bool DoneCount::AddLast(size_t& seen) {
  WakeList woken;
  ParkingSpot spot(this);
  if (!word_.compare_exchange_strong(seen, (seen & ~kAwaited) + kOne,
                                     std::memory_order_seq_cst,
                                     std::memory_order_acquire)) {  // [DONE]
    return false;
  }
  spot.WakeAll(woken);  // (D1), (D2): a spot is no part of the object
  return true;
}

void DoneCount::AddUpTo(size_t count, size_t puts, WakeList& woken) {
  ParkingSpot spot(this);
  // relaxed: the exchange checks it.
  size_t seen = word_.load(std::memory_order_relaxed);
  bool is_all = false;
  size_t next = 0;
  do {
    const size_t left = Left(seen, puts);
    is_all = kOne * count >= left;
    next = is_all ? kOne * puts : seen + kOne * count;
  } while (!word_.compare_exchange_weak(seen, next, std::memory_order_seq_cst,
                                        std::memory_order_relaxed));  // [DONE]
  if (is_all) spot.WakeAll(woken);                                    // (D1)
}

bool DoneTurn::Queue(Waiter& waiter) {
  ParkingSpot spot(&done_);
  // relaxed: the exchange checks it, and is_done_() acquires.
  size_t seen = done_.word_.load(std::memory_order_relaxed);
  do {
    if (is_done_()) return false;
  } while (!done_.word_.compare_exchange_weak(
      seen, seen | DoneCount::kAwaited, std::memory_order_relaxed));  // (D1)
  spot.Add(waiter);
  return true;
}

}  // namespace queue_internal
}  // namespace heddle
