#include "heddle/thread/internal/at_fork.h"

#include <pthread.h>
#include <unistd.h>

#include <utility>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/throw.h"

#if defined(__linux__)
#include <sys/syscall.h>
#endif

namespace heddle {
namespace internal {

constinit uint32_t fork_count = 0;

namespace {

// A table and no list, so that two threads which enter the same function at once
// agree on its place without a lock.
constexpr int kMostResets = 32;
constinit Atomic<void (*)()> resets[kMostResets] = {};
constinit Atomic<bool> is_registered{false};

void BeforeFork() {
  PerThread& self = ThisThread();
  self.forks = true;
#if defined(__linux__)
  self.forks_as_main = static_cast<pid_t>(syscall(SYS_gettid)) == getpid();
#endif
}

void InChild() {
  PerThread& self = ThisThread();
  // Two threads may have registered this, both. (The child's pid does not tell:
  // in a namespace of its own it may be the parent's.)
  if (!std::exchange(self.forks, false)) return;
  ++fork_count;
  self.native_id = 0;  // the child's only thread has a new one
  // It may be in the middle of a task, but the pool's worker it is no more: the
  // pool has ended.
  self.pool = 0;
  self.worker = nullptr;
  self.block_listener = nullptr;
  self.running_call = nullptr;
  self.has_woken = false;
  for (Atomic<void (*)()>& reset : resets) {
    // relaxed: there is one thread.
    void (*const run)() = reset.load(std::memory_order_relaxed);
    if (run == nullptr) return;
    run();
  }
}

}  // namespace

void AtFork::FollowSlow() {
  // Once more if the system had no memory for it: then the next use tries again.
  if (!is_registered.load(std::memory_order_acquire)) {
    if (pthread_atfork(&BeforeFork, nullptr, &InChild) != 0) return;
    is_registered.store(true, std::memory_order_release);
  }
  for (Atomic<void (*)()>& reset : resets) {
    void (*seen)() = nullptr;
    if (reset.compare_exchange_strong(seen, reset_,
                                      std::memory_order_acq_rel) ||
        seen == reset_) {
      follows_.store(true, std::memory_order_release);
      return;
    }
  }
  Fatal("more process-wide state than kMostResets in at_fork.cc");
}

}  // namespace internal
}  // namespace heddle
