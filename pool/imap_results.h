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
//     may be endless. It is read by whoever takes results: when it would have
//     to wait, or half of the room is free, or some of it has been for 20 us.
//   - What an element's call threw comes out where its result would, and the
//     next Next() goes on. (Python ends there if chunksize is over 1.) Out of
//     begin() or `++it`, the iterator stands at that element: `*it` throws it
//     again, and the next `++it` goes on.
//   - What the input throws comes out after the results of the elements before
//     it (in any case after they were scheduled); then the range is at its end.
//   - Dropping it stops the rest: what has not begun does not begin.
//   - Elements of an lvalue, and of a view, are copied; those of a container that
//     is an rvalue are moved. So maps of maps need not copy either:
//     pool.IMap(Show, pool.IMap(Load, std::move(paths))).
//   - In a task of the pool, Next() without a limit makes a result that is still
//     queued by itself. Where results in order would wait for the very task that
//     asks, be it by way of others, it throws DeadlockError.
// (Python: multiprocessing.pool.IMapIterator, which reads all of its input at
// once.)
//
// Thread safety: as for any object. Of a pool that has ended, the results of what
// it had accepted are still given; then comes ShutdownError if there are more
// elements, and the end.

#ifndef HEDDLE_POOL_IMAP_RESULTS_H_
#define HEDDLE_POOL_IMAP_RESULTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/pool/errors.h"
#include "heddle/pool/internal/endless_wait.h"
#include "heddle/pool/internal/imap_chunk.h"
#include "heddle/pool/internal/in_place.h"
#include "heddle/pool/internal/input_cursor.h"
#include "heddle/pool/internal/nested_calls.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/internal/ticks.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

struct IMapOptions {
  // How many elements one task takes.
  size_t chunksize = 1;
  // How many may be on their way; 0: 32 for each worker, at least 64 and a chunk.
  size_t buffersize = 0;
};

// `Range` is a reference type if the elements are read from an lvalue.
template <typename Function, typename Range>
class IMapResults {
  using Input = pool_internal::InputCursor<Range>;
  using Element = std::iter_value_t<typename Input::Iterator>;
  using R = std::remove_cvref_t<std::invoke_result_t<const Function&, Element>>;
  using Outcome = pool_internal::Outcome<R>;
  using Value = typename Outcome::Value;
  using Shared = pool_internal::IMapShared<Function, Element, R>;
  using Chunk = typename Shared::Chunk;

 public:
  // They are moved out of it by a map whose input it is.
  using OwnsElements = std::true_type;

  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using pointer = Value*;
    using reference = Value&;

