// ThreadRegistry: the threads that are there, and which of them is this one.
//
// A thread that Heddle starts is in it from Start() until it is joined, or until
// its thread_local objects are destroyed if it is a daemon or let go; another
// thread from the moment it asks who it is until then; the main thread always.
// All of it is constant-initialised and never destroyed: daemon threads may run
// while the program's statics die.

#ifndef HEDDLE_THREAD_INTERNAL_THREAD_REGISTRY_H_
#define HEDDLE_THREAD_INTERNAL_THREAD_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/thread_record.h"

namespace heddle {
namespace internal {

class ThreadRegistry {
 public:
  enum class Admission {
    kAdmitted,
    kAdmittedAtExit,  // the process is ending and waits for this one too
    kRefused,         // the process no longer waits: too late
  };

  // Adds a thread that is about to start; the registry holds a reference.
  static Admission Add(ThreadRecord& record);
  // Takes it out again. Nothing if it is not in.
  static void Remove(ThreadRecord& record);
  // The calling thread, whose record it is, has ended: takes it out, unless who
  // joins it will, and tells those who wait for it.
  static void EndOf(ThreadRecord& record);

  // The main thread's record; and the calling thread's, which is made if it has
  // none. Both throw std::bad_alloc; a thread of Heddle's has one.
  static ThreadRecord& Main();
  static ThreadRecord& Current();

  // The threads that are alive, the main thread first, then as they came.
  static std::vector<RefPtr<ThreadRecord>> Alive();
  static size_t CountAlive();

  // For the end of the process (at_exit.h). BeginExit() is true the first time.
  // NextToStop() gives each thread that JoinsAtExit() once, NextToJoin() any
  // that is left; none and the registry is closed: Add() refuses from then on.
  // NextToName() gives each that is left and still runs once, and `waited_for`.
  // None gives the calling thread, nor one whose stand-in that is.
  static bool BeginExit();
  // For the child of a fork(): whether the calling thread has begun it.
  static bool IsExitingHere();
  static RefPtr<ThreadRecord> NextToStop();
  static RefPtr<ThreadRecord> NextToJoin();
  static RefPtr<ThreadRecord> NextToName(const ThreadRecord& waited_for);

  // In the child of a fork() the registry is as in a new process: the thread that
  // called fork() is the main one, under its own record if it has one, and there
  // is no other. See at_fork.h. This is internal::Forks().
  static uint32_t Forks() { return internal::Forks(); }

 private:
  friend struct ThreadRegistryReset;

  static void PushBack(ThreadRecord& record);
  static void Unlink(ThreadRecord& record);
  static void DropUnseenEnds();
  static bool HasEndedUnseen(const ThreadRecord& record);
  static bool IsWaitedForAtExit(const ThreadRecord& record);
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_THREAD_REGISTRY_H_
