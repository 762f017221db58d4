#include "heddle/pool/internal/endless_wait.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace pool_internal {
namespace {

using internal::RefPtr;
using internal::ThreadRecord;

constinit internal::RawLock lock;  // of all waits_in_

// Whether the callable of `state` is on the stack of this thread.
bool RunsHere(const RunningResult* innermost, const ResultState& state) {
  for (; innermost != nullptr; innermost = innermost->outer()) {
    if (&innermost->state() == &state) return true;
  }
  return false;
}

// What the error says of the threads in a ring; the first is this one.
std::string Describe(const std::vector<RefPtr<ThreadRecord>>& threads) {
  const auto name = [](const RefPtr<ThreadRecord>& thread) {
    return thread ? thread->name() : "without a name";
  };
  std::string ring = absl::StrCat(
      "Future: this wait would never end: a task in thread ", name(threads[0]));
  if (threads.size() == 1) {
    return absl::StrCat(
        ring, " would wait for itself, or for one that has called it");
  }
  const char* link = " would wait for a task in thread ";
  for (size_t i = 1; i < threads.size(); ++i) {
    absl::StrAppend(&ring, link, name(threads[i]));
    link = ", which waits for a task in thread ";
  }
  return absl::StrCat(ring, ", which waits for the first");
}

}  // namespace

EndlessWait::EndlessWait(const ResultState& awaited)
    : running_(internal::ThisThread().running_result),
      awaited_(awaited),
      thread_(internal::ThisThread().record) {
  if (running_ == nullptr) return;
  std::vector<RefPtr<ThreadRecord>> ring;
  {
    LockGuard guard(lock);
    if (!FindRing(ring)) {
      outer_ = std::exchange(running_->state().waits_in_, this);  // (E1)
      return;
    }
  }
  internal::Throw(DeadlockError(Describe(ring)));
}

EndlessWait::~EndlessWait() {
  if (running_ == nullptr) return;
  LockGuard guard(lock);
  running_->state().waits_in_ = outer_;
}

// Whether `awaited_` waits for what runs in this thread. `ring`: the threads
// that come by on the way.
bool EndlessWait::FindRing(std::vector<RefPtr<ThreadRecord>>& ring) const {
  const EndlessWait* wait = this;
  for (;;) {
    const ResultState& next = wait->awaited_;
    if (next.Done()) return false;  // (E3)
    ring.emplace_back(wait->thread_);
    if (RunsHere(running_, next)) return true;
    wait = next.waits_in_;  // (E2)
    if (wait == nullptr) return false;
  }
}

}  // namespace pool_internal
}  // namespace heddle
