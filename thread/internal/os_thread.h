// OsThread: a thread of the operating system, started and joined, nothing more.
//
// The only place in Heddle where threads begin. heddle::Thread gives it the
// rules that users see.

#ifndef HEDDLE_THREAD_INTERNAL_OS_THREAD_H_
#define HEDDLE_THREAD_INTERNAL_OS_THREAD_H_

#include <pthread.h>

namespace heddle {
namespace internal {

class OsThread {
 public:
  // Starts a thread that calls `run(argument)`. Returns 0, or the system's
  // error number, and then there is no thread. REQUIRES: not started, or joined
  // or detached since. `run` throws nothing.
  [[nodiscard]] int Start(void* (*run)(void*), void* argument);

  // Waits for the thread's end, its thread_local destructors included.
  // REQUIRES: started; neither joined nor detached; not this thread.
  void Join();

  // Lets the thread go. REQUIRES: as Join(), but may be this thread.
  void Detach();

 private:
  pthread_t handle_{};
};

// How many CPUs this process may run on: its affinity mask, at least 1.
int UsableCpus();

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_OS_THREAD_H_
