// InputCursor<Range>: the place that has been reached in an input range, read no
// further than elements are wanted: the next one may have to be waited for, or
// there may be no end of them.
//
// Not to be moved: an iterator into a range does not move without ado.

#ifndef HEDDLE_POOL_INTERNAL_INPUT_CURSOR_H_
#define HEDDLE_POOL_INTERNAL_INPUT_CURSOR_H_

#include <cstddef>
#include <iterator>
#include <utility>

#include "heddle/thread/internal/owned_elements.h"

namespace heddle {
namespace pool_internal {

// `Range` is a reference type if the elements are read from an lvalue.
template <typename Range>
class InputCursor {
 public:
  using Iterator = decltype(std::begin(std::declval<Range&>()));
  using Sentinel = decltype(std::end(std::declval<Range&>()));

  template <typename Source>
  explicit InputCursor(Source&& source)
      : range_(std::forward<Source>(source)),
        next_(std::begin(range_)),
        last_(std::end(range_)) {}
  InputCursor(const InputCursor&) = delete;
  InputCursor& operator=(const InputCursor&) = delete;

  // Whether there is a next element; steps to it if the last one was taken. Only
  // called when it is wanted.
  bool HasNext() {
    if (taken_) {
      ++next_;
      taken_ = false;
    }
    return !(next_ == last_);
  }

  // The next element, moved out if it is the range's own; and that it is done
  // with. REQUIRES: HasNext().
  decltype(auto) Next() { return internal::ReadElement<Range>(next_); }
  void Take() { taken_ = true; }

  // Of elements that lie side by side: how many are left; the first of them;
  // and that so many are done with. REQUIRES: Take() is not called.
  static constexpr bool kContiguous =
      std::contiguous_iterator<Iterator> &&
      std::sized_sentinel_for<Sentinel, Iterator>;
  size_t Left() const { return static_cast<size_t>(last_ - next_); }
  const Iterator& first() const { return next_; }
  void Skip(size_t count) {
    next_ += static_cast<std::iter_difference_t<Iterator>>(count);
  }

 private:
  Range range_;
  Iterator next_;
  Sentinel last_;
  bool taken_ = false;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_INPUT_CURSOR_H_
