#include "heddle/sync/lock_order.h"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/debugging/stacktrace.h"
#include "heddle/sync/internal/lock_graph.h"
#include "heddle/sync/internal/lock_watch.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

// Never destroyed: locks are used while statics die.
struct Watch {
  internal::RawLock lock;
  sync_internal::LockGraph graph ABSL_GUARDED_BY(lock);
  std::shared_ptr<const LockOrderHook> hook ABSL_GUARDED_BY(lock);
};

Watch& TheWatch() {
  static Watch& watch = *new Watch;
  return watch;
}

}  // namespace

void SetLockOrderHook(LockOrderHook hook) {
  auto shared =
      hook ? std::make_shared<const LockOrderHook>(std::move(hook)) : nullptr;
  Watch& watch = TheWatch();
  LockGuard guard(watch.lock);
  watch.hook.swap(shared);
  // `shared`, now the old hook, ends after `guard`: its destructor is a user's.
}

#ifdef HEDDLE_LOCK_ORDER

namespace sync_internal {
namespace {

Stack StackHere() {
  constexpr int kDepth = 32;
  constexpr int kOurs = 3;  // this, LockWanted() or LockTaken(), and lock()
  Stack stack(kDepth);
  stack.resize(
      static_cast<size_t>(absl::GetStackTrace(stack.data(), kDepth, kOurs)));
  return stack;
}

// What is kept of locks may be lost when memory runs out; locks go on.
template <typename Note>
void Keep(Note note) {
  static_cast<void>(internal::CatchAll([&note] {
    Watch& watch = TheWatch();
    LockGuard guard(watch.lock);
    note(watch.graph);
  }));
}

}  // namespace

void LockWanted(const void* lock) {
  Watch& watch = TheWatch();
  std::string report;
  std::shared_ptr<const LockOrderHook> hook;
  static_cast<void>(internal::CatchAll([&] {
    const Stack stack = StackHere();
    LockGuard guard(watch.lock);
    report = watch.graph.Wanted(internal::ThreadId(), lock, stack);
    hook = watch.hook;
  }));
  if (report.empty()) return;
  if (hook != nullptr) {
    (*hook)(report);
  } else {
    std::fputs(("heddle: " + report).c_str(), stderr);
  }
}

void LockTaken(const void* lock) {
  Keep([lock](LockGraph& graph) {
    graph.Taken(internal::ThreadId(), lock, StackHere());
  });
}

void LockReleased(const void* lock) {
  Keep([lock](LockGraph& graph) { graph.Released(lock); });
}

void LockGone(const void* lock) {
  Keep([lock](LockGraph& graph) { graph.Gone(lock); });
}

}  // namespace sync_internal

#endif  // HEDDLE_LOCK_ORDER

}  // namespace heddle
