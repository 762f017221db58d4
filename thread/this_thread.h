// Which thread this is, which others there are, and a sleep that can be
// stopped.
//
// Example: a line of a log that says who wrote it.
//
//   LOG(INFO) << CurrentThread().name() << ": begins, with "
//             << ActiveCount() - 1 << " others";
//
// All of it works in every thread, also in those that Heddle did not start:
// such a thread is known from the moment it first calls CurrentThread(), under
// the name Dummy-N, as a daemon, until it ends.
//
// Thread safety: everything, at any time, also before main() and while the
// program's statics are destroyed. CurrentThread(), MainThread() and
// Enumerate() throw std::bad_alloc. (Python: threading.current_thread,
// main_thread, enumerate, active_count, get_ident, get_native_id, stack_size.)

#ifndef HEDDLE_THREAD_THIS_THREAD_H_
#define HEDDLE_THREAD_THIS_THREAD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/thread_handle.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

// The calling thread.
[[nodiscard]] ThreadHandle CurrentThread();

// The thread that runs main(): alive, never a daemon, named "MainThread". In the
// child of a fork(): the thread that called it, as it was. (If that thread ends
// before the process does, by pthread_exit() or in the child by returning, it is
// alive no more; but it is taken to be if it has not called CurrentThread().)
[[nodiscard]] ThreadHandle MainThread();

// Every thread that IsAlive(), from the moment Start() is under way: the main
// thread first, then as they came. A snapshot: they may end at any time.
[[nodiscard]] std::vector<ThreadHandle> Enumerate();

// How many those are.
[[nodiscard]] size_t ActiveCount();

// CurrentThread().ident() and .native_id(), each at the price of a load.
[[nodiscard]] inline uint64_t GetIdent() { return internal::CurrentIdent(); }
[[nodiscard]] inline uint64_t GetNativeId() { return internal::ThreadId(); }

// Sleeps until the time of `limit` has passed, and not longer than until a stop
// is requested: true if it slept the whole time, false if it was stopped. No
// limit at all: for ever. (Python: time.sleep, and Event().wait for the rest.)
//
//   while (SleepFor({absl::Seconds(10), stop})) SendHeartbeat();
bool SleepFor(const WaitLimit& limit);

// The stack size, in bytes, of threads that are started from now on without one
// in their options; 0 is the system's default, and what it is at first. The
// second sets it and returns the old one. Throws std::invalid_argument, and
// changes nothing, for less than 32768 bytes or the system's smallest stack,
// and for what the system refuses.
[[nodiscard]] size_t StackSize();
size_t StackSize(size_t size);

}  // namespace heddle

#endif  // HEDDLE_THREAD_THIS_THREAD_H_
