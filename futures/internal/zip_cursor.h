// ZipCursor<Ranges...>: the place that has been reached in several input ranges
// that are read side by side, as long as all have a next element.

#ifndef HEDDLE_FUTURES_INTERNAL_ZIP_CURSOR_H_
#define HEDDLE_FUTURES_INTERNAL_ZIP_CURSOR_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/pool/internal/input_cursor.h"

namespace heddle {
namespace futures_internal {

template <typename... Ranges>
class ZipCursor {
  template <typename Range, typename Cursor = pool_internal::InputCursor<Range>,
            typename Value = std::iter_value_t<typename Cursor::Iterator>>
  static constexpr bool kIsFlat =
      Cursor::kContiguous&& std::is_trivially_copyable_v<Value>;
  // Whether an element may be read once more: it is where it was.
  template <typename Range>
  static constexpr bool kStays = std::is_lvalue_reference_v<
      decltype(std::declval<pool_internal::InputCursor<Range>&>().Next())>;

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
  // Whether Next() takes something out of the ranges, or makes it: then what it
  // returns cannot be had again. If it throws it can.
  static constexpr bool kReadsOnce = !(kStays<Ranges> && ...);
  Element Next() {
    return NextTo([](auto&&... values) {
      return Element(std::forward<decltype(values)>(values)...);
    });
  }
  void Take() {
    std::apply([](auto&... cursors) { (cursors.Take(), ...); }, cursors_);
  }

  // Appends the next elements to `elements`, `most` of them at most.
  void TakeMany(size_t most, std::vector<Element>& elements) {
    for (; most > 0 && HasNext(); --most) {
      // Its place first: what has been read is not to be lost.
      if (elements.size() == elements.capacity())
        elements.reserve(2 * elements.size() + 1);
      NextTo([&](auto&&... values) {
        elements.emplace_back(std::forward<decltype(values)>(values)...);
        return true;
      });
      Take();
    }
  }

  // Whether the elements are numbers or the like, which lie side by side in each
  // of the ranges: nothing can fail when they are copied. Then also: how many are
  // left; the first `count` of them copied to MapCells; and that so many are done
  // with. REQUIRES: Take() is not called.
  static constexpr bool kFlat = (kIsFlat<Ranges> && ...);
  size_t Left() const {
    return std::apply(
        [](const auto&... cursors) { return std::min({cursors.Left()...}); },
        cursors_);
  }
  template <typename Cell>
  void CopyTo(Cell* to, size_t count) const {
    std::apply(
        [&](const auto&... cursors) { Copy(to, count, cursors.first()...); },
        cursors_);
  }
  void Skip(size_t count) {
    std::apply([&](auto&... cursors) { (cursors.Skip(count), ...); }, cursors_);
  }

 private:
  static constexpr bool kKeeps = kReadsOnce && sizeof...(Ranges) > 1;

  // make(values...) of the next elements. If one of the ranges throws, what the
  // others gave is kept.
  template <typename Make>
  decltype(auto) NextTo(const Make& make) {
    if constexpr (kKeeps) {
      return KeptTo(make, std::index_sequence_for<Ranges...>());
    } else {
      return std::apply(
          [&make](auto&... cursors) -> decltype(auto) {
            return make(cursors.Next()...);
          },
          cursors_);
    }
  }
  template <typename Make, size_t... i>
  decltype(auto) KeptTo(const Make& make,
                        std::index_sequence<i...> /*numbers*/) {
    (ReadOne<i>(), ...);
    // If `make` throws, some may have been moved from: then they are lost.
    struct Forget {
      ~Forget() {
        (std::get<i>(cursor.read_).reset(), ...);
        if (!made) cursor.Take();
      }
      ZipCursor& cursor;
      bool made = false;
    } forget{*this};
    decltype(auto) result = make(*std::move(std::get<i>(read_))...);
    forget.made = true;
    return result;
  }
  template <size_t i>
  void ReadOne() {
    auto& value = std::get<i>(read_);
    if (!value.has_value()) value.emplace(std::get<i>(cursors_).Next());
  }

  // The places in registers, not in this object.
  template <typename Cell, typename... Iterators>
  static void Copy(Cell* to, size_t count, Iterators... from) {
    // In one piece, where cells have the size of the one member that they keep:
    // it takes about half as long.
    if constexpr (sizeof...(from) == 1 &&
                  sizeof(Cell) ==
                      (sizeof(std::iter_value_t<Iterators>) + ...)) {
      (std::memcpy(static_cast<void*>(to), std::to_address(from),
                   count * sizeof(Cell)),
       ...);
    } else {
      for (; count > 0; --count) (to++)->SetElement(*from++...);
    }
  }

  std::tuple<pool_internal::InputCursor<Ranges>...> cursors_;
  std::conditional_t<
      kKeeps,
      std::tuple<std::optional<std::iter_value_t<
          typename pool_internal::InputCursor<Ranges>::Iterator>>...>,
      std::tuple<>>
      read_;
};

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_ZIP_CURSOR_H_
