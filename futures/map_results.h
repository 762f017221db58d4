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
//     its way can still be had, and the next step tries again.
// (Python: Executor.map() as of 3.16, with `buffersize` of 3.14.)
//
// Thread safety: as for any object. The executor must outlive it.

#ifndef HEDDLE_FUTURES_MAP_RESULTS_H_
#define HEDDLE_FUTURES_MAP_RESULTS_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include "heddle/futures/future.h"
#include "heddle/futures/internal/submit_call.h"
#include "heddle/pool/errors.h"
#include "heddle/pool/internal/callable_cell.h"
#include "heddle/pool/internal/input_cursor.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

struct MapOptions {
  WaitLimit limit = {};   // for all results together, counted from the call
  size_t buffersize = 0;  // how many results may be on their way; 0: no bound
};

// `Range` is a reference type if the elements are read from an lvalue.
template <typename Function, typename Range>
class MapResults {
  using Input = pool_internal::InputCursor<Range>;
  using Element = std::iter_value_t<typename Input::Iterator>;
  static_assert(
      std::is_invocable_v<const Function&, Element>,
      "Map: the function cannot be called with an element; it is called as a "
      "const object, because several threads share it (a mutable lambda "
      "cannot be)");
  using T = std::invoke_result_t<const Function&, Element>;

 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::remove_cvref_t<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = std::add_lvalue_reference_t<T>;

    iterator() = default;

    // Waits for the result of the current element. The reference is good until
    // the next step.
    reference operator*() const { return results_->Current(); }

    iterator& operator++() {
      results_->Advance();
      return *this;
    }
    void operator++(int) { ++*this; }

    bool operator==(std::default_sentinel_t) const {
      return results_->progress_->futures.empty();
    }

   private:
    friend class MapResults;
    explicit iterator(MapResults* results) : results_(results) {}
    MapResults* results_ = nullptr;
  };

  // Made by Executor::Map().
  template <typename F, typename R>
  MapResults(Executor& executor, F&& function, R&& range,
             const MapOptions& options)
      : executor_(&executor),
        limit_(options.limit.Started()),
        function_(std::make_shared<SharedFunction>(std::forward<F>(function))),
        progress_(std::make_unique<Progress>(std::forward<R>(range))),
        buffersize_(options.buffersize) {
    // An exception here ends the constructor before the destructor can cancel.
    struct CancelUnlessFilled {
      ~CancelUnlessFilled() {
        if (results != nullptr) results->CancelAll();
      }
      MapResults* results;
    } guard{this};
    while ((buffersize_ == 0 || progress_->futures.size() < buffersize_) &&
           progress_->input.HasNext()) {
      SubmitNext();
    }
    guard.results = nullptr;
  }
  MapResults(MapResults&&) noexcept = default;
  MapResults& operator=(MapResults&&) = delete;
  ~MapResults() {
    if (progress_ != nullptr) CancelAll();
  }

  // The range may be gone through once: begin() is where it has got to.
  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const { return std::default_sentinel; }

 private:
  // What all calls share.
  using SharedFunction = pool_internal::OwnedCallable<const Function>;

  // The place in the input and the results that are on their way. On the heap:
  // neither a cursor nor a deque moves without ado.
  struct Progress {
    template <typename R>
    explicit Progress(R&& source) : input(std::forward<R>(source)) {}

    Input input;
    std::deque<Future<T>> futures;
  };

  void SubmitNext() {
    std::deque<Future<T>>& futures = progress_->futures;
    // Its place first: once the call is scheduled, nothing may fail any more.
    futures.emplace_back();
    struct PopUnlessSubmitted {
      ~PopUnlessSubmitted() {
        if (!futures.back().valid()) futures.pop_back();
      }
      std::deque<Future<T>>& futures;
    } guard{futures};
    futures.back() = futures_internal::SubmitCall(
        *executor_,
        [function = function_, element = static_cast<Element>(
                                   progress_->input.Next())]() mutable -> T {
          return std::invoke(function->get(), std::move(element));
        });
    progress_->input.Take();
  }

  decltype(auto) Current() {
    Future<T>& future = progress_->futures.front();
    if (!future.Wait(limit_)) {
      CancelAll();
      internal::Throw(
          TimeoutError("Map: the limit passed before all results were there"));
    }
    return future.MutableResult();
  }

  void Advance() {
    if (progress_->futures.empty()) return;  // the limit has ended it
    progress_->futures.pop_front();
    if (progress_->input.HasNext()) SubmitNext();
  }

  void CancelAll() {
    for (const Future<T>& future : progress_->futures) future.Cancel();
    progress_->futures.clear();
  }

  Executor* executor_;
  WaitLimit limit_;
  std::shared_ptr<SharedFunction> function_;
  std::unique_ptr<Progress> progress_;  // null when moved from
  size_t buffersize_;
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_MAP_RESULTS_H_
