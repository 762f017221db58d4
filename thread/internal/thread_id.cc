#include "heddle/thread/internal/thread_id.h"

#include <cstdint>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#else
#include "heddle/thread/internal/atomic.h"
#endif

namespace heddle {
namespace internal {

constinit thread_local uint32_t cached_thread_id = 0;

uint32_t AskThreadId() {
#if defined(__linux__)
  cached_thread_id = static_cast<uint32_t>(syscall(SYS_gettid));
#else
  // No id that fits can be had everywhere: count. relaxed: only distinct.
  constinit static Atomic<uint32_t> threads{0};
  cached_thread_id = threads.fetch_add(1, std::memory_order_relaxed) + 1;
#endif
  return cached_thread_id;
}

}  // namespace internal
}  // namespace heddle
