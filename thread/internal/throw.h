// Throw() and CatchAll(): the two places that know whether the build has
// exceptions.
//
// Every error Heddle raises goes through Throw(). Under `-fno-exceptions` it
// prints the message and aborts, because nothing can catch it. Every callable
// that is a user's goes through CatchAll(), so that what it throws is carried
// to where it belongs instead of ending the program.

#ifndef HEDDLE_THREAD_INTERNAL_THROW_H_
#define HEDDLE_THREAD_INTERNAL_THROW_H_

#include <exception>
#include <utility>

#include "absl/base/config.h"

#if defined(ABSL_HAVE_EXCEPTIONS) && defined(__GLIBCXX__)
#include <cxxabi.h>
#define HEDDLE_HAVE_FORCED_UNWIND
#endif

namespace heddle {
namespace internal {

// Prints "heddle: fatal: `what`" to stderr and aborts.
[[noreturn]] void Fatal(const char* what);

// Throws `error`, an object of a type derived from std::exception.
template <typename Error>
[[noreturn]] void Throw(Error error) {
#ifdef ABSL_HAVE_EXCEPTIONS
  throw std::move(error);
#else
  Fatal(error.what());
#endif
}

// Throws the exception that `error` holds. REQUIRES: `error` is not null.
[[noreturn]] inline void Rethrow(std::exception_ptr error) {
#ifdef ABSL_HAVE_EXCEPTIONS
  std::rethrow_exception(std::move(error));
#else
  static_cast<void>(error);
  Fatal("an exception was to be rethrown in a build without exceptions");
#endif
}

// What a catch of `error` would find; null in a build without exceptions.
template <typename Error>
[[nodiscard]] std::exception_ptr MakeExceptionPtr(Error error) {
#ifdef ABSL_HAVE_EXCEPTIONS
  return std::make_exception_ptr(std::move(error));
#else
  static_cast<void>(error);
  return nullptr;
#endif
}

// Calls `body()`; returns what it threw, of whatever type, or null. Where
// pthread_exit() or pthread_cancel() ends the thread in it, the stack is
// unwound as by an exception, which is none and which nobody may keep: it is
// passed on.
// (libc++ does not show it to a catch (...).)
template <typename Body>
[[nodiscard]] std::exception_ptr CatchAll(Body&& body) {
#ifdef ABSL_HAVE_EXCEPTIONS
  try {
    std::forward<Body>(body)();
#ifdef HEDDLE_HAVE_FORCED_UNWIND
  } catch (const abi::__forced_unwind&) {
    throw;
#endif
  } catch (...) {
    return std::current_exception();
  }
#else
  std::forward<Body>(body)();
#endif
  return nullptr;
}

// Whether `error` holds an Error, or an object of a type derived from it.
template <typename Error>
[[nodiscard]] bool Holds(const std::exception_ptr& error) {
#ifdef ABSL_HAVE_EXCEPTIONS
  try {
    if (error != nullptr) std::rethrow_exception(error);
  } catch (const Error&) {
    return true;
  } catch (...) {
  }
#else
  static_cast<void>(error);
#endif
  return false;
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_THROW_H_
