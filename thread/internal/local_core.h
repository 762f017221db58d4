// LocalCore: what a Local<T> is without its T.
//
// Each Local has a place, a number that is its index in every thread's array of
// slots. A slot says whose value it holds, so that a place can be used again: a
// slot left behind by a Local that has died names nobody that exists. Finding
// the calling thread's value is two loads and two comparisons.
//
//   (V1) a value is in two lists from LocalCore::Add() until somebody takes it
//        to destroy it: its Local's and its thread's. Who takes it takes it out
//        of both in one step, under the lock in local_core.cc; so each value is
//        destroyed once, by its thread's end or by its Local's.
//   (V2) a thread's slots are used by that thread only. A slot is emptied
//        before the thread's end destroys the value.
//   (V3) a value that a thread's end has taken is counted in its Local's
//        `ending_` until it is destroyed, and the Local's destructor waits for
//        that, except for those that the calling thread itself is in the middle
//        of. Their frames are then told that the Local is gone.
//   (V4) in the child of a fork(), the values of threads that it has not are in
//        no list and are not destroyed, as their thread_local objects are not.
//        So a Local's list and its `ending_` are of the process in which they
//        were changed last.

#ifndef HEDDLE_THREAD_INTERNAL_LOCAL_CORE_H_
#define HEDDLE_THREAD_INTERNAL_LOCAL_CORE_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/per_thread.h"

namespace heddle {
namespace internal {

class LocalCore;

// One thread's value of one Local; the T comes after it. The links are guarded
// by the lock in local_core.cc; `*link` is what points to this.
struct LocalValue {
  explicit LocalValue(void (*d)(LocalValue*) noexcept) : destroy(d) {}

  void (*const destroy)(LocalValue*) noexcept;  // ends the value, frees this
  LocalCore* core = nullptr;
  LocalValue* next_of_core = nullptr;
  LocalValue** link_of_core = nullptr;
  LocalValue* next_of_thread = nullptr;
  LocalValue** link_of_thread = nullptr;
};

struct LocalSlot {
  uint64_t owner = 0;  // LocalCore::number_; 0: nobody
  LocalValue* value = nullptr;
};

// A value that the calling thread is making or destroying; on its stack.
struct LocalFrame {
  LocalCore* core;  // null: it has died meanwhile
  bool making;
  LocalFrame* outer;
};

class LocalCore {
 public:
  LocalCore();
  LocalCore(const LocalCore&) = delete;
  LocalCore& operator=(const LocalCore&) = delete;
  // Destroys the values of all threads.
  ~LocalCore();

  // The calling thread's value, or null.
  LocalValue* Find() const {
    const PerThread& thread = ThisThread();
    if (ABSL_PREDICT_TRUE(index_ < thread.local_slot_count)) {
      const LocalSlot& slot = thread.local_slots[index_];
      if (ABSL_PREDICT_TRUE(slot.owner == number_)) return slot.value;
    }
    return nullptr;
  }

  // Gives the calling thread the value that `make(argument)` returns. Throws
  // what that throws, std::bad_alloc, or std::logic_error if this is called
  // within `make`; nothing has changed then.
  LocalValue* Make(LocalValue* (*make)(const void* argument),
                   const void* argument);

 private:
  friend struct LocalEnd;

  struct Place;  // an index, kept for the next Local when this one has died

  void Add(PerThread& thread, LocalValue& value);
  void BelongHere();
  bool IsEndingElsewhere() const;

  Place* const place_;
  const size_t index_;
  const uint64_t number_;  // never used again
  // Guarded by the lock in local_core.cc.
  LocalValue* values_ = nullptr;
  size_t ending_ = 0;   // (V3)
  uint32_t forks_ = 0;  // (V4): Forks() of the process that the two are of
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_LOCAL_CORE_H_
