#include "heddle/pool/internal/endless_wait.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/parking.h"
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

constinit internal::RawLock lock;  // of all waits, and of what is below

// All waits that are entered, by their stacks: as a rule, those of each bucket
// are of one stack.
constexpr size_t kBuckets = 256;
constinit EndlessWait* buckets[kBuckets] ABSL_GUARDED_BY(lock) = {};
constinit uint64_t searches ABSL_GUARDED_BY(lock) = 0;

constinit internal::AtFork at_fork([]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  lock.ResetInChild();
  for (EndlessWait*& first : buckets) first = nullptr;
});

// A stack's identity is the address of a PerThread.
size_t BucketOf(const void* stack) {
  constexpr uint64_t kGolden =
      0x9e3779b97f4a7c15;  // Knuth's multiplicative hash
  return (reinterpret_cast<uintptr_t>(stack) * kGolden) >> 56;
}

}  // namespace

// What a search has found. No memory is taken for it under the lock.
struct EndlessWait::Search {
  // What the error says of the threads in the ring; the first is this one.
  std::string Describe() const {
    const auto name = [](const RefPtr<ThreadRecord>& thread) {
      return thread ? thread->name() : "without a name";
    };
    std::string text = absl::StrCat(
        "Future: this wait would never end: a task in thread ", name(ring[0]));
    if (threads == 1) {
      return absl::StrCat(
          text, " would wait for itself, or for one that has called it");
    }
    const char* link = " would wait for a task in thread ";
    for (size_t i = 1; i < threads && i < kNamed; ++i) {
      absl::StrAppend(&text, link, name(ring[i]));
      link = ", which waits for a task in thread ";
    }
    if (threads > kNamed)
      absl::StrAppend(&text, ", and so on through ", threads - kNamed, " more");
    return absl::StrCat(text, ", which waits for the first");
  }

  static constexpr size_t kNamed = 16;
  RefPtr<ThreadRecord> ring[kNamed];
  size_t threads = 0;
  EndlessWait* last = nullptr;  // of the ring; waits for the first
  EndlessWait* to_visit = nullptr;
  uint64_t number = 0;
};

EndlessWait::EndlessWait(const ResultState& awaited, IfRing if_ring)
    : EndlessWait(&awaited, nullptr, if_ring) {}

EndlessWait::EndlessWait(const void* whole, IfRing if_ring)
    : EndlessWait(nullptr, whole, if_ring) {}

EndlessWait::EndlessWait(const ResultState* awaited, const void* whole,
                         IfRing if_ring)
    : running_(internal::ThisThread().running_call),
      awaited_(awaited),
      whole_(whole),
      if_ring_(if_ring),
      thread_(internal::ThisThread().record) {
  if (running_ == nullptr) return;
  at_fork.Follow();
  Search search;
  {
    internal::WakeList woken;
    LockGuard guard(lock);
    const bool in_ring = FindRing(search);
    if (!in_ring || if_ring == IfRing::kTellAnother) {
      EndlessWait*& first = buckets[BucketOf(running_->stack())];
      next_ = std::exchange(first, this);  // (E1)
      EndlessWait* other = in_ring ? search.last : nullptr;
      while (other != nullptr && !other->CanBeTold())
        other = other->reached_from_;
      if (other != nullptr) other->Tell(woken);  // (E4)
      return;
    }
  }
  internal::Throw(DeadlockError(search.Describe()));
}

EndlessWait::~EndlessWait() {
  if (running_ == nullptr) return;
  LockGuard guard(lock);
  EndlessWait** at = &buckets[BucketOf(running_->stack())];
  while (*at != nullptr && *at != this) at = &(*at)->next_;
  if (*at != nullptr) *at = next_;
}

void EndlessWait::ThrowIfInRing() {
  if (running_ == nullptr || !CanBeTold()) return;
  Search search;
  {
    LockGuard guard(lock);
    if (!FindRing(search)) return;
  }
  internal::Throw(DeadlockError(search.Describe()));
}

// Wakes all who wait for the result, for this one to look again.
void EndlessWait::Tell(internal::WakeList& woken) {
  internal::ParkingSpot spot(awaited_->wait_key());  // (E2)
  told_ = true;
  spot.WakeAll(woken);
}

// Whether what this waits for waits for its stack.
bool EndlessWait::FindRing(Search& search) {
  search.number = ++searches;
  reached_from_ = nullptr;
  for (EndlessWait* at = this; at != nullptr;) {
    if (VisitTargets(*at, search)) {
      search.last = at;
      // From the last to this one; their order is the other way round.
      for (EndlessWait* on = at; on != nullptr; on = on->reached_from_)
        ++search.threads;
      size_t i = search.threads;
      for (EndlessWait* on = at; on != nullptr; on = on->reached_from_) {
        if (--i < Search::kNamed)
          search.ring[i] = RefPtr<ThreadRecord>(on->thread_);
      }
      return true;
    }
    at = search.to_visit;
    if (at != nullptr) search.to_visit = at->next_to_visit_;
  }
  return false;
}

// Notes the waits that what `from` waits for depends on; true if this one's
// stack is that itself.
bool EndlessWait::VisitTargets(EndlessWait& from, Search& search) {
  const void* whole = from.whole_;
  if (from.awaited_ != nullptr) {
    if (from.awaited_->Done()) return false;  // (E3)
    const void* const runner = from.awaited_->runner();
    if (runner == nullptr) return false;
    if (runner != ResultState::kManyRunners) {
      if (runner == running_->stack()) return true;
      EndlessWait* wait = buckets[BucketOf(runner)];
      while (wait != nullptr && wait->running_->stack() != runner)
        wait = wait->next_;
      if (wait != nullptr) Push(*wait, from, search);
      return false;
    }
    whole = from.awaited_;
  }
  if (running_->IsInPartOf(whole)) return true;
  for (EndlessWait* wait : buckets) {
    for (; wait != nullptr; wait = wait->next_) {
      if (wait->running_->IsInPartOf(whole)) Push(*wait, from, search);
    }
  }
  return false;
}

void EndlessWait::Push(EndlessWait& wait, EndlessWait& from, Search& search) {
  if (std::exchange(wait.seen_by_, search.number) == search.number) return;
  wait.reached_from_ = &from;
  wait.next_to_visit_ = std::exchange(search.to_visit, &wait);
}

}  // namespace pool_internal
}  // namespace heddle
