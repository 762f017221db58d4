#include "heddle/thread/internal/window.h"

#ifdef HEDDLE_WINDOWS

#include <cstdio>

#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace internal {
namespace {

// No memory is taken for the message: an allocator may be what called.
[[noreturn]] void FatalOf(const char* call, const char* why) {
  char text[400];
  static_cast<void>(std::snprintf(text, sizeof(text), "%s: %s", call, why));
  Fatal(text);
}

}  // namespace

void CalledInWindow(const char* call) {
  FatalOf(
      call,
      "called in the middle of a step of Heddle's own, in which this thread "
      "may not wait, allocate or call a user's code; seen when a signal "
      "handler, an operator new or a hook uses Heddle");
}

void CalledInItself(const char* call) {
  FatalOf(call,
          "called while this thread is in the middle of the same; in any other "
          "build this is a deadlock. No function of Heddle's that wakes or "
          "waits may be called in a signal handler");
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_WINDOWS
