// PerThread of an ordinary build.

#include <pthread.h>

#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace internal {
namespace {

pthread_key_t MakeKey() {
  pthread_key_t key{};
  if (pthread_key_create(&key, &EndThread) != 0)
    Fatal("the system has no pthread key left, and Heddle needs one");
  return key;
}

}  // namespace

constinit thread_local PerThread per_thread;

// A pthread key and not a thread_local object with a destructor: keys come
// after all thread_local objects, which may therefore use everything of
// Heddle's in their destructors, and they can be armed again.
void ArmThreadEnd(PerThread& thread) {
  if (thread.end_is_armed) return;
  static const pthread_key_t key = MakeKey();
  if (pthread_setspecific(key, &thread) != 0)
    Fatal("no memory to be told of a thread's end");
  thread.end_is_armed = true;
}

}  // namespace internal
}  // namespace heddle
