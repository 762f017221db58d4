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

// A worker of the pool could not begin, because the initializer threw: what is
// queued fails with this, and so does what is given to the pool later. (Python:
// concurrent.futures.thread.BrokenThreadPool.)
class BrokenPool : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace heddle

#endif  // HEDDLE_POOL_ERRORS_H_
