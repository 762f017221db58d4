// IMapResults: the results of ThreadPool::IMap() and IMapUnordered(), as a range
// to be gone through once, while the input is read no further ahead than a bound
// says.
//
//   for (const Digest& digest : pool.IMap(Hash, Walk(root))) Print(digest);
//
//   auto sizes = pool.IMapUnordered(Measure, paths);
//   while (std::optional<Size> size = sizes.Next(absl::Seconds(10))) Add(*size);
//
// The rules:
//   - IMap() gives results in the order of the elements, IMapUnordered() as
//     they come.
//   - Of the input, `buffersize` elements at most are on their way or waiting
//     to be taken; each result that is taken makes room for one. So the input
//     may be endless. It is read by whoever takes results.
//   - What an element's call threw comes out where its result would, and the
//     next Next() goes on. (Python ends there if chunksize is over 1.)
//   - What the input throws comes out after the results of the elements before
//     it (in any case after they were scheduled); then the range is at its end.
//   - Dropping it stops the rest: what has not begun does not begin.
// (Python: multiprocessing.pool.IMapIterator, which reads all of its input at
// once.)
//
// Thread safety: as for any object. The pool must outlive it.

#ifndef HEDDLE_POOL_IMAP_RESULTS_H_
#define HEDDLE_POOL_IMAP_RESULTS_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/callable_cell.h"
#include "heddle/pool/internal/input_cursor.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/call_reporting.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

struct IMapOptions {
  size_t chunksize = 1;   // how many elements one task takes
  size_t buffersize = 0;  // how many may be on their way; 0: 4 for each worker,
                          // and a chunk at least
};

namespace pool_internal {

struct Unit {};

// What one call came to: a value or what it threw.
template <typename R>
struct Outcome {
  using Value = std::conditional_t<std::is_void_v<R>, Unit, R>;
  std::optional<Value> value;
  std::exception_ptr error;
};

// Some elements, their outcomes, and whether those are there.
template <typename Element, typename R>
struct IMapChunk {
  std::vector<Element> elements;
  std::vector<Outcome<R>> outcomes;
  bool dropped = false;    // none of them was called,
  std::exception_ptr why;  // because of this; null: cancelled
  Event ended;             // the last touch by its task
};

// What the tasks share with whoever takes the results.
template <typename Function, typename Element, typename R>
struct IMapShared {
  using Chunk = IMapChunk<Element, R>;

  template <typename F>
  IMapShared(F&& f, bool in_order)
      : function(std::forward<F>(f)), ordered(in_order) {}

  // By a task, whether or not it ran `chunk`.
  void End(std::shared_ptr<Chunk> chunk) noexcept {
    if (ordered) {
      chunk->ended.Set();
      return;
    }
    {
      LockGuard guard(lock);
      arrived.push_back(std::move(chunk));  // room: IMapResults::Schedule()
    }
    arrivals.Release();
  }

  OwnedCallable<const Function> function;
  const bool ordered;
  // Set by who drops the results: no call is to begin any more.
  internal::Atomic<bool> stopped{false};
  // If not ordered: the chunks that have ended, in that order.
  Lock lock;
  std::vector<std::shared_ptr<Chunk>> arrived ABSL_GUARDED_BY(lock);
  Semaphore arrivals{0};
};

// A task that makes the outcomes of one chunk.
template <typename Shared>
class IMapTask final : public Task::Node {
 public:
  using Chunk = typename Shared::Chunk;

  IMapTask(std::shared_ptr<Shared> shared, std::shared_ptr<Chunk> chunk)
      : shared_(std::move(shared)), chunk_(std::move(chunk)) {}

