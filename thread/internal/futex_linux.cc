#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/futex.h"

namespace heddle {
namespace internal {

static_assert(sizeof(Atomic<uint32_t>) == sizeof(uint32_t),
              "the kernel compares the 32 bits at the address of the word");

bool SystemFutexWait(Atomic<uint32_t>& word, uint32_t expected,
                     Deadline deadline) {
  timespec until{};
  const timespec* timeout = nullptr;
  if (!deadline.IsNever()) {
    constexpr int64_t kNanosPerSecond = 1'000'000'000;
    until.tv_sec = static_cast<time_t>(deadline.nanos() / kNanosPerSecond);
    until.tv_nsec = static_cast<decltype(until.tv_nsec)>(deadline.nanos() %
                                                         kNanosPerSecond);
    timeout = &until;
  }
  // FUTEX_WAIT_BITSET rather than FUTEX_WAIT: its timeout is a point on
  // CLOCK_MONOTONIC, so a wait interrupted by signals does not grow longer.
  const long result =
      syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
              expected, timeout, nullptr, FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno != ETIMEDOUT;
}

void FutexWakeOne(const void* address) {
  syscall(SYS_futex, address, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr,
          nullptr, 0);
}

void FutexWakeAll(const void* address) {
  syscall(SYS_futex, address, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, nullptr,
          nullptr, 0);
}

}  // namespace internal
}  // namespace heddle
