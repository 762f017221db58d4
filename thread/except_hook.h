// The except hook: where exceptions go that nobody will ask for.
//
// What a thread's function throws, and what a task without a result throws, has
// no caller to go to, nor has what a destructor of either throws. It is passed,
// once, to one process-wide hook, in the thread where it was thrown. The hook
// that is there at first prints one line to stderr, of this form:
//
//   Exception in thread 4711 (search): std::runtime_error: disk full
//
// Example: count and log instead of printing.
//
//   SetExceptHook([](const ExceptHookArgs& args) {
//     Log(args.thread_name + " died: " + DescribeException(args.exception));
//   });
//
// The process goes on: the thread ends as if its function had returned. A hook
// that throws is contained: its own exception is printed as above. A hook must
// not end its thread (pthread_exit()): that ends the program. pthread_exit()
// and pthread_cancel() are no exceptions, and nothing is reported of them.
// (Python: threading.excepthook.)
//
// Thread safety: everything here may be called from any thread. A hook may run
// in several threads at once. After SetExceptHook() returns, the old hook may
// still be running in other threads; it is destroyed when the last of them is
// done.

#ifndef HEDDLE_THREAD_EXCEPT_HOOK_H_
#define HEDDLE_THREAD_EXCEPT_HOOK_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <string>

namespace heddle {

struct ExceptHookArgs {
  std::exception_ptr exception;  // never null
  std::string thread_name;       // as CurrentThread().name(); the system's name
                                 // for a thread that Heddle has not met
  uint64_t thread_id = 0;        // the kernel's id of the thread
};

using ExceptHook = std::function<void(const ExceptHookArgs&)>;

// Makes `hook` the process's except hook; an empty one restores the default.
void SetExceptHook(ExceptHook hook);

// What the process starts with: prints one line to stderr, in which newlines of
// the name and the message are written as \n. A hook may call it.
void DefaultExceptHook(const ExceptHookArgs& args);

// One line that describes `exception`: its type and what(), if it has one, with
// each newline in it written as \n, each carriage return as \r.
// REQUIRES: `exception` is not null.
[[nodiscard]] std::string DescribeException(
    const std::exception_ptr& exception);

namespace internal {

// Calls the hook for `exception`, thrown in the calling thread.
void ReportException(std::exception_ptr exception) noexcept;

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_EXCEPT_HOOK_H_