 private:
  bool Run() noexcept override {
    bool ok = true;
    for (size_t i = 0; i < chunk_->elements.size(); ++i) {
      // relaxed: only that it ends soon.
      if (shared_->stopped.load(std::memory_order_relaxed)) break;
      auto& outcome = chunk_->outcomes[i];
      outcome.error = internal::CatchAll([&] {
        auto call = [&]() -> decltype(auto) {
          return std::invoke(shared_->function.get(),
                             std::move(chunk_->elements[i]));
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
    End();
    return ok;
  }
  void Drop(std::exception_ptr why) noexcept override {
    chunk_->dropped = true;
    chunk_->why = std::move(why);
    End();
  }
  void End() {
    // The elements first: who sees the results may count on their being gone.
    internal::CallReporting([this] { chunk_->elements.clear(); });
    shared_->End(std::move(chunk_));
    DestroyInBlock(this);
  }

  const std::shared_ptr<Shared> shared_;
  std::shared_ptr<Chunk> chunk_;
};

}  // namespace pool_internal

// `Range` is a reference type if the elements are read from an lvalue.
template <typename Function, typename Range>
class IMapResults {
  using Input = pool_internal::InputCursor<Range>;
  using Element = std::iter_value_t<typename Input::Iterator>;
  static_assert(
      std::is_invocable_v<const Function&, Element>,
      "IMap: the function cannot be called with an element; it is called as a "
      "const object, because several threads share it (a mutable lambda "
      "cannot be)");
  using R = std::remove_cvref_t<std::invoke_result_t<const Function&, Element>>;
  using Outcome = pool_internal::Outcome<R>;
  using Value = typename Outcome::Value;
  using Shared = pool_internal::IMapShared<Function, Element, R>;
  using Chunk = typename Shared::Chunk;

 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using pointer = Value*;
    using reference = Value&;

    iterator() = default;
    reference operator*() const { return *results_->current_; }
    pointer operator->() const { return &*results_->current_; }
    // Waits for the next result; throws what its call threw, and may be called
    // again then.
    iterator& operator++() {
      results_->Step();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const {
      return !results_->current_.has_value();
    }

   private:
    friend class IMapResults;
    explicit iterator(IMapResults* results) : results_(results) {}
    IMapResults* results_ = nullptr;
  };

  // Made by ThreadPool::IMap() and IMapUnordered().
  template <typename F, typename S>
  IMapResults(WorkerPool& pool, F&& function, S&& range, bool ordered,
              const IMapOptions& options)
      : pool_(&pool),
        chunksize_(options.chunksize),
        shared_(std::make_shared<Shared>(std::forward<F>(function), ordered)),
        progress_(std::make_unique<Progress>(std::forward<S>(range))) {
    const size_t wanted = options.buffersize != 0
                              ? options.buffersize
                              : 4 * static_cast<size_t>(pool.max_workers());
    max_chunks_ = std::max<size_t>(1, wanted / chunksize_);
    FillUp();
  }
  IMapResults(IMapResults&&) noexcept = default;
  IMapResults& operator=(IMapResults&&) = delete;
  ~IMapResults() {
    if (progress_ != nullptr)
      shared_->stopped.store(true, std::memory_order_relaxed);
  }

  // Waits within `limit` for the next result. None: the end. Rethrows what the
  // call threw; throws TimeoutError if the limit passed first, and CancelledError
  // if Terminate() dropped the call. After either it may be called again.
  // (Of void functions: an empty value for each call.)
  std::optional<Value> Next(const WaitLimit& limit = {}) {
    if (ready_ == nullptr && !AwaitChunk(limit)) return std::nullopt;
    Outcome outcome = std::move(ready_->outcomes[position_]);
    const bool cancelled = ready_->dropped && ready_->why == nullptr;
    if (ready_->dropped) outcome.error = ready_->why;
    if (++position_ == ready_->outcomes.size()) {
      ready_.reset();
      FillUp();
    }
    if (cancelled)
      internal::Throw(CancelledError("IMap: dropped before it began to run"));
    if (outcome.error != nullptr) internal::Rethrow(std::move(outcome.error));
    return std::move(outcome.value);
  }

  // The range may be gone through once: begin() waits for the next result.
  iterator begin() {
    Step();
    return iterator(this);
  }
  std::default_sentinel_t end() const { return std::default_sentinel; }

 private:
  // The place in the input and the chunks on their way, the oldest first. On
  // the heap, because a cursor does not move.
  struct Progress {
    template <typename S>
    explicit Progress(S&& source) : input(std::forward<S>(source)) {}

    Input input;
    bool over = false;  // the input has ended, or thrown
    std::exception_ptr error;
    std::deque<std::shared_ptr<Chunk>> chunks;
  };

  void Step() { current_ = Next(); }

  // Reads and schedules until enough is on its way. What goes wrong comes out
  // when the results before it have been taken.
  void FillUp() {
    while (!progress_->over && progress_->chunks.size() < max_chunks_) {
      progress_->error = internal::CatchAll([this] { ScheduleNext(); });
      if (progress_->error != nullptr) progress_->over = true;
    }
  }

  void ScheduleNext() {
    auto chunk = std::make_shared<Chunk>();
    chunk->elements.reserve(chunksize_);
    std::exception_ptr error = internal::CatchAll([&] { ReadInto(*chunk); });
    if (!chunk->elements.empty()) Schedule(std::move(chunk));
    if (error != nullptr) internal::Rethrow(std::move(error));
  }

  void ReadInto(Chunk& chunk) {
    Input& input = progress_->input;
    while (chunk.elements.size() < chunksize_) {
      progress_->over = !input.HasNext();
      if (progress_->over) return;
      chunk.elements.push_back(input.Next());
      input.Take();
    }
  }

  // From here on the chunk will end, whatever happens.
  void Schedule(std::shared_ptr<Chunk> chunk) {
    chunk->outcomes.resize(chunk->elements.size());
    if (!shared_->ordered) {
      LockGuard guard(shared_->lock);
      shared_->arrived.reserve(max_chunks_);
    }
    Task task(pool_internal::MakeInBlock<pool_internal::IMapTask<Shared>>(
        shared_, chunk));
    progress_->chunks.push_back(std::move(chunk));
    bool accepted = false;
    std::exception_ptr error =
        internal::CatchAll([&] { accepted = pool_->Schedule(task); });
    if (accepted) return;
    if (error == nullptr) {
      error = internal::MakeExceptionPtr(
          ShutdownError("ThreadPool::IMap: the pool is not running any more"));
    }
    progress_->over = true;
    std::move(task).Drop(std::move(error));
  }

  // Makes the next chunk that has ended the ready one; false at the end.
  bool AwaitChunk(const WaitLimit& limit) {
    std::deque<std::shared_ptr<Chunk>>& chunks = progress_->chunks;
    if (chunks.empty()) {
      if (progress_->error != nullptr)
        internal::Rethrow(std::exchange(progress_->error, nullptr));
      return false;
    }
    const bool arrived = shared_->ordered ? chunks.front()->ended.Wait(limit)
                                          : shared_->arrivals.Acquire(limit);
    if (!arrived) {
      internal::Throw(TimeoutError(
          "IMap: the limit passed before the next result was there"));
    }
    position_ = 0;
    if (shared_->ordered) {
      ready_ = std::move(chunks.front());
      chunks.pop_front();
      return true;
    }
    LockGuard guard(shared_->lock);
    ready_ = std::move(shared_->arrived.front());
    shared_->arrived.erase(shared_->arrived.begin());
    chunks.pop_front();  // which one does not matter: only how many
    return true;
  }

  WorkerPool* pool_;
  size_t chunksize_;
  size_t max_chunks_ = 1;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Progress> progress_;  // null when moved from
  std::shared_ptr<Chunk> ready_;
  size_t position_ = 0;
  std::optional<Value> current_;
};

}  // namespace heddle

#endif  // HEDDLE_POOL_IMAP_RESULTS_H_
