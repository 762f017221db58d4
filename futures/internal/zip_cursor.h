// ZipCursor<Ranges...>: the place that has been reached in several input ranges
// that are read side by side, as long as all have a next element.

#ifndef HEDDLE_FUTURES_INTERNAL_ZIP_CURSOR_H_
#define HEDDLE_FUTURES_INTERNAL_ZIP_CURSOR_H_

#include <iterator>
#include <tuple>
#include <utility>

#include "heddle/pool/internal/input_cursor.h"

namespace heddle {
namespace futures_internal {

template <typename... Ranges>
class ZipCursor {
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

 private:
  std::tuple<pool_internal::InputCursor<Ranges>...> cursors_;
};

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_ZIP_CURSOR_H_
