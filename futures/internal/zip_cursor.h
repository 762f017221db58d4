// ZipCursor<Ranges...>: the place that has been reached in several input ranges
// that are read side by side, as long as all have a next element.

#ifndef HEDDLE_FUTURES_INTERNAL_ZIP_CURSOR_H_
#define HEDDLE_FUTURES_INTERNAL_ZIP_CURSOR_H_

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/pool/internal/input_cursor.h"

namespace heddle {
namespace futures_internal {

// The places in arrays that are gone through side by side: what
// std::vector::insert() needs to make all elements in place.
template <typename Element, typename... Iterators>
class ZippedIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = Element;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = Element;

  ZippedIterator(size_t at, const Iterators&... first)
      : at_(static_cast<difference_type>(at)), first_(first...) {}

  Element operator*() const {
    return std::apply(
        [this](const auto&... first) { return Element(first[at_]...); },
        first_);
  }
  ZippedIterator& operator++() {
    ++at_;
    return *this;
  }
  bool operator==(const ZippedIterator& other) const {
    return at_ == other.at_;
  }

 private:
  difference_type at_;
  std::tuple<Iterators...> first_;
};

template <typename... Ranges>
class ZipCursor {
  template <typename Range, typename Cursor = pool_internal::InputCursor<Range>,
            typename Value = std::iter_value_t<typename Cursor::Iterator>>
  static constexpr bool kIsFlat =
      Cursor::kContiguous&& std::is_trivially_copyable_v<Value>&&
          std::is_trivially_default_constructible_v<Value>;

 public:
  // One of each, by value.
  using Element = std::tuple<std::iter_value_t<
      typename pool_internal::InputCursor<Ranges>::Iterator>...>;

  template <typename... Sources>
  explicit ZipCursor(Sources&&... sources)
      : cursors_(std::forward<Sources>(sources)...) {}

  // As those of InputCursor. The ranges are asked in their order, up to the
  // first that is at its end. (Python: zip.)
  bool HasNext() {
    return std::apply(
        [](auto&... cursors) { return (cursors.HasNext() && ...); }, cursors_);
  }
  Element Next() {
    return std::apply(
        [](auto&... cursors) { return Element(cursors.Next()...); }, cursors_);
  }
  void Take() {
    std::apply([](auto&... cursors) { (cursors.Take(), ...); }, cursors_);
  }

  // Whether the elements are numbers or the like, and lie side by side in each of
  // the ranges: they are copied at once, and nothing can fail on the way. Then
  // also: how many are left. REQUIRES: Take() is not called.
  static constexpr bool kIsCopiedAtOnce = (kIsFlat<Ranges> && ...);
  size_t Left() const {
    return std::apply(
        [](auto&... cursors) { return std::min({cursors.Left()...}); },
        cursors_);
  }

  // Appends the next elements to `elements`, `most` of them at most.
  void TakeMany(size_t most, std::vector<Element>& elements) {
    if constexpr (kIsCopiedAtOnce) {
      std::apply(
          [&](auto&... cursors) {
            const size_t count = std::min(most, Left());
            elements.insert(elements.end(), Zip(0, cursors.first()...),
                            Zip(count, cursors.first()...));
            (cursors.Skip(count), ...);
          },
          cursors_);
    } else {
      for (; most > 0 && HasNext(); --most) {
        elements.push_back(Next());
        Take();
      }
    }
  }

 private:
  template <typename... Iterators>
  static auto Zip(size_t at, const Iterators&... first) {
    return ZippedIterator<Element, Iterators...>(at, first...);
  }

  std::tuple<pool_internal::InputCursor<Ranges>...> cursors_;
};

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_ZIP_CURSOR_H_
