// MapResults: the results of Executor::Map(), in the order of the elements, as
// a range to be gone through once.
//
//   for (const Thumbnail& t : executor.Map(MakeThumbnail, paths)) album.Add(t);
//
//   auto sizes = executor.Map(Measure, Walk(root), {.limit = absl::Seconds(30),
//                                                   .buffersize = 64});
//   for (auto it = sizes.begin(); it != sizes.end(); ++it) {
//     try {
//       total += *it;
//     } catch (const std::system_error&) {
//       ++unreadable;  // this element; the rest goes on
//     }
//   }
//
// The rules:
//   - Work is scheduled by the call of Map(), for all elements or for the first
//     `buffersize`; with a bound, each step forward schedules one more. The
//     input is read as far as that and no further, so it may be endless, or
//     have to wait for its next element.
//   - With a `chunksize`, so many elements are one task: less work for the
//     executor where a call takes less than some microseconds, and more for who
//     waits for the first result. Steps then schedule a chunk whenever one has
//     been gone through, and at least one is on its way.
//   - `*it` waits for its element's result. If the call threw, it rethrows
//     that, and the iteration may go on with `++it`. `++it` waits for nothing:
//     who steps over results without asking for them outruns the bound.
//   - `limit` bounds all of it, from the call of Map(). After it has passed,
//     results that are there are still given. At the first that is not, `*it`
//     throws TimeoutError, the rest is cancelled and the range is at its end;
//     `++it` leaves it there.
//   - Whoever drops the range early cancels what has not begun. What has begun
//     goes on by itself, with copies of its own.
//   - What the input range or the executor throws comes out where the element
//     is read and scheduled. Out of Map(): what was scheduled before is
//     cancelled. Out of `++it` with a bound: the step has been made, what is on
//     its way can still be had, and the next step tries again, with the element
//     that it was about; so does `*it` if nothing is on its way. An executor that
//     has been shut down, or has ended, is not tried again: after its error comes
//     what is on its way, and the end.
//   - Elements of an lvalue, and of a view, are copied; those of a container that
//     is an rvalue are moved, so maps of maps need not copy either. A function
//     that returns an lvalue reference must not refer to its own element.
// (Python: Executor.map() as of 3.16, with `buffersize` of 3.14; `chunksize` as
// for processes, threads ignore it there.)
//
// For all results at once there are ToVector() and Wait(); of void functions the
// range has an empty value for each call.
//
// Thread safety: as for any object.

#ifndef HEDDLE_FUTURES_MAP_RESULTS_H_
#define HEDDLE_FUTURES_MAP_RESULTS_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/futures/future.h"
#include "heddle/futures/internal/map_chunk.h"
#include "heddle/futures/internal/submit_call.h"
#include "heddle/futures/internal/zip_cursor.h"
#include "heddle/futures/progress.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/map_checks.h"
#include "heddle/pool/internal/unit.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

struct ExecutorMapOptions {
  WaitLimit limit = {};   // for all results together, counted from the call
  size_t buffersize = 0;  // how many results may be on their way; 0: no bound
  size_t chunksize = 1;   // how many elements are one task
  Progress* progress = nullptr;  // is told of each step; see progress.h
};

// What Map() reads elements from: an array, or what has begin() and end().
template <typename Range>
concept MapRange = pool_internal::IsRange<Range>;

// A `Range` is a reference type if the elements are read from an lvalue.
template <typename Function, typename... Ranges>
class MapResults {
  using ExecutorCell = internal::Atomic<Executor*>;
  using Input = futures_internal::ZipCursor<Ranges...>;
  using Element = typename Input::Element;
  using T = futures_internal::AppliedResult<Function, Element>;
  using ResultRoom = futures_internal::ResultRoom<T>;
  // Whether results take the places of their elements: not if they are much
  // larger, because all these places may be made at once.
  static constexpr bool kInPlace =
      Input::kFlat && sizeof(ResultRoom) <= 2 * sizeof(Element);
  using Room =
      std::conditional_t<kInPlace, futures_internal::MapCell<Element, T>,
                         ResultRoom>;
  using Value = std::conditional_t<std::is_void_v<T>, pool_internal::Unit,
                                   std::remove_cvref_t<T>>;
  using Call = futures_internal::MapChunkCall<Function, Element, Room>;

