#include "heddle/thread/internal/os_thread.h"

#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace heddle {
namespace internal {
int OsThread::Start(void* (*run)(void*), void* argument) {
  return pthread_create(&handle_, nullptr, run, argument);
}

void OsThread::Join() { pthread_join(handle_, nullptr); }

void OsThread::Detach() { pthread_detach(handle_); }

uint64_t NativeThreadId() {
#if defined(__linux__)
  static thread_local const auto id =
      static_cast<uint64_t>(syscall(SYS_gettid));
#else
  static thread_local const char place = 0;
  const auto id = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(&place));
#endif
  return id;
}

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
