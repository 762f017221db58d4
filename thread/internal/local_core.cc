#include "heddle/thread/internal/local_core.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "absl/base/thread_annotations.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

struct LocalCore::Place {
  size_t index = 0;
  Place* next = nullptr;
};

namespace {

// A thread's end destroys its values in rounds, because destructors may make
// new ones. What is made in the last round stays until its Local ends.
constexpr int kRounds = 4;

// Constant-initialised and never destroyed, as all that threads may touch.
constinit RawLock lock;
constinit uint64_t last_number ABSL_GUARDED_BY(lock) = 0;
constinit size_t indexes ABSL_GUARDED_BY(lock) = 0;

// In these, `lock` is held.
void PushFront(LocalValue& value, LocalValue*& first,
               LocalValue* LocalValue::*next, LocalValue** LocalValue::*link) {
  value.*next = first;
  value.*link = &first;
  if (first != nullptr) first->*link = &(value.*next);
  first = &value;
}

void Unlink(LocalValue& value, LocalValue* LocalValue::*next,
            LocalValue** LocalValue::*link) {
  if (value.*link == nullptr) return;
  *(value.*link) = value.*next;
  if (value.*next != nullptr) value.*next->*link = value.*link;
  value.*link = nullptr;
}

void Take(LocalValue& value) {  // (V1)
  Unlink(value, &LocalValue::next_of_core, &LocalValue::link_of_core);
  Unlink(value, &LocalValue::next_of_thread, &LocalValue::link_of_thread);
}

// The slot of `index`, for which room is made if there is none.
LocalSlot& SlotAt(PerThread& thread, size_t index) {
  if (index >= thread.local_slot_count) {
    const size_t count =
        std::max({index + 1, 2 * thread.local_slot_count, size_t{8}});
    auto* const slots = new LocalSlot[count];
    std::copy_n(thread.local_slots, thread.local_slot_count, slots);
    delete[] thread.local_slots;
    thread.local_slots = slots;
    thread.local_slot_count = count;
  }
  return thread.local_slots[index];
}

// Pushes a frame for as long as it exists.
class Framed {
 public:
  Framed(PerThread& thread, LocalCore* core, bool making)
      : thread_(thread), frame_{core, making, thread.local_frames} {
    thread_.local_frames = &frame_;
  }
  Framed(const Framed&) = delete;
  Framed& operator=(const Framed&) = delete;
  ~Framed() { thread_.local_frames = frame_.outer; }

  LocalCore* core() const { return frame_.core; }

 private:
  PerThread& thread_;
  LocalFrame frame_;
};

}  // namespace

// The end of a thread's values, called by ArmThreadEnd().
struct LocalEnd {
  static AtFork at_fork;

  static void EndThread(PerThread& thread) {
    for (int round = 0; round < kRounds; ++round) {
      if (!EndRound(thread)) break;
    }
    {
      LockGuard guard(lock);
      while (LocalValue* const value = thread.local_values)
        Unlink(*value, &LocalValue::next_of_thread,
               &LocalValue::link_of_thread);
    }
    delete[] thread.local_slots;
    thread.local_slots = nullptr;
    thread.local_slot_count = 0;
  }

  // Destroys the values that are there, the newest first; false if there are
  // none.
  static bool EndRound(PerThread& thread) {
    LocalValue*& ending = thread.local_ending;
    {
      LockGuard guard(lock);
      ending = thread.local_values;
      if (ending == nullptr) return false;
      thread.local_values = nullptr;
      ending->link_of_thread = &ending;  // a Local's end may still take it out
    }
    while (EndOne(thread, ending)) {
    }
    return true;
  }

  static bool EndOne(PerThread& thread, LocalValue*& first) {
    LocalValue* value = nullptr;
    LocalCore* core = nullptr;
    {
      LockGuard guard(lock);
      value = first;
      if (value == nullptr) return false;
      Take(*value);
      core = value->core;
      ++core->ending_;                                 // (V3)
      thread.local_slots[core->index_] = LocalSlot();  // (V2)
    }
    Framed frame(thread, core, /*making=*/false);
    value->destroy(value);
    // Only this thread clears the frame's core, so this look needs no lock.
    if (frame.core() == nullptr) return true;
    WakeList woken;
    ParkingSpot spot(core);
    LockGuard guard(lock);
    --core->ending_;  // (V3); the last touch of the Local
    spot.WakeAll(woken);
    return true;
  }

