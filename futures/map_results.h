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
//       ++unreadable;                        // this element's; the rest goes
//       on
//     }
//   }
//
// The rules:
//   - Work is scheduled by the call of Map(), for all elements or for the first
//     `buffersize`; with a bound, each step forward schedules one more, so
//     memory is bounded and endless inputs are fine.
//   - `*it` waits for its element's result. If the call threw, it rethrows
//   that,
//     and the iteration may go on with `++it`.
//   - `limit` bounds all of it, from the call of Map(). When it has passed,
//   `*it`
//     throws TimeoutError, the rest is cancelled and the range is at its end.
//   - Whoever drops the range early cancels what has not begun. What has begun
//     goes on by itself, with copies of its own.
//   - What the input range throws comes out where it is read: of Map(), or of
//     `++it` with a bound; what was scheduled before is cancelled with the
//     range.
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
  using Input = decltype(std::begin(std::declval<Range&>()));
  using Element = typename std::iterator_traits<Input>::value_type;
  static_assert(
      std::is_invocable_v<const Function&, Element>,
      "Map: the function cannot be called with an element; it is called as a "
      "const "
      "object, because several threads share it (a mutable lambda cannot be)");
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
      return results_->futures_.empty();
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
        function_(std::make_shared<const Function>(std::forward<F>(function))),
        input_(std::make_unique<InputRange>(std::forward<R>(range))),
        buffersize_(options.buffersize) {
    // An exception here ends the constructor before the destructor can cancel.
    struct CancelUnlessFilled {
      ~CancelUnlessFilled() {
        if (results != nullptr) results->CancelAll();
      }
      MapResults* results;
    } guard{this};
    while (!input_->AtEnd() &&
           (buffersize_ == 0 || futures_.size() < buffersize_))
      SubmitNext();
    guard.results = nullptr;
  }
  MapResults(MapResults&&) noexcept = default;
  MapResults& operator=(MapResults&&) = delete;
  ~MapResults() { CancelAll(); }

  // The range may be gone through once: begin() is where it has got to.
  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const { return std::default_sentinel; }

 private:
  // Keeps its place in the range; on the heap, so that it stays valid when the
  // results are moved.
  struct InputRange {
    template <typename R>
    explicit InputRange(R&& source)
        : range(std::forward<R>(source)),
          next(std::begin(range)),
          last(std::end(range)) {}

    bool AtEnd() const { return next == last; }

    Range range;
    Input next;
    decltype(std::end(std::declval<Range&>())) last;
  };

  void SubmitNext() {
    futures_.push_back(futures_internal::SubmitCall(
        *executor_,
        [function = function_,
         element = static_cast<Element>(*input_->next)]() mutable -> T {
          return std::invoke(*function, std::move(element));
        }));
    ++input_->next;
  }

  decltype(auto) Current() {
    Future<T>& future = futures_.front();
    if (!future.Wait(limit_)) {
      CancelAll();
      internal::Throw(
          TimeoutError("Map: the limit passed before all results were there"));
    }
    return future.MutableResult();
  }

  void Advance() {
    futures_.pop_front();
    if (!input_->AtEnd()) SubmitNext();
  }

  void CancelAll() {
    for (const Future<T>& future : futures_) future.Cancel();
    futures_.clear();
  }

  Executor* executor_;
  WaitLimit limit_;
  std::shared_ptr<const Function> function_;
  std::unique_ptr<InputRange> input_;
  size_t buffersize_;
  std::deque<Future<T>> futures_;
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_MAP_RESULTS_H_
