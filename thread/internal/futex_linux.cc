#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>
#include <limits>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/futex.h"

namespace heddle {
namespace internal {

static_assert(sizeof(Atomic<uint32_t>) == sizeof(uint32_t),
              "the kernel compares the 32 bits at the address of the word");

namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

// The system call that takes a timespec of this C library: with 64-bit time on
// 32 bits it has a number of its own.
#if defined(SYS_futex_time64) && \
    (!defined(SYS_futex) || (defined(_TIME_BITS) && _TIME_BITS == 64))
constexpr long kFutex = SYS_futex_time64;
#else
constexpr long kFutex = SYS_futex;
#endif

// Whether time_t can say it: 32 bits end in 2038, or 68 years after the start.
bool IsFar(Deadline deadline) {
  return deadline.nanos() / kNanosPerSecond >
         std::numeric_limits<time_t>::max();
}

// The kernel has no futexes, or a filter of system calls forbids them: then no
// wake-up comes either, and the caller looks at its word once a millisecond.
// Returns as SystemFutexWait().
bool SleepWithoutFutex(Deadline deadline) {
  constexpr int64_t kNanos = 1'000'000;
  const int64_t left = deadline.nanos() - Clock::MachineNow();
  if (!deadline.IsNever() && left <= 0) return false;
  const timespec time{0, static_cast<long>(std::min(left, kNanos))};
  nanosleep(&time, nullptr);
  return true;
}

}  // namespace

bool SystemFutexWait(Atomic<uint32_t>& word, uint32_t expected,
                     Deadline deadline) {
  timespec until{};
  const timespec* timeout = nullptr;
  // One that is too far for the system to say is never reached.
  if (!deadline.IsNever() && !IsFar(deadline)) {
    until.tv_sec = static_cast<time_t>(deadline.nanos() / kNanosPerSecond);
    until.tv_nsec = static_cast<decltype(until.tv_nsec)>(deadline.nanos() %
                                                         kNanosPerSecond);
    timeout = &until;
  }
  // FUTEX_WAIT_BITSET rather than FUTEX_WAIT: its timeout is a point on
  // CLOCK_MONOTONIC, so a wait interrupted by signals does not grow longer.
  const long result =
      syscall(kFutex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
              timeout, nullptr, FUTEX_BITSET_MATCH_ANY);
  if (result == 0) return true;
  switch (errno) {
    case ETIMEDOUT:
      return false;
    case EAGAIN:  // the word has changed
    case EINTR:
      return true;
    default:
      return SleepWithoutFutex(deadline);
  }
}

void FutexWakeOne(const void* address) {
  syscall(kFutex, address, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr,
          0);
}

void FutexWakeAll(const void* address) {
  syscall(kFutex, address, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, nullptr,
          nullptr, 0);
}

}  // namespace internal
}  // namespace heddle
