#include "heddle/thread/internal/os_thread.h"

#include <pthread.h>

#include <algorithm>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace heddle {
namespace internal {

int OsThread::Start(void* (*run)(void*), void* argument) {
  return pthread_create(&handle_, nullptr, run, argument);
}

void OsThread::Join() { pthread_join(handle_, nullptr); }

void OsThread::Detach() { pthread_detach(handle_); }

int UsableCpus() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return std::max(1, CPU_COUNT(&set));
#endif
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace internal
}  // namespace heddle
