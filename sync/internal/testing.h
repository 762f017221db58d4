// What the tests of sync/ share. Test-only.

#ifndef HEDDLE_SYNC_INTERNAL_TESTING_H_
#define HEDDLE_SYNC_INTERNAL_TESTING_H_

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "heddle/thread/thread.h"

// Locks are taken and released in tests in ways that no static analysis follows.
#define HEDDLE_UNCHECKED ABSL_NO_THREAD_SAFETY_ANALYSIS

namespace heddle {
namespace sync_internal {

// A thread that starts at once and keeps what its function returns.
class Background {
 public:
  explicit Background(std::function<int()> function)
      : thread_(
            [this, function = std::move(function)] { result_ = function(); }) {
    thread_.Start();
  }
  Background(const Background&) = delete;  // the thread knows its address
  Background& operator=(const Background&) = delete;

  int Result() {
    thread_.Join();
    return result_;
  }
  bool IsAlive() const { return thread_.IsAlive(); }

 private:
  int result_ = 0;
  Thread thread_;
};

// The number after the next `=` from `at` on.
inline int NumberAfter(const std::string& text, size_t at) {
  return static_cast<int>(
      std::strtol(text.c_str() + text.find('=', at) + 1, nullptr, 10));
}

// How many threads wait for `object`, a primitive of sync/, by what its
// DebugString() names last; and for the lock of a condition, which comes first.
template <typename Primitive>
int WaitersOf(const Primitive& object) {
  const std::string text = object.DebugString();
  return NumberAfter(text, text.rfind("wait"));
}
template <typename Lockable>
int LockWaitersOf(const Lockable& object) {
  const std::string text = object.DebugString();
  return NumberAfter(text, text.find("waiters="));
}

// Returns when `count` threads or more wait for `object`.
template <typename Primitive>
void AwaitWaiters(const Primitive& object, int count) {
  while (WaitersOf(object) < count) std::this_thread::yield();
}

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_TESTING_H_
