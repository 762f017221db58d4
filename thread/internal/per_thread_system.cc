// PerThread of an ordinary build.

#include <pthread.h>

#include <cstdint>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace internal {
namespace {

// The key, plus one; 0: not made yet. No `static` of a function, because a child
// of fork() would wait for ever for the thread that was making it.
constinit Atomic<uint64_t> key_plus_one{0};

pthread_key_t TheKey() {
  uint64_t seen = key_plus_one.load(std::memory_order_acquire);
  if (ABSL_PREDICT_TRUE(seen != 0)) return static_cast<pthread_key_t>(seen - 1);
  pthread_key_t made{};
  if (pthread_key_create(&made, &EndThread) != 0)
    Fatal("the system has no pthread key left, and Heddle needs one");
  if (key_plus_one.compare_exchange_strong(seen, uint64_t{made} + 1,
                                           std::memory_order_acq_rel)) {
    return made;
  }
  pthread_key_delete(made);  // another thread was faster
  return static_cast<pthread_key_t>(seen - 1);
}

}  // namespace

constinit thread_local PerThread per_thread;

// A pthread key and not a thread_local object with a destructor: keys come
// after all thread_local objects, which may therefore use everything of
// Heddle's in their destructors, and they can be armed again.
void ArmThreadEnd(PerThread& thread) {
  if (thread.end_is_armed) return;
  if (pthread_setspecific(TheKey(), &thread) != 0)
    Fatal("no memory to be told of a thread's end");
  thread.end_is_armed = true;
}

}  // namespace internal
}  // namespace heddle
