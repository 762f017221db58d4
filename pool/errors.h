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

}  // namespace heddle

#endif  // HEDDLE_POOL_ERRORS_H_
