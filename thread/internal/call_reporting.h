// CallReporting(): calls what is a user's and whose exceptions nobody will ask
// for.

#ifndef HEDDLE_THREAD_INTERNAL_CALL_REPORTING_H_
#define HEDDLE_THREAD_INTERNAL_CALL_REPORTING_H_

#include <exception>
#include <utility>

#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace internal {

// Calls `body()`; what it throws goes to the except hook. True if it threw
// nothing. Not noexcept: the body may end its thread, see CatchAll().
template <typename Body>
bool CallReporting(Body&& body) {
  std::exception_ptr error = CatchAll(std::forward<Body>(body));
  if (error == nullptr) return true;
  ReportException(std::move(error));
  return false;
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_CALL_REPORTING_H_
