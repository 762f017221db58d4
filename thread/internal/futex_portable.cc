// Each address falls into one of a fixed table of slots, a mutex and a list of
// the sleepers there; each sleeper brings a condition of its own. One condition
// for all would be shorter, but glibc 2.36 still loses signals when several
// threads wait on one condition (BZ#25847); with one waiter each there is
// nobody to lose them to.
//
//   (F1) a slot's list changes only under its mutex.
//   (F2) a waiter compares the word and joins the list under one hold of the
//        mutex, so a waker that changed the word before it locked either is
//        seen by the comparison or finds the sleeper in the list.
//   (F3) a waker notifies while it holds the mutex, and a sleeper leaves its
//        frame only after it locked it again: no condition is notified after
//        its end. Slots are never destroyed.
//   (F4) nothing here allocates: a wait that ended because memory ran out would
//        leave its caller in queues that it believes it has left.

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <new>

#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/futex.h"
#include "heddle/thread/internal/no_cancel.h"

namespace heddle {
namespace internal {
namespace {

// Lies in the frame of the thread that sleeps (F3).
struct Sleeper {
  explicit Sleeper(const void* word) : address(word) {}

  const void* const address;
  bool woken = false;
  std::condition_variable condition;
  Sleeper* next = nullptr;  // in the slot's list
  Sleeper* previous = nullptr;
};

struct Slot {
  std::mutex mutex;
  Sleeper* first = nullptr;
  Sleeper* last = nullptr;

  void Append(Sleeper& sleeper) {
    sleeper.previous = last;
    (last != nullptr ? last->next : first) = &sleeper;
    last = &sleeper;
  }

  void Remove(Sleeper& sleeper) {
    (sleeper.previous != nullptr ? sleeper.previous->next : first) =
        sleeper.next;
    (sleeper.next != nullptr ? sleeper.next->previous : last) =
        sleeper.previous;
  }
};

// Constant-initialised (a std::mutex is), and as a union never destroyed (F3).
union Slots {
  constexpr Slots() : all{} {}
  ~Slots() {}
  std::array<Slot, 64> all;
};
constinit Slots slots;

// The child has none of the sleepers, and nobody unlocks what they held.
constinit AtFork at_fork([] {
  for (Slot& slot : slots.all) new (&slot) Slot;
});

Slot& SlotFor(const void* address) {
  at_fork.Follow();
  return slots.all[std::hash<const void*>()(static_cast<const char*>(address)) /
                   64 % slots.all.size()];
}

void Wake(const void* address, bool all) {
  Slot& slot = SlotFor(address);
  std::lock_guard<std::mutex> lock(slot.mutex);
  for (Sleeper* sleeper = slot.first; sleeper != nullptr;
       sleeper = sleeper->next) {
    if (sleeper->address != address || sleeper->woken) continue;
    sleeper->woken = true;
    sleeper->condition.notify_one();  // (F3)
    if (!all) return;
  }
}

}  // namespace

bool SystemFutexWait(Atomic<uint32_t>& word, uint32_t expected,
                     Deadline deadline) {
  const NoCancel no_cancel;  // a wait for a condition is where it would end
  Slot& slot = SlotFor(&word);
  std::unique_lock<std::mutex> lock(slot.mutex);
  // seq_cst, as the kernel's comparison is: the caller pairs it with a waker's
  // store that precedes its look for sleepers.
  if (word.load(std::memory_order_seq_cst) != expected) return true;  // (F2)
  Sleeper sleeper(&word);
  slot.Append(sleeper);
  bool in_time = true;
  if (deadline.IsNever()) {
    sleeper.condition.wait(lock);
  } else {
    const std::chrono::steady_clock::time_point until{
        std::chrono::nanoseconds(deadline.nanos())};
    in_time =
        sleeper.condition.wait_until(lock, until) == std::cv_status::no_timeout;
  }
  slot.Remove(sleeper);
  return in_time || sleeper.woken;
}

void FutexWakeOne(const void* address) { Wake(address, /*all=*/false); }
void FutexWakeAll(const void* address) { Wake(address, /*all=*/true); }

}  // namespace internal
}  // namespace heddle
