#include "heddle/thread/internal/os_thread.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "heddle/thread/internal/no_cancel.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/wait_limit.h"

#if defined(__linux__)
#include <sched.h>
#include <sys/resource.h>
#endif

namespace heddle {
namespace internal {

namespace {

int SetAffinity(pthread_attr_t& attributes, const std::vector<int>& cpus) {
#if defined(__GLIBC__)
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
    CPU_SET(static_cast<size_t>(cpu), &set);
  }
  return pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
#else
  static_cast<void>(attributes);
  static_cast<void>(cpus);
  return ENOTSUP;
#endif
}

// A size that ends in the middle of a page is refused in some systems.
size_t InWholePages(size_t size) {
  constexpr size_t kPage = 4096;
  return (size + kPage - 1) / kPage * kPage;
}

}  // namespace

int OsThread::Start(void* (*run)(void*), void* argument, size_t stack_size,
                    const std::vector<int>& cpus) {
  pthread_t unused;
  if (stack_size == 0 && cpus.empty())
    return pthread_create(&unused, nullptr, run, argument);
  pthread_attr_t system;
  if (const int error = pthread_attr_init(&system); error != 0) return error;
  int error = 0;
  if (stack_size != 0) {
    error = pthread_attr_setstacksize(&system, InWholePages(stack_size));
  }
  if (error == 0 && !cpus.empty()) error = SetAffinity(system, cpus);
  if (error == 0) error = pthread_create(&unused, &system, run, argument);
  pthread_attr_destroy(&system);
  return error;
}

void OsThread::Join() {
  const NoCancel no_cancel;
  pthread_join(handle_, nullptr);
}

bool OsThread::JoinWithin(const WaitLimit& limit) {
#if defined(__linux__) && !defined(__ANDROID__)
  if (limit.deadline().IsNever() && !limit.stop_token().stop_possible()) {
    Join();
    return true;
  }
  const NoCancel no_cancel;  // a sleep is where a cancelled thread ends
  constexpr int kYields = 20;
  constexpr std::chrono::microseconds kLongest(1000);
  std::chrono::microseconds pause(20);
  for (int asked = 0;; ++asked) {
    if (pthread_tryjoin_np(handle_, nullptr) != EBUSY) return true;
    if (limit.Passed()) return false;
    if (asked < kYields) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, kLongest);
    }
  }
#else
  static_cast<void>(limit);
  Join();
  return true;
#endif
}

void OsThread::Detach() { pthread_detach(handle_); }

OsThread OsThread::Current() {
  OsThread current;
  current.handle_ = pthread_self();
  return current;
}

size_t SmallestStack() {
  constexpr size_t kSmallest = 32768;  // Python's
  return std::max(kSmallest, static_cast<size_t>(PTHREAD_STACK_MIN));
}

bool SystemRefusesStackSize(size_t size) {
  if (size > SIZE_MAX / 2) return true;  // would overflow below
  pthread_attr_t system;
  if (pthread_attr_init(&system) != 0) return true;
  const int error = pthread_attr_setstacksize(&system, InWholePages(size));
  pthread_attr_destroy(&system);
  return error != 0;
}

int SetNicenessOfThisThread(int niceness) {
#if defined(__linux__)
  // Linux has a value for each thread, though POSIX wants one for the process.
  return setpriority(PRIO_PROCESS, ThreadId(), niceness) == 0 ? 0 : errno;
#else
  static_cast<void>(niceness);
  return ENOTSUP;
#endif
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
