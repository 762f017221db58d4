// FutexWait() and FutexWake(): where a thread really goes to sleep.
//
// Two implementations, one contract: the Linux system call (futex_linux.cc),
// and a table of mutexes and conditions for every other system
// (futex_portable.cc; on Linux with `--config=fallback_parking`, where the same
// tests run against it). Nothing else in Heddle makes a thread sleep.

#ifndef HEDDLE_THREAD_INTERNAL_FUTEX_H_
#define HEDDLE_THREAD_INTERNAL_FUTEX_H_

#include <cstdint>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"

namespace heddle {
namespace internal {

// Sleeps while `word` holds `expected`, until a FutexWake() of its address or
// until `deadline`. The comparison and the falling asleep are one step: a
// thread that changes `word` and then wakes its address is not missed. Returns
// false when the deadline has passed, else true. True promises nothing (a
// wake-up, a signal, a changed word, no reason at all): the caller looks again.
//
// Where the system has no such call, or forbids it, a wait sleeps for at most a
// millisecond and returns: nothing hangs, and nothing runs hot.
//
// Memory ordering: none. The caller orders its own accesses to `word`.
bool FutexWait(Atomic<uint32_t>& word, uint32_t expected, Deadline deadline);

// Wakes one thread, or all threads, asleep on the word at `address`. Never
// touches the word: it may be gone already, and then a thread asleep on
// whatever took its place may wake for no reason.
void FutexWakeOne(const void* address);
void FutexWakeAll(const void* address);

// The system's part of FutexWait(), one for each implementation. `deadline` is
// a point on the machine's clock, or Never().
bool SystemFutexWait(Atomic<uint32_t>& word, uint32_t expected,
                     Deadline deadline);

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_FUTEX_H_
