// StartFault: makes starts of threads fail, as a system does that is out of
// threads. Test-only.
//
//   StartFault fault([&] { return ++starts == k ? EAGAIN : 0; });
//
// Thread safety: one at a time; made and destroyed while no thread is being
// started by others. The function may be called by several threads at once.

#ifndef HEDDLE_THREAD_INTERNAL_START_FAULT_H_
#define HEDDLE_THREAD_INTERNAL_START_FAULT_H_

#include <functional>
#include <utility>

namespace heddle {
namespace internal {

class StartFault {
 public:
  // Each start calls `error()` first, and fails with what that returns unless it
  // is 0.
  explicit StartFault(std::function<int()> error) : error_(std::move(error)) {
    current = this;
  }
  StartFault(const StartFault&) = delete;
  StartFault& operator=(const StartFault&) = delete;
  ~StartFault() { current = nullptr; }

  // For who starts threads: the error that a test wants, or 0.
  static int Wanted() { return current == nullptr ? 0 : current->error_(); }

 private:
  static inline constinit StartFault* current = nullptr;

  const std::function<int()> error_;
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_START_FAULT_H_