 public:
  // They are moved out of it by a map whose input it is.
  using OwnsElements = std::bool_constant<!std::is_reference_v<T>>;

  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = std::conditional_t<std::is_void_v<T>, Value,
                                         std::add_lvalue_reference_t<T>>;

    iterator() = default;

    // Waits for the result of the current element. The reference is good until
    // the next step, and so are other iterators.
    reference operator*() const {
      Room& room = at_ != sure_ ? *at_ : results_->Current();
      if constexpr (std::is_void_v<T>) {
        return Value();
      } else {
        return room.get();
      }
    }

    iterator& operator++() {
      if (sure_ - at_ > 1) {
        results_->state_->at = ++at_;
      } else {
        at_ = sure_ = nullptr;
        results_->Advance();  // may throw
        LookUp();
      }
      return *this;
    }
    void operator++(int) { ++*this; }

    bool operator==(std::default_sentinel_t) const {
      return at_ == sure_ && results_->IsAtEnd();
    }

   private:
    friend class MapResults;
    explicit iterator(MapResults* results) : results_(results) { LookUp(); }

    void LookUp() {
      // A progress is told of each step.
      if (results_->options_.progress != nullptr) return;
      at_ = results_->state_->at;
      sure_ = results_->state_->sure;
    }

    MapResults* results_ = nullptr;
    // The current element if its result is known to be there, and the end of
    // those of which that is known; otherwise the same. Local, so that a loop has
    // them in registers.
    Room* at_ = nullptr;
    Room* sure_ = nullptr;
  };

  // Made by Executor::Map().
  template <typename F, typename... Rs>
  MapResults(std::shared_ptr<const ExecutorCell> executor,
             const ExecutorMapOptions& options, F&& function, Rs&&... ranges)
      : executor_(std::move(executor)),
        options_(Checked(options)),
        function_(std::make_shared<typename Call::SharedFunction>(
            std::forward<F>(function))),
        state_(std::make_unique<State>(std::forward<Rs>(ranges)...)) {
    options_.limit = options.limit.Started();
    // An exception here ends the constructor before the destructor can cancel.
    struct CancelUnlessFilled {
      ~CancelUnlessFilled() {
        if (results != nullptr) results->CancelAll();
      }
      MapResults* results;
    } guard{this};
    FillUp();
    guard.results = nullptr;
  }
  MapResults(MapResults&&) noexcept = default;
  MapResults& operator=(MapResults&& other) noexcept {
    if (this == &other) return *this;
    if (state_ != nullptr) CancelAll();
    executor_ = std::move(other.executor_);
    options_ = std::move(other.options_);
    function_ = std::move(other.function_);
    state_ = std::move(other.state_);
    return *this;
  }
  ~MapResults() {
    if (state_ != nullptr) CancelAll();
  }

  // Waits for all the results that have not been gone through. If calls threw,
  // what the first of them has thrown is rethrown when all have ended. What a
  // step throws comes out at once.
  std::vector<Value> ToVector() requires(!std::is_void_v<T>) {
    std::vector<Value> all;
    TakeAll([&all](auto&& value) {
      all.push_back(std::forward<decltype(value)>(value));
    });
    return all;
  }
  void Wait() {
    TakeAll([](auto&&) {});
  }

  // The range may be gone through once: begin() is where it has got to.
  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const { return std::default_sentinel; }

 private:
  struct Chunk {
    Future<typename Call::Result> future = {};
    size_t size = 1;
  };

  // The place in the input and what is on its way. On the heap: neither a
  // cursor nor a deque moves without ado.
  struct State {
    template <typename... Rs>
    explicit State(Rs&&... ranges) : input(std::forward<Rs>(ranges)...) {}

    Input input;
    std::deque<Chunk> chunks;
    bool over = false;  // nothing more is to be scheduled
    // What an attempt threw that nobody has been told of.
    std::exception_ptr error;
    // Of the first of them: the current element and the end of those whose
    // results are known to be there, the same if the current one's is not; and
    // how many come after these.
    Room* at = nullptr;
    Room* sure = nullptr;
    size_t after = 0;
    // Read, and not taken over by the executor yet; null: nothing.
    std::shared_ptr<std::vector<Element>> unsent;
    std::optional<Element> unsent_one;
    // If kInPlace: for all that has not been handed in; null: made when needed.
    std::shared_ptr<Room[]> cells;
  };

  // A chunk may be said to be larger than the input will ever be.
  static constexpr size_t kMostReserved =
      std::max<size_t>(1, (size_t{1} << 20) / sizeof(Element));

  static const ExecutorMapOptions& Checked(const ExecutorMapOptions& options) {
    if (options.chunksize == 0) {
      internal::Throw(
          std::invalid_argument("Map: chunksize must be greater than 0"));
    }
    return options;
  }

  // Reads and schedules until enough is on its way, if there is so much.
  void FillUp() {
    State& state = *state_;
    if (state.over) return;
    const size_t most =
        options_.buffersize == 0
            ? std::numeric_limits<size_t>::max()
            : std::max<size_t>(options_.buffersize / options_.chunksize, 1);
    std::exception_ptr error = internal::CatchAll([&] {
      while (!state.over && state.chunks.size() < most)
        state.over = !SubmitNext();
    });
    if (error == nullptr) return;
    if (internal::Holds<ShutdownError>(error) ||
        internal::Holds<BrokenExecutor>(error)) {
      state.over = true;
    }
    internal::Rethrow(std::move(error));
  }

  // False if there is no next element.
  bool SubmitNext() {
    if (options_.chunksize > 1) {
      if constexpr (kInPlace) {
        return SubmitNextCells();
      } else {
        return SubmitNextChunk();
      }
    }
    // What cannot be read again is kept until the executor has it; but without a
    // bound nobody tries again.
    if constexpr (Input::kReadsOnce) {
      if (options_.buffersize != 0) {
        if constexpr (std::is_trivially_copy_constructible_v<Element>) {
          return SubmitNextCopy();
        } else {
          return SubmitNextChunk();
        }
      }
    }
    Input& input = state_->input;
    if (!input.HasNext()) return false;
    Submit(1, [&] { return Call(function_, input.Next()); });
    input.Take();
    return true;
  }

  bool SubmitNextCopy() {
    std::optional<Element>& element = state_->unsent_one;
    if (!element.has_value()) {
      if (!state_->input.HasNext()) return false;
      element.emplace(state_->input.Next());
      state_->input.Take();
    }
    Submit(1, [&] { return Call(function_, *element); });
    element.reset();
    return true;
  }

  // What is read is handed in, also if the next element cannot be had.
  bool SubmitNextChunk() {
    std::shared_ptr<std::vector<Element>>& elements = state_->unsent;
    std::exception_ptr error;
    if (elements == nullptr) {
      elements = std::make_shared<std::vector<Element>>();
      error = internal::CatchAll([&] {
        elements->reserve(std::min(options_.chunksize, kMostReserved));
        state_->input.TakeMany(options_.chunksize, *elements);
      });
    }
    const bool some = !elements->empty();
    if (some) {
      Submit(elements->size(), [&] { return Call(function_, elements); });
    }
    elements = nullptr;
    if (error != nullptr) internal::Rethrow(std::move(error));
    return some;
  }

  // If all are to be on their way at once, their cells are one piece of memory:
  // it is touched, and given back, once, and not chunk by chunk.
  bool SubmitNextCells() {
    Input& input = state_->input;
    const size_t left = input.Left();
    const size_t count = std::min(options_.chunksize, left);
    if (count == 0) return false;
    const bool all = options_.buffersize == 0;
    std::shared_ptr<Room[]>& cells = state_->cells;
    if (cells == nullptr)
      cells = std::make_unique_for_overwrite<Room[]>(all ? left : count);
    input.CopyTo(cells.get(), count);
    Submit(count, [&] { return Call(function_, cells, count); });
    input.Skip(count);
    // The chunks keep it.
    cells = all && count < left
                ? std::shared_ptr<Room[]>(cells, cells.get() + count)
                : nullptr;
    return true;
  }

  template <typename MakeCall>
  void Submit(size_t size, const MakeCall& make_call) {
    std::deque<Chunk>& chunks = state_->chunks;
    // Its place first: once the call is scheduled, nothing may fail any more.
    chunks.push_back({.size = size});
    struct PopUnlessSubmitted {
      ~PopUnlessSubmitted() {
        if (!chunks.back().future.valid()) chunks.pop_back();
      }
      std::deque<Chunk>& chunks;
    } guard{chunks};
    Executor* const executor = executor_->load(std::memory_order_acquire);
    if (executor == nullptr)
      internal::Throw(ShutdownError("Map: the executor has ended"));
    chunks.back().future = futures_internal::SubmitCall(*executor, make_call());
    if (chunks.size() == 1) BeginFirst();
  }

  bool HasCurrent() const {
    return state_->at != state_->sure || state_->after != 0;
  }

  // Where a step could not get the next element: tries again.
  void TryAgain() {
    if (state_->error != nullptr)
      internal::Rethrow(std::exchange(state_->error, nullptr));
    FillUp();
  }

  // That cannot be known while the next element cannot be had; what is wrong is
  // then left for who asks for it.
  bool IsAtEnd() {
    if (HasCurrent()) return false;
    if (state_->error == nullptr)
      state_->error = internal::CatchAll([this] { FillUp(); });
    return !HasCurrent() && state_->error == nullptr;
  }

  // The current element's result, which is there; throws what there is instead.
  Room& Current() {
    State& state = *state_;
    if (state.at == state.sure) {
      if (state.after == 0) TryAgain();
      if (state.after == 0)
        internal::Throw(std::out_of_range("Map: there is no further result"));
      typename Call::Result& results = AwaitFirst();
      const size_t i = state.chunks.front().size - state.after;
      const size_t count = results.CountFrom(i);
      state.at = results.rooms() + i;
      state.sure = state.at + count;
      state.after -= count;
    }
    return *state.at;
  }

  typename Call::Result& AwaitFirst() {
    const Future<typename Call::Result>& future = state_->chunks.front().future;
    if (!future.Wait(options_.limit)) {
      CancelAll();
      internal::Throw(
          TimeoutError("Map: the limit passed before all results were there"));
    }
    return future.MutableResult();
  }

  void BeginFirst() {
    const std::deque<Chunk>& chunks = state_->chunks;
    state_->at = state_->sure = nullptr;
    state_->after = chunks.empty() ? 0 : chunks.front().size;
  }

  void Advance() {
    if (!HasCurrent()) return TryAgain();
    if (options_.progress != nullptr) options_.progress->Add(1);
    State& state = *state_;
    if (state.at != state.sure) {
      ++state.at;
    } else {
      --state.after;
    }
    if (HasCurrent()) return;
    state.chunks.pop_front();
    BeginFirst();
    FillUp();
  }

  void CancelAll() {
    for (const Chunk& chunk : state_->chunks) chunk.future.Cancel();
    state_->chunks.clear();
    state_->over = true;
    BeginFirst();
  }

  template <typename Take>
  void TakeAll(const Take& take) {
    std::exception_ptr first;
    for (iterator it = begin(); it != end();) {
      std::exception_ptr error = internal::CatchAll([&] {
        if constexpr (std::is_reference_v<T>) {
          take(*it);
        } else if constexpr (std::is_void_v<T>) {
          take(*it);
        } else {
          take(std::move(*it));
        }
      });
      if (first == nullptr) first = std::move(error);
      error = internal::CatchAll([&] { ++it; });
      if (error == nullptr) continue;
      if (first == nullptr) first = std::move(error);
      break;
    }
    if (first != nullptr) internal::Rethrow(std::move(first));
  }

  std::shared_ptr<const ExecutorCell> executor_;  // null: it has ended
  ExecutorMapOptions options_;
  std::shared_ptr<typename Call::SharedFunction> function_;  // by all calls
  std::unique_ptr<State> state_;  // null when moved from
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_MAP_RESULTS_H_
