// OsThread: a thread of the operating system, started and joined, nothing more.
//
// The only place in Heddle where threads begin. heddle::Thread gives it the
// rules that users see.

#ifndef HEDDLE_THREAD_INTERNAL_OS_THREAD_H_
#define HEDDLE_THREAD_INTERNAL_OS_THREAD_H_

#ifndef HEDDLE_MODEL
#include <pthread.h>
#endif

#include <cstddef>
#include <vector>

#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

class OsThread {
 public:
  // Starts a thread that calls `run(argument)`, with a stack of that size (0:
  // the system's default), on those CPUs (none: as the calling thread). Returns
  // 0, or the system's error number, and then there is no thread. Allocates
  // nothing itself. `run` throws nothing.
  //
  // Which thread it is, only the thread itself says, by Current(): the system
  // need not have told the one who starts it before it runs, and has ended.
  [[nodiscard]] static int Start(void* (*run)(void*), void* argument,
                                 size_t stack_size,
                                 const std::vector<int>& cpus);
  static OsThread Current();

  // None.
  OsThread() = default;

  // Waits for the thread's end, its thread_local destructors included, and for
  // those of all pthread keys. pthread_cancel() does not end the wait.
  // REQUIRES: there is one, neither joined nor detached; not the calling one.
  void Join();

  // The same within `limit`: false if that passed first, and then the thread is
  // there as before. It asks the system again and again, because no wait of the
  // system's can be ended by a stop token or follows a test's clock; what is
  // waited for here, the end of a thread that is at its very end, takes some
  // microseconds. Where the system cannot be asked (Linux can), as Join().
  // REQUIRES: `limit` is started().
  [[nodiscard]] bool JoinWithin(const WaitLimit& limit);

  // Lets the thread go. REQUIRES: there is one, neither joined nor detached.
  void Detach();

 private:
#ifdef HEDDLE_MODEL
  int handle_ = -1;  // the model's number of the thread
#else
  pthread_t handle_{};
#endif
};

// The smallest stack that Heddle or the system lets a thread have.
size_t SmallestStack();
// True if the system cannot give a thread a stack of that size.
bool SystemRefusesStackSize(size_t size);

// Makes the calling thread give way to others (or, with the right to it, go
// before them): the system's nice value. Returns 0 or the system's error.
int SetNicenessOfThisThread(int niceness);

// How many CPUs this process may run on: its affinity mask, at least 1.
int UsableCpus();

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_OS_THREAD_H_
