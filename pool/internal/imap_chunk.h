// What an IMap is made of: chunks of elements, the task that makes the outcomes of
// one, and what all of them share with whoever takes the results.
//
// A chunk is run or dropped by the first who claims it: its task, or who takes the
// results. It ends once, for good (IMapShared::End()); what is in it belongs to
// who claimed it before that, and to who takes the results after it.
//
// Thread safety: as said at each.

#ifndef HEDDLE_POOL_INTERNAL_IMAP_CHUNK_H_
#define HEDDLE_POOL_INTERNAL_IMAP_CHUNK_H_

#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "heddle/pool/internal/callable_cell.h"
#include "heddle/pool/internal/running_call.h"
#include "heddle/pool/internal/unit.h"
#include "heddle/pool/task.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/call_reporting.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace pool_internal {

// Counts the references to a T; the first belongs to who has made it.
template <typename T>
class Counted {
 public:
  // relaxed: who adds one has one.
  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete static_cast<T*>(this);
  }
  // For who has one. If not, what others did with theirs came before.
  bool IsShared() const { return refs_.load(std::memory_order_acquire) != 1; }

 protected:
  ~Counted() = default;

 private:
  internal::Atomic<int> refs_{1};
};

// What one call came to: a value or what it threw.
template <typename R>
struct Outcome {
  using Value = std::conditional_t<std::is_void_v<R>, Unit, R>;
  std::optional<Value> value;
  std::exception_ptr error;
};

// Some elements, their outcomes, and whether those are there.
template <typename Element, typename R>
struct IMapChunk : Counted<IMapChunk<Element, R>> {
  using Ptr = internal::RefPtr<IMapChunk>;
  using List = std::list<Ptr>;

  // True for the first who asks: the task, or who takes the results. It runs or
  // drops the chunk. (relaxed: what is in it came before the task was scheduled.)
  bool Claim() { return !claimed.exchange(true, std::memory_order_relaxed); }

  // Once all of it has been taken. Keeps the memory for other elements, unless a
  // task that has nothing left to do may keep it for long.
  void Empty() {
    outcomes.clear();
    if (!this->IsShared()) return;
    std::vector<Element>().swap(elements);
    std::vector<Outcome<R>>().swap(outcomes);
  }
  // Once no longer shared: for other elements.
  void Reuse() {
    elements.clear();
    outcomes.clear();
    // relaxed: the task that reads it is scheduled later.
    claimed.store(false, std::memory_order_relaxed);
    dropped = false;
    why = nullptr;
    ended.Clear();
  }

  std::vector<Element> elements;
  std::vector<Outcome<R>> outcomes;
  internal::Atomic<bool> claimed{false};
  bool dropped = false;    // none of them was called,
  std::exception_ptr why;  // because of this; null: cancelled
  // By who takes the results: where it is among those on their way.
  typename List::iterator place;
  Ptr next_arrived;  // guarded by IMapShared::lock
  Event ended;       // after it a task only gives up its reference
};

// What the tasks share with whoever takes the results.
template <typename Function, typename Element, typename R>
class IMapShared : public Counted<IMapShared<Function, Element, R>> {
 public:
  using Ptr = internal::RefPtr<IMapShared>;
  using Chunk = IMapChunk<Element, R>;

  template <typename F>
  IMapShared(F&& f, bool in_order)
      : ordered_(in_order), function_(std::forward<F>(f)) {}
  ~IMapShared() {
    while (last_arrived_ != nullptr) static_cast<void>(TakeArrived());
  }

  bool ordered() const { return ordered_; }

  // No call is to begin any more.
  // relaxed, here and in MakeOutcomes(): only that it ends soon.
  void Stop() { stopped_.store(true, std::memory_order_relaxed); }

  // By who has claimed `chunk`: makes its outcomes, and returns whether no call
  // threw; or drops it.
  bool Run(typename Chunk::Ptr chunk) noexcept {
    const bool ok = MakeOutcomes(*chunk);
    End(std::move(chunk));
    return ok;
  }
  void Drop(typename Chunk::Ptr chunk, std::exception_ptr why) noexcept {
    chunk->dropped = true;
    chunk->why = std::move(why);
    ClearElements(*chunk);
    End(std::move(chunk));
  }

  // If not ordered: waits for a chunk that has ended, and takes the first that
  // has; null if `limit` passed.
  typename Chunk::Ptr AwaitArrived(const WaitLimit& limit) {
    return arrivals_.Acquire(limit) ? TakeArrived() : typename Chunk::Ptr();
  }
  bool HasArrived() const { return arrivals_.value() > 0; }

 private:
  bool MakeOutcomes(Chunk& chunk) noexcept {
    const RunningCall running(&chunk);
    bool ok = true;
    for (size_t i = 0; i < chunk.elements.size(); ++i) {
      if (stopped_.load(std::memory_order_relaxed)) break;
      auto& outcome = chunk.outcomes[i];
      outcome.error = internal::CatchAll([&] {
        auto call = [&]() -> decltype(auto) {
          return std::invoke(function_.get(), std::move(chunk.elements[i]));
        };
        if constexpr (std::is_void_v<decltype(call())>) {
          call();
          outcome.value.emplace();
        } else {
          outcome.value.emplace(call());
        }
      });
      ok = ok && outcome.error == nullptr;
    }
    ClearElements(chunk);
    return ok;
  }

  // Before the end: who sees the results may count on their being gone.
  static void ClearElements(Chunk& chunk) noexcept {
    internal::CallReporting([&chunk] { chunk.elements.clear(); });
  }

  void End(typename Chunk::Ptr chunk) noexcept {
    if (ordered_) {
      chunk->ended.Set();
      return;
    }
    {
      LockGuard guard(lock_);
      Chunk* const last = std::exchange(last_arrived_, chunk.get());
      (last == nullptr ? first_arrived_ : last->next_arrived) =
          std::move(chunk);
    }
    arrivals_.Release();
  }

  typename Chunk::Ptr TakeArrived() {
    LockGuard guard(lock_);
    typename Chunk::Ptr chunk = std::move(first_arrived_);
    first_arrived_ = std::move(chunk->next_arrived);
    if (!first_arrived_) last_arrived_ = nullptr;
    return chunk;
  }

  const bool ordered_;
  OwnedCallable<const Function> function_;
  internal::Atomic<bool> stopped_{false};
  // If not ordered: the chunks that have ended, in that order. In a list that
  // needs no memory, because nothing may fail there.
  Lock lock_;
  typename Chunk::Ptr first_arrived_ ABSL_GUARDED_BY(lock_);
  Chunk* last_arrived_ ABSL_GUARDED_BY(lock_) = nullptr;
  Semaphore arrivals_{0};
};

// A task that makes the outcomes of one chunk, unless that has been done.
template <typename Shared>
class IMapTask final : public Task::Node {
 public:
  using Chunk = typename Shared::Chunk;

  IMapTask(typename Shared::Ptr shared, typename Chunk::Ptr chunk)
      : shared_(std::move(shared)), chunk_(std::move(chunk)) {}

 private:
  bool Run() noexcept override {
    const bool ok = !chunk_->Claim() || shared_->Run(std::move(chunk_));
    DestroyInBlock(this);
    return ok;
  }
  void Drop(std::exception_ptr why) noexcept override {
    if (chunk_->Claim()) shared_->Drop(std::move(chunk_), std::move(why));
    DestroyInBlock(this);
  }

  const typename Shared::Ptr shared_;
  typename Chunk::Ptr chunk_;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_IMAP_CHUNK_H_
