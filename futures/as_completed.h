// AsCompleted(): futures one by one, in the order in which they are done.
//
// Example:
//
//   std::vector<Future<Page>> pages;
//   for (const std::string& url : urls) pages.push_back(executor.Submit(Fetch, url));
//   for (Future<Page>& page : AsCompleted(pages, absl::Seconds(30))) {
//     Show(page.Result());
//   }
//
// The rules:
//   - Each future is given once, also if it is in the range several times: first
//     those that are done already, then the others as they are done. A cancelled
//     one is done at once.
//   - `limit` bounds all of it, from the call of AsCompleted(). What is done when
//     it passes is still given; then the step forward (or begin()) throws
//     TimeoutError, which says how many are not done, and the range is at its
//     end.
//   - A future that was given is not held any more. Who drops the range early
//     leaves nothing behind at the others, which are not cancelled.
//   - In a task, without a limit, a step for which nothing is done runs what the
//     task's own pool has queued of the futures, one at a time. The step for the
//     last one throws what Future::Wait() does, and the range is at its end.
// (Python: concurrent.futures.as_completed, whose clock starts at the first step
// though.)
//
// Thread safety: as for any object; several may be over the same futures.

#ifndef HEDDLE_FUTURES_AS_COMPLETED_H_
#define HEDDLE_FUTURES_AS_COMPLETED_H_

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "heddle/futures/future.h"
#include "heddle/futures/internal/completions.h"
#include "heddle/futures/internal/future_set.h"
#include "heddle/futures/progress.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

struct AsCompletedOptions {
  WaitLimit limit = {};          // for all of them, counted from the call
  Progress* progress = nullptr;  // is told of each; see progress.h
};

namespace futures_internal {

[[noreturn]] void ThrowUnfinished(size_t unfinished, size_t all);

// There are none: a list of them is empty.
struct Nothing {
  Nothing() = delete;
};

}  // namespace futures_internal

template <typename FutureType>
class CompletedFutures {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = FutureType;
    using difference_type = std::ptrdiff_t;
    using pointer = FutureType*;
    using reference = FutureType&;

    iterator() = default;

    // The future is the caller's to keep or to move away.
    reference operator*() const { return futures_->current_; }
    pointer operator->() const { return &futures_->current_; }

    // Waits for the next one.
    iterator& operator++() {
      futures_->Advance();
      return *this;
    }
    void operator++(int) { ++*this; }

    bool operator==(std::default_sentinel_t) const { return futures_->at_end_; }

   private:
    friend class CompletedFutures;
    explicit iterator(CompletedFutures* futures) : futures_(futures) {}
    CompletedFutures* futures_ = nullptr;
  };

  // Made by AsCompleted().
  CompletedFutures(futures_internal::FutureSet<FutureType> set,
                   const AsCompletedOptions& options)
      : limit_(options.limit.Started()),
        progress_(options.progress),
        futures_(std::move(set.futures)),
        left_(futures_.size()),
        completions_(
            std::make_unique<futures_internal::Completions>(set.states)) {}
  CompletedFutures(CompletedFutures&&) noexcept = default;
  CompletedFutures& operator=(CompletedFutures&& other) noexcept {
    if (this == &other) return *this;
    completions_ = std::move(other.completions_);  // before futures_: see there
    limit_ = std::move(other.limit_);
    progress_ = other.progress_;
    futures_ = std::move(other.futures_);
    left_ = other.left_;
    current_ = std::move(other.current_);
    begun_ = other.begun_;
    at_end_ = other.at_end_;
    return *this;
  }

  // The range may be gone through once: begin() is where it has got to. Waits
  // for the first future.
  iterator begin() {
    if (!begun_) Advance();
    return iterator(this);
  }
  std::default_sentinel_t end() const { return std::default_sentinel; }

 private:
  void Advance() {
    begun_ = true;
    current_ = FutureType();
    if (at_end_) return;
    at_end_ = true;  // unless there is a next one
    if (left_ == 0) return;
    const std::optional<size_t> next = completions_->Next(limit_);
    if (!next.has_value())
      futures_internal::ThrowUnfinished(left_, futures_.size());
    at_end_ = false;
    --left_;
    current_ = std::move(futures_[*next]);
    if (progress_ != nullptr) progress_->Add(1);
  }

  WaitLimit limit_;
  Progress* progress_;
  std::vector<FutureType> futures_;  // those that were given are empty
  size_t left_;
  // After futures_, whose results it may still be listed at.
  std::unique_ptr<futures_internal::Completions> completions_;
  FutureType current_;
  bool begun_ = false;
  bool at_end_ = false;
};

// The futures of a range of Future<T>, or of AsyncResult<T>, as they are done.
// Throws std::logic_error if one of them has no result behind it, and
// std::bad_alloc.
template <typename Futures>
[[nodiscard]] auto AsCompleted(Futures&& futures,
                               const AsCompletedOptions& options) {
  if constexpr (futures_internal::CheckFutures<Futures>()) {
    return CompletedFutures(
        futures_internal::MakeFutureSet("AsCompleted", futures), options);
  }
}
template <typename Futures>
[[nodiscard]] auto AsCompleted(Futures&& futures, const WaitLimit& limit = {}) {
  return AsCompleted(futures, AsCompletedOptions{.limit = limit});
}
// AsCompleted(futures, {}), which could be either of them.
template <typename Futures>
[[nodiscard]] auto AsCompleted(
    Futures&& futures,
    std::initializer_list<futures_internal::Nothing> /*no_options*/) {
  return AsCompleted(futures, AsCompletedOptions());
}
// Of a list: AsCompleted({a, b}).
template <typename T>
[[nodiscard]] auto AsCompleted(std::initializer_list<Future<T>> futures,
                               const AsCompletedOptions& options) {
  return AsCompleted<const std::initializer_list<Future<T>>&>(futures, options);
}
template <typename T>
[[nodiscard]] auto AsCompleted(std::initializer_list<Future<T>> futures,
                               const WaitLimit& limit = {}) {
  return AsCompleted(futures, AsCompletedOptions{.limit = limit});
}

}  // namespace heddle

#endif  // HEDDLE_FUTURES_AS_COMPLETED_H_