    iterator() = default;
    // If the step to this element has thrown: throws that again.
    reference operator*() const { return results_->Current(); }
    pointer operator->() const { return std::addressof(**this); }
    // Waits for the next result; throws what its call threw, and may be called
    // again then.
    iterator& operator++() {
      results_->Step();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const {
      return !results_->current_.has_value() && results_->failed_ == nullptr;
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
      : pool_(pool.handle()),
        chunksize_(options.chunksize),
        shared_(
            Shared::Ptr::Adopt(new Shared(std::forward<F>(function), ordered))),
        progress_(std::make_unique<Progress>(std::forward<S>(range))) {
    const size_t wanted =
        options.buffersize != 0
            ? options.buffersize
            : std::max<size_t>(64,
                               32 * static_cast<size_t>(pool.max_workers()));
    max_chunks_ = std::max<size_t>(1, wanted / chunksize_);
    while (HasRoom()) TryScheduleNext();
    filled_ = pool_internal::Ticks();
  }
  IMapResults(IMapResults&&) noexcept = default;
  IMapResults& operator=(IMapResults&& other) {
    if (this == &other) return *this;
    if (progress_ != nullptr) shared_->Stop();
    pool_ = std::move(other.pool_);
    chunksize_ = other.chunksize_;
    max_chunks_ = other.max_chunks_;
    shared_ = std::move(other.shared_);
    progress_ = std::move(other.progress_);
    ready_ = std::move(other.ready_);
    position_ = other.position_;
    filled_ = other.filled_;
    current_.reset();
    if (other.current_.has_value())
      current_.emplace(*std::move(other.current_));
    failed_ = std::move(other.failed_);
    return *this;
  }
  ~IMapResults() {
    if (progress_ != nullptr) shared_->Stop();
  }

  // Waits within `limit` for the next result. None: the end. Rethrows what the
  // call threw; throws TimeoutError if the limit passed first, and CancelledError
  // if Terminate() dropped the call. After either it may be called again. What
  // it takes to read the input comes on top of the limit. (Of void functions: an
  // empty value for each call.)
  [[nodiscard]] std::optional<Value> Next(const WaitLimit& limit = {}) {
    if (!ready_ && !AwaitChunk(limit)) return std::nullopt;
    return TakeReady();
  }

  // Waits for all the results that have not been taken; if calls threw, what the
  // first result among them holds is rethrown when all are there.
  std::vector<Value> ToVector() requires(!std::is_void_v<R>) {
    std::vector<Value> all;
    TakeAll([&all](Value&& value) { all.push_back(std::move(value)); });
    return all;
  }
  void Wait() {
    TakeAll([](Value&&) {});
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
    typename Chunk::List chunks;
    typename Chunk::List spares;  // the last may be the ready one
  };

  // A chunk may be said to be larger than the input will ever be.
  static constexpr size_t kMostReserved =
      std::max<size_t>(1, (size_t{1} << 20) / sizeof(Element));

  // If the move out of the result throws, that is still the next one. (Hence one
  // return: it moves no more.)
  std::optional<Value> TakeReady() {
    std::optional<Value> value;
    const bool cancelled = ready_->dropped && ready_->why == nullptr;
    Outcome& outcome = ready_->outcomes[position_];
    std::exception_ptr error = ready_->dropped ? ready_->why : outcome.error;
    if (outcome.value.has_value()) value.emplace(*std::move(outcome.value));
    if (++position_ == ready_->outcomes.size()) {
      ready_->Empty();
      ready_ = typename Chunk::Ptr();
      if (IsTimeToRefill()) Refill();
    }
    if (cancelled)
      internal::Throw(CancelledError("IMap: dropped before it began to run"));
    if (error != nullptr) internal::Rethrow(std::move(error));
    return value;
  }

  template <typename Take>
  void TakeAll(const Take& take) {
    std::exception_ptr first;
    bool more = true;
    while (more) {
      std::exception_ptr error = internal::CatchAll([&] {
        std::optional<Value> next = Next();
        more = next.has_value();
        if (more) take(*std::move(next));
      });
      if (first == nullptr) first = std::move(error);
    }
    if (first != nullptr) internal::Rethrow(std::move(first));
  }

  void Step() {
    current_.reset();
    failed_ = nullptr;
    failed_ = internal::CatchAll([this] {
      if (std::optional<Value> next = Next())
        current_.emplace(*std::move(next));
    });
    if (failed_ != nullptr) internal::Rethrow(failed_);
  }

  Value& Current() {
    if (failed_ != nullptr) internal::Rethrow(failed_);
    return *current_;
  }

  // What has been taken is made good in bursts: to wake a worker for one element
  // takes longer than many a call does. Half of the room may be free, for some
  // 20 us; and none of it while somebody waits here.
  static constexpr int64_t kBurst = 60'000;  // ticks

  bool HasRoom() const {
    return !progress_->over && progress_->chunks.size() < max_chunks_;
  }
  bool IsTimeToRefill() const {
    return progress_->chunks.size() <= max_chunks_ / 2 ||
           pool_internal::Ticks() - filled_ >= kBurst;
  }

  // Reads and schedules until enough is on its way; or, where that takes longer
  // than a burst, until there is a result to take.
  void Refill() {
    const int64_t begun = pool_internal::Ticks();
    while (HasRoom()) {
      TryScheduleNext();
      if (pool_internal::Ticks() - begun >= kBurst && IsNextThere()) break;
    }
    filled_ = pool_internal::Ticks();
  }

  bool IsNextThere() const {
    const typename Chunk::List& chunks = progress_->chunks;
    return !chunks.empty() &&
           (shared_->ordered() ? chunks.front()->ended.IsSet()
                               : shared_->HasArrived());
  }

  // What goes wrong comes out when the results before it have been taken.
  void TryScheduleNext() {
    progress_->error = internal::CatchAll([this] { ScheduleNext(); });
    if (progress_->error != nullptr) progress_->over = true;
  }

  void ScheduleNext() {
    Chunk& chunk = NextSpare();
    chunk.elements.reserve(std::min(chunksize_, kMostReserved));
    std::exception_ptr error = internal::CatchAll([&] { ReadInto(chunk); });
    if (!chunk.elements.empty()) Schedule(chunk);
    if (error != nullptr) internal::Rethrow(std::move(error));
  }

  // The first of the spare chunks, empty.
  Chunk& NextSpare() {
    typename Chunk::List& spares = progress_->spares;
    if (spares.empty()) spares.emplace_back();
    typename Chunk::Ptr& spare = spares.front();
    if (!spare || spare->IsShared()) {
      spare = Chunk::Ptr::Adopt(new Chunk);
    } else {
      spare->Reuse();
    }
    return *spare;
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

  // Once there is a task for it, the chunk, which is the first spare, will end,
  // whatever happens.
  void Schedule(Chunk& chunk) {
    chunk.outcomes.resize(chunk.elements.size());
    Task task(pool_internal::MakeInBlock<pool_internal::IMapTask<Shared>>(
        shared_, typename Chunk::Ptr(&chunk)));
    typename Chunk::List& chunks = progress_->chunks;
    chunks.splice(chunks.end(), progress_->spares, progress_->spares.begin());
    chunk.place = std::prev(chunks.end());
    bool accepted = false;
    std::exception_ptr error =
        internal::CatchAll([&] { accepted = pool_.Schedule(task); });
    if (accepted) return;
    progress_->over = true;
    std::move(task).Drop(error != nullptr ? std::move(error) : Refusal());
  }

  std::exception_ptr Refusal() const {
    return pool_.IsBroken()
               ? internal::MakeExceptionPtr(BrokenPool(
                     "ThreadPool::IMap: an initializer threw; the pool cannot "
                     "be used any more"))
               : internal::MakeExceptionPtr(ShutdownError(
                     "ThreadPool::IMap: the pool is not running any more"));
  }

  // Makes the next chunk that has ended the ready one; false at the end.
  bool AwaitChunk(const WaitLimit& limit) {
    typename Chunk::List& chunks = progress_->chunks;
    if (!IsNextThere()) Refill();
    if (chunks.empty()) {
      if (progress_->error != nullptr)
        internal::Rethrow(std::exchange(progress_->error, nullptr));
      return false;
    }
    RunHere(limit);
    typename Chunk::Ptr chunk;
    if (!shared_->ordered()) {
      chunk = shared_->AwaitArrived(limit);
    } else if (AwaitEnd(*chunks.front(), limit)) {
      chunk = chunks.front();
    }
    if (!chunk) {
      internal::Throw(TimeoutError(
          "IMap: the limit passed before the next result was there"));
    }
    position_ = 0;
    progress_->spares.splice(progress_->spares.end(), chunks, chunk->place);
    ready_ = std::move(chunk);
    return true;
  }

  static bool AwaitEnd(Chunk& chunk, const WaitLimit& limit) {
    if (!pool_internal::IsEndless(limit) || chunk.ended.IsSet())
      return chunk.ended.Wait(limit);
    using pool_internal::EndlessWait;
    const EndlessWait wait(&chunk, EndlessWait::IfRing::kThrow);
    return chunk.ended.Wait();
  }

  // A worker that would wait here without end for what is queued in its own pool
  // makes it instead: in the queue it might wait for this very worker.
  void RunHere(const WaitLimit& limit) {
    if (!pool_internal::IsEndless(limit) || !pool_.IsWorkerHere()) return;
    for (const typename Chunk::Ptr& chunk : progress_->chunks) {
      if (IsNextThere()) return;
      const bool ran = pool_internal::RunWithStack([chunk = chunk,
                                                    shared =
                                                        shared_]() noexcept {
        const pool_internal::NestedCalls::Afresh afresh;  // of stack is enough
        if (!chunk->Claim()) return false;
        shared->Run(chunk);
        return true;
      });
      // Else somebody is at it.
      if (ran || shared_->ordered()) return;
    }
  }

  WorkerPool::Handle pool_;
  size_t chunksize_;
  size_t max_chunks_ = 1;
  typename Shared::Ptr shared_;
  std::unique_ptr<Progress> progress_;  // null when moved from
  typename Chunk::Ptr ready_;
  size_t position_ = 0;
  int64_t filled_ = 0;  // when there was last no room
  // Of the iterators: the result at which they stand, or what the step threw.
  std::optional<Value> current_;
  std::exception_ptr failed_;
};

}  // namespace heddle

#endif  // HEDDLE_POOL_IMAP_RESULTS_H_
