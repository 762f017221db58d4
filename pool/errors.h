// The errors that pools, executors and futures raise by themselves.
//
// What a task threw is not among them: that comes out unchanged, the same
// object, where its result is asked for.

#ifndef HEDDLE_POOL_ERRORS_H_
#define HEDDLE_POOL_ERRORS_H_

#include <stdexcept>

namespace heddle {

// A result was asked for and its limit passed first; the work goes on. (Python:
// TimeoutError, for concurrent.futures and multiprocessing.pool alike.)
class TimeoutError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A result was asked for whose work was cancelled before it began. (Python:
// concurrent.futures.CancelledError.)
class CancelledError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Work was given to a pool or an executor that has been shut down; nothing was
// accepted. (Python: RuntimeError "cannot schedule new futures after
// shutdown".)
class ShutdownError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An executor cannot do its work any more. (Python:
// concurrent.futures.BrokenExecutor.)
class BrokenExecutor : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A worker of the pool could not begin, because the initializer threw: what is
// queued fails with this, and so does what is given to the pool later.
class BrokenPool : public BrokenExecutor {
 public:
  using BrokenExecutor::BrokenExecutor;
};

// The name that this error of ThreadPoolExecutor's has in Python.
using BrokenThreadPool = BrokenPool;

// The result of a Promise that was dropped before it had one. (Python has none:
// there, such a future is waited for without end.)
class BrokenPromise : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A Promise was given what it has already, or was cancelled before; nothing has
// changed. (Python: concurrent.futures.InvalidStateError.)
class InvalidStateError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// A task was about to wait, without a limit, for a task that waits for it, be it
// by way of others: none of them would ever have gone on. The message names the
// threads in which they are. (Python documents the deadlock.)
class DeadlockError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace heddle

#endif  // HEDDLE_POOL_ERRORS_H_
