// WindowGuard: a stretch of a protocol in which no thread may wait.
//
// A *window* is what must be short: while a ParkingSpot or a RawLock is held,
// and between a wake-up that only one waiter can act on and that act. In it no
// code waits, takes a Lock, allocates, or runs a user's code: an allocator, a
// hook or an observer may itself use Heddle, and then waits for what its own
// thread holds.
//
// ParkingSpot and RawLock are windows by themselves. What else is one says so:
//
//   {
//     WindowGuard window;            // woken: the others sleep until we act
//     ...
//   }
//   observer.OnUnblocked(number);    // a user's: outside
//
// and what may wait, or runs a user's code, asks first:
//
//   CheckNoWindow("Lock::lock");     // the caller, for the message
//
// Waiter::Sleep(), ParkingSpot (which does not nest) and the operator new of
// tests (failing_new.h) ask already. All of it exists in debug and model builds
// only, where HEDDLE_WINDOWS is defined; a check that fails is a fatal error. In
// every other build nothing is left of it.

#ifndef HEDDLE_THREAD_INTERNAL_WINDOW_H_
#define HEDDLE_THREAD_INTERNAL_WINDOW_H_

#include <cstdint>

#include "heddle/thread/internal/per_thread.h"

namespace heddle {
namespace internal {

#ifdef HEDDLE_WINDOWS

// For windows that are no scopes. They nest, in one thread.
inline void EnterWindow() { ++ThisThread().windows; }
inline void LeaveWindow() { --ThisThread().windows; }

// How many windows the calling thread is in.
inline uint32_t OpenWindows() { return ThisThread().windows; }

// Ends the program with a message that names `call`. The second: for `call`, of
// which the thread is in the middle already.
[[noreturn]] void CalledInWindow(const char* call);
[[noreturn]] void CalledInItself(const char* call);

inline void CheckNoWindow(const char* call) {
  if (ThisThread().windows != 0) CalledInWindow(call);
}

#else

inline void EnterWindow() {}
inline void LeaveWindow() {}
inline uint32_t OpenWindows() { return 0; }
inline void CheckNoWindow(const char*) {}

#endif

class WindowGuard {
 public:
  WindowGuard() { EnterWindow(); }
  WindowGuard(const WindowGuard&) = delete;
  WindowGuard& operator=(const WindowGuard&) = delete;
  ~WindowGuard() { LeaveWindow(); }
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_WINDOW_H_
