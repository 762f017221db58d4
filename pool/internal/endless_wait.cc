#include "heddle/pool/internal/endless_wait.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/at_fork.h"
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
constinit internal::AtFork at_fork([] { lock.ResetInChild(); });

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
  at_fork.Follow();
  std::vector<RefPtr<ThreadRecord>> ring;
  for (size_t length = 0;;) {
    ring.reserve(length);  // without the lock: it allocates
    LockGuard guard(lock);
    length = RingLength();
    if (length == 0) {
      outer_ = std::exchange(running_->state().waits_in_, this);  // (E1)
      return;
    }
    if (length > ring.capacity()) continue;
    const EndlessWait* wait = this;
    for (size_t i = 0; i < length; ++i) {
      ring.emplace_back(wait->thread_);
      wait = wait->awaited_.waits_in_;
    }
    break;
  }
  internal::Throw(DeadlockError(Describe(ring)));
}

EndlessWait::~EndlessWait() {
  if (running_ == nullptr) return;
  LockGuard guard(lock);
  running_->state().waits_in_ = outer_;
}

// How many threads are in the ring that this wait would close: 0 if `awaited_`
// does not wait for what runs in this thread.
size_t EndlessWait::RingLength() const {
  const EndlessWait* wait = this;
  for (size_t length = 1;; ++length) {
    const ResultState& next = wait->awaited_;
    if (next.Done()) return 0;  // (E3)
    if (RunsHere(running_, next)) return length;
    wait = next.waits_in_;  // (E2)
    if (wait == nullptr) return 0;
  }
}

}  // namespace pool_internal
}  // namespace heddle
