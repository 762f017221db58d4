// ExitCodeOfChild(): what tests of fork() have in common. Test-only.

#ifndef HEDDLE_THREAD_INTERNAL_FORK_CHILD_H_
#define HEDDLE_THREAD_INTERNAL_FORK_CHILD_H_

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/base/config.h"

namespace heddle {
namespace internal {

// ThreadSanitizer ends the child of a process of several threads when it starts
// a thread.
#ifdef ABSL_HAVE_THREAD_SANITIZER
inline constexpr bool kChildMayStartThreads = false;
#else
inline constexpr bool kChildMayStartThreads = true;
#endif

// A process whose last thread ends calls exit() there, when ThreadSanitizer has
// already let go of that thread.
inline constexpr bool kLastThreadMayEnd = kChildMayStartThreads;

// AddressSanitizer has locks of its own, which are held for ever in the child of a
// process that is starting or ending a thread at that moment. And it takes what
// the lost threads have for leaks, when the child ends by exit().
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
inline constexpr bool kChildMayStartThreadsWhileParentDoes = false;
inline void PassOverLostThreadsAtExit() {
  static_cast<void>(std::atexit([] { _exit(0); }));
}
#else
inline constexpr bool kChildMayStartThreadsWhileParentDoes =
    kChildMayStartThreads;
inline void PassOverLostThreadsAtExit() {}
#endif

// Forks, and returns the exit code that the child makes of `child()`, or exits
// with by itself; -1: it did not end so, or hung for a minute. (No death test:
// those print, and the child of a busy process may do little.)
template <typename Function>
int ExitCodeOfChild(Function child) {
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    _exit(child());
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
    return -1;
  return WEXITSTATUS(status);
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_FORK_CHILD_H_
