// PerThread: everything that Heddle keeps for each thread, in one place.
//
// ThisThread() is the only way to it. Whoever runs several of Heddle's threads
// on one of the system's (a model scheduler, with fibers) has just this one
// struct to swap. It is constant-initialised and has no destructor, so that it
// can be used at any time in a thread's life, also while its thread_local
// objects are destroyed, and reading it is a load without a call.

#ifndef HEDDLE_THREAD_INTERNAL_PER_THREAD_H_
#define HEDDLE_THREAD_INTERNAL_PER_THREAD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace heddle {
namespace pool_internal {
class NestedCalls;
class RunningCall;
struct LoopGuest;
}  // namespace pool_internal
namespace sync_internal {
struct RunningAction;
}  // namespace sync_internal

namespace internal {

class BlockListener;
class ThreadRecord;
struct LocalFrame;
struct LocalSlot;
struct LocalValue;

struct PerThread {
  // ThreadId(): the system's id. 0: not asked for yet.
  uint32_t native_id = 0;
  // Whether it has called fork(): in the child, until that is noticed. And
  // whether it is the system's main thread, at its last fork() (at_fork.cc).
  bool forks = false;
  bool forks_as_main = false;
  // True while the thread's end will call EndThread() (per_thread.cc).
  bool end_is_armed = false;
  // CurrentIdent(): Heddle's number of the thread. 0: none yet.
  uint64_t ident = 0;
  // Where SelectGet() begins to look: a number that changes with each look.
  uint64_t select_start = 1;
  // Whether it has woken one that slept: see HasJustWoken() in spin.h.
  bool has_woken = false;
  // Whether it holds a ParkingSpot, and how many windows it is in: counted where
  // HEDDLE_WINDOWS is defined, see window.h.
  bool has_spot = false;
  uint32_t windows = 0;
  // Where it says whether it sleeps in a Waiter; null: nowhere.
  std::atomic<bool>* waits = nullptr;
  // Who is told when this thread has to wait for long; null: nobody.
  BlockListener* block_listener = nullptr;
  // The number of the pool whose worker this thread is, 0: of none; and, while
  // it works, that worker, for the pool only.
  uint64_t pool = 0;
  void* worker = nullptr;
  // The innermost call here that somebody may wait for, and the innermost of
  // those that came of a result; null: none.
  const pool_internal::RunningCall* running_call = nullptr;
  pool_internal::NestedCalls* nested_calls = nullptr;
  // The innermost loop of another thread that it helps with; null: none.
  pool_internal::LoopGuest* loop_guest = nullptr;
  // The bounds of its stack; 0: not asked for yet.
  uintptr_t stack_low = 0;
  uintptr_t stack_high = 0;
  // Whose stack this one is in place of: that thread does nothing but wait for
  // this one's end. Null: nobody's.
  const PerThread* stands_in_for = nullptr;
  // The innermost action of a Barrier that runs here; null: none.
  const sync_internal::RunningAction* running_action = nullptr;
  // Who this is; a reference. Null: a thread of somebody else's, not met yet.
  ThreadRecord* record = nullptr;

  // This thread's values of each Local: see local_core.h.
  LocalSlot* local_slots = nullptr;
  size_t local_slot_count = 0;
  LocalValue* local_values = nullptr;  // guarded by the lock of local_core.cc
  LocalValue* local_ending = nullptr;  // guarded by it too: those of EndRound()
  LocalFrame* local_frames = nullptr;  // what is being made or destroyed here

  // What is to be done at the end of the thread, in this order.
  void (*end_locals)(PerThread& thread) = nullptr;
  void (*end_record)(PerThread& thread) = nullptr;
};

#ifdef HEDDLE_MODEL
// Under --config=model all threads are one of the system's.
PerThread& ThisThread();
#else
extern constinit thread_local PerThread per_thread;

inline PerThread& ThisThread() { return per_thread; }
#endif

// Lets the two functions above run at the end of the calling thread, whose
// state `thread` is: after its thread_local objects are destroyed (where the
// system has it so: glibc), and again should it be armed once more by then. A
// process's exit() is not the end of its main thread.
void ArmThreadEnd(PerThread& thread);

// What the system calls at the end of a thread whose end is armed. `opaque` is
// its PerThread.
void EndThread(void* opaque);

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_PER_THREAD_H_
