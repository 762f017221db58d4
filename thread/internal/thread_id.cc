#include "heddle/thread/internal/thread_id.h"

#include <cerrno>
#include <cstdint>

#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/per_thread.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace heddle {
namespace internal {
namespace {

#if !defined(__linux__)
// Which thread is the main one cannot be asked everywhere: it is the one that
// initialises the statics. Its id is the first, because ids are counted.
uint32_t main_thread_id = AskThreadId();
#endif

// The number of the main thread; changes where there is but one thread.
constinit uint64_t main_ident = kMainIdent;

// In the child of a fork() the thread that called it is the main one, under the
// number that it has. One that has none yet is given the next, unless it was
// the main thread before.
constinit AtFork at_fork([] {
  PerThread& self = ThisThread();
#if !defined(__linux__)
  self.native_id = AskThreadId();
  main_thread_id = self.native_id;
#endif
  if (self.ident == 0 && !self.forks_as_main) self.ident = NextIdent();
  if (self.ident != 0) main_ident = self.ident;
});

}  // namespace

uint32_t AskThreadId() {
  at_fork.Follow();
  uint32_t& id = ThisThread().native_id;
#if defined(__linux__)
  id = static_cast<uint32_t>(syscall(SYS_gettid));
#else
  // No id that fits can be had everywhere: count. relaxed: only distinct.
  constinit static Atomic<uint32_t> threads{0};
  id = threads.fetch_add(1, std::memory_order_relaxed) + 1;
#endif
  return id;
}

uint32_t MainThreadId() {
#if defined(HEDDLE_MODEL)
  return 1;  // the body of the execution
#elif defined(__linux__)
  return static_cast<uint32_t>(getpid());
#else
  return main_thread_id;
#endif
}

bool HasThread(uint32_t id) {
#if defined(__linux__) && !defined(HEDDLE_MODEL)
  return syscall(SYS_tgkill, getpid(), id, 0) == 0 || errno != ESRCH;
#else
  static_cast<void>(id);
  return true;
#endif
}

bool IsMainThread() { return ThreadId() == MainThreadId(); }

uint64_t NextIdent() {
  constinit static Atomic<uint64_t> last{kMainIdent};
  // Not one whose lower half is zero: that half alone tells the owner of an
  // RLock.
  for (;;) {
    // relaxed: all that counts is that no two are alike.
    const uint64_t next = last.fetch_add(1, std::memory_order_relaxed) + 1;
    if (static_cast<uint32_t>(next) != 0) return next;
  }
}

uint64_t AskIdent() {
  return ThisThread().ident = IsMainThread() ? MainIdent() : NextIdent();
}

uint64_t MainIdent() { return main_ident; }

}  // namespace internal
}  // namespace heddle
