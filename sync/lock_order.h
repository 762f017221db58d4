// Lock order: in a debug build, finds deadlocks before they happen.
//
// Two threads that take the same two locks in opposite orders deadlock one day,
// when both are half way. In a build with `-c dbg` every Lock and RLock keeps
// the order in which threads take it and the others, and the first time that an
// order closes a cycle it is reported, whether or not anybody is waiting: on
// stderr, with the stack where each lock was taken and where the next was
// wanted. A thread that wants a Lock that it has taken itself is reported too:
// unless another thread releases it, that wait has no end. The program goes on.
//
// In any other build there is nothing of this: no code, and no bytes.
//
// What is watched are waits without a limit: lock(). A try_lock() and a wait
// that a limit ends cannot deadlock; but what they have taken counts for what is
// wanted next. (std::scoped_lock over several locks is therefore fine.)
//
// Example: make it an error in tests.
//
//   SetLockOrderHook([](const std::string& report) { FAIL() << report; });
//
// (Python has none.) Thread safety: may be called from any thread.

#ifndef HEDDLE_SYNC_LOCK_ORDER_H_
#define HEDDLE_SYNC_LOCK_ORDER_H_

#include <functional>
#include <string>

namespace heddle {

// Called, in the thread that wants the lock and before it waits, with a report
// of several lines; in Condition::Wait() before that releases the lock that it
// will want again. May use locks itself. What it throws goes to the except hook
// (thread/except_hook.h), and the thread goes on: locks are taken in
// destructors, too.
using LockOrderHook = std::function<void(const std::string& report)>;

// Makes `hook` hear of bad orders; an empty one restores the line on stderr.
// After it returns the old hook may still be running in other threads.
void SetLockOrderHook(LockOrderHook hook);

}  // namespace heddle

#endif  // HEDDLE_SYNC_LOCK_ORDER_H_
