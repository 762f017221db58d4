#include "heddle/sync/lock_order.h"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/debugging/stacktrace.h"
#include "heddle/sync/internal/lock_graph.h"
#include "heddle/sync/internal/lock_watch.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/call_reporting.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/internal/window.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

// No window (window.h): the graph allocates under it.
class ABSL_LOCKABLE WatchLock {
 public:
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    raw_.lock();
    internal::LeaveWindow();
  }
  void unlock() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    internal::EnterWindow();
    raw_.unlock();
  }
  void ResetInChild() { raw_.ResetInChild(); }

 private:
  internal::RawLock raw_;
};

// Never destroyed: locks are used while statics die.
struct Watch {
  WatchLock lock;
  sync_internal::LockGraph graph ABSL_GUARDED_BY(lock);
  std::shared_ptr<const LockOrderHook> hook ABSL_GUARDED_BY(lock);
};

// Null: not made yet. No `static` of a function: see at_fork.h.
constinit internal::Atomic<Watch*> the_watch{nullptr};

// The child of a fork() begins to watch anew: what other threads held and were in
// the middle of writing is left. The hook stays.
constinit internal::AtFork at_fork([]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Watch* const watch = the_watch.load(std::memory_order_relaxed);  // one thread
  if (watch == nullptr) return;
  watch->lock.ResetInChild();
  new (&watch->graph) sync_internal::LockGraph;
});

Watch& TheWatch() {
  at_fork.Follow();
  Watch* known = the_watch.load(std::memory_order_acquire);
  if (known != nullptr) return *known;
  auto made = std::make_unique<Watch>();
  if (the_watch.compare_exchange_strong(known, made.get(),
                                        std::memory_order_acq_rel)) {
    known = made.release();
  }
  return *known;
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
  constexpr int kOurs = 3;  // this, what called it, and lock()
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

// Asks the graph about a lock that this thread wants, and passes on the answer.
void Report(std::string (LockGraph::*wanted)(uint64_t, const void*,
                                             const Stack&),
            const void* lock) {
  Watch& watch = TheWatch();
  std::string report;
  std::shared_ptr<const LockOrderHook> hook;
  static_cast<void>(internal::CatchAll([&] {
    const Stack stack = StackHere();
    LockGuard guard(watch.lock);
    report = (watch.graph.*wanted)(internal::CurrentIdent(), lock, stack);
    hook = watch.hook;
  }));
  if (report.empty()) return;
  if (hook != nullptr) {
    // lock() is called where nothing may be thrown: in destructors.
    internal::CallReporting([&] { (*hook)(report); });
  } else {
    std::fprintf(stderr, "heddle: %s", report.c_str());
  }
}

}  // namespace

void LockWanted(const void* lock) { Report(&LockGraph::Wanted, lock); }

void LockWantedBack(const void* lock) { Report(&LockGraph::WantedBack, lock); }

void LockTaken(const void* lock) {
  Keep([lock](LockGraph& graph) {
    graph.Taken(internal::CurrentIdent(), lock, StackHere());
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
