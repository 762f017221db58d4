#include "heddle/thread/except_hook.h"

#include <cxxabi.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/no_cancel.h"
#include "heddle/thread/internal/one_line.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/internal/thread_name.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

using SharedHook = std::shared_ptr<const ExceptHook>;

// The current hook; null means the default one. Constant-initialised and never
// destroyed, because threads may end while the program's statics die.
constinit internal::RawLock lock;
constinit const SharedHook* current_hook ABSL_GUARDED_BY(lock) = nullptr;

// The hook stays: it is one word, the old one or the new one.
constinit internal::AtFork at_fork([] { lock.ResetInChild(); });

// Heddle's name of the calling thread. One that it has not met keeps the name
// that the system has: this is no place to make it known.
std::string CurrentThreadName() {
  if (const internal::ThreadRecord* record = internal::ThisThread().record;
      record != nullptr) {
    return record->name();
  }
  return internal::IsMainThread() ? "MainThread" : internal::SystemName();
}

#ifdef ABSL_HAVE_EXCEPTIONS
// The name of the type of the exception that is being handled. Asked of the
// C++ runtime, because it must work for types that are no std::exception and in
// builds without typeid.
std::string CurrentExceptionType() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "exception of unknown type";
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : type->name();
}
#endif

}  // namespace

std::string DescribeException(const std::exception_ptr& exception) {
#ifdef ABSL_HAVE_EXCEPTIONS
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    return absl::StrCat(CurrentExceptionType(), ": ",
                        internal::OneLine(error.what()));
  } catch (...) {
    return CurrentExceptionType();
  }
#else
  static_cast<void>(exception);
  return "an exception, in a build without exceptions";
#endif
}

void SetExceptHook(ExceptHook hook) {
  std::unique_ptr<const SharedHook> swapped;
  if (hook) {
    swapped = std::make_unique<const SharedHook>(
        std::make_shared<const ExceptHook>(std::move(hook)));
  }
  at_fork.Follow();
  LockGuard guard(lock);
  const SharedHook* const old = std::exchange(current_hook, swapped.release());
  swapped.reset(old);
  // The old hook is declared before `guard` and so is destroyed after the lock is
  // released: its destructor is a user's.
}

void DefaultExceptHook(const ExceptHookArgs& args) {
  const std::string line =
      absl::StrCat("Exception in thread ", args.thread_id, " (",
                   internal::OneLine(args.thread_name),
                   "): ", DescribeException(args.exception), "\n");
  std::fputs(line.c_str(), stderr);
}

namespace internal {

void ReportException(std::exception_ptr exception) noexcept {
  const NoCancel no_cancel;  // printing may be where a cancelled thread ends
  const std::exception_ptr hook_error = CatchAll([&exception] {
    const ExceptHookArgs args{std::move(exception), CurrentThreadName(),
                              ThreadId()};
    SharedHook hook;
    at_fork.Follow();
    {
      LockGuard guard(lock);
      if (current_hook != nullptr) hook = *current_hook;
    }
    if (hook == nullptr) {
      DefaultExceptHook(args);
      return;
    }
    const std::exception_ptr error = CatchAll([&] { (*hook)(args); });
    if (error != nullptr) {
      std::fputs("Exception in the except hook, while it handled another:\n",
                 stderr);
      DefaultExceptHook({error, args.thread_name, args.thread_id});
      DefaultExceptHook(args);
    }
  });
  // Only memory can have run out here; say what can be said without any.
  if (hook_error != nullptr)
    std::fputs("Exception in a thread; no memory to describe it\n", stderr);
}

}  // namespace internal
}  // namespace heddle