  // For the child of a fork(): of each Local, the values are there that the
  // calling thread has, and the destructors that run in it (V4).
  static void ResetInChild() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock.ResetInChild();
    free_places = nullptr;  // they may have been in the middle of a change
    PerThread& thread = ThisThread();
    for (const LocalFrame* frame = thread.local_frames; frame != nullptr;
         frame = frame->outer) {
      if (frame->core == nullptr) continue;
      frame->core->BelongHere();
      if (!frame->making) ++frame->core->ending_;
    }
    for (LocalValue** const first :
         {&thread.local_values, &thread.local_ending}) {
      LocalValue** link = first;
      for (LocalValue* value = *first; value != nullptr;
           value = value->next_of_thread) {
        value->link_of_thread = link;
        link = &value->next_of_thread;
        value->core->BelongHere();
        PushFront(*value, value->core->values_, &LocalValue::next_of_core,
                  &LocalValue::link_of_core);
      }
    }
  }

  static LocalCore::Place* free_places ABSL_GUARDED_BY(lock);

  static LocalCore::Place* NewPlace() {
    at_fork.Follow();
    {
      LockGuard guard(lock);
      if (LocalCore::Place* const place = free_places; place != nullptr) {
        free_places = place->next;
        return place;
      }
    }
    auto* const place = new LocalCore::Place;  // kept for ever: used again
    LockGuard guard(lock);
    place->index = indexes++;
    return place;
  }

  static uint64_t NewNumber() {
    LockGuard guard(lock);
    return ++last_number;
  }
};

constinit AtFork LocalEnd::at_fork(&LocalEnd::ResetInChild);
constinit LocalCore::Place* LocalEnd::free_places = nullptr;

LocalCore::LocalCore()
    : place_(LocalEnd::NewPlace()),
      index_(place_->index),
      number_(LocalEnd::NewNumber()),
      forks_(Forks()) {}

// With `lock` held, or in the child of a fork(): drops what is the parent's
// (V4).
void LocalCore::BelongHere() {
  if (forks_ == Forks()) return;
  forks_ = Forks();
  values_ = nullptr;
  ending_ = 0;
}

LocalCore::~LocalCore() {
  // Values of threads that go on, or have not come to them.
  for (;;) {
    LocalValue* value = nullptr;
    {
      LockGuard guard(lock);
      BelongHere();
      value = values_;
      if (value == nullptr) break;
      Take(*value);
    }
    value->destroy(value);
  }
  while (IsEndingElsewhere()) {  // (V3)
    Waiter waiter;
    {
      ParkingSpot spot(this);
      if (!IsEndingElsewhere()) break;
      spot.Add(waiter);
    }
    waiter.Sleep(WaitLimit());
  }
  for (LocalFrame* frame = ThisThread().local_frames; frame != nullptr;
       frame = frame->outer) {
    if (frame->core == this) frame->core = nullptr;
  }
  LockGuard guard(lock);
  place_->next = LocalEnd::free_places;
  LocalEnd::free_places = place_;
}

bool LocalCore::IsEndingElsewhere() const {
  size_t here = 0;
  for (const LocalFrame* frame = ThisThread().local_frames; frame != nullptr;
       frame = frame->outer) {
    if (frame->core == this && !frame->making) ++here;
  }
  LockGuard guard(lock);
  return ending_ != here;
}

LocalValue* LocalCore::Make(LocalValue* (*make)(const void* argument),
                            const void* argument) {
  PerThread& thread = ThisThread();
  for (const LocalFrame* frame = thread.local_frames; frame != nullptr;
       frame = frame->outer) {
    if (frame->core == this && frame->making) {
      Throw(std::logic_error(
          "Local: the factory uses the Local that it makes a value for"));
    }
  }
  SlotAt(thread, index_);  // before anything is made: it may throw
  // From here on the thread's end will free the slots.
  thread.end_locals = &LocalEnd::EndThread;
  ArmThreadEnd(thread);
  LocalValue* value = nullptr;
  {
    const Framed frame(thread, this, /*making=*/true);
    value = make(argument);
  }
  Add(thread, *value);
  return value;
}

void LocalCore::Add(PerThread& thread, LocalValue& value) {
  value.core = this;
  thread.local_slots[index_] = {number_, &value};
  LockGuard guard(lock);
  BelongHere();
  PushFront(value, values_, &LocalValue::next_of_core,
            &LocalValue::link_of_core);
  PushFront(value, thread.local_values, &LocalValue::next_of_thread,
            &LocalValue::link_of_thread);
}

}  // namespace internal
}  // namespace heddle
