// What a map says, when it is compiled, of a range or a function that it cannot
// take: one error, in plain words, and none that follow from it.
//
//   if constexpr (CheckRange<Range>()) { ...

#ifndef HEDDLE_POOL_INTERNAL_MAP_CHECKS_H_
#define HEDDLE_POOL_INTERNAL_MAP_CHECKS_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>
#include <utility>

namespace heddle {
namespace pool_internal {

template <typename Range>
using IteratorOf = decltype(std::begin(std::declval<Range&>()));

template <typename Range>
concept IsRange = requires(Range& range) {
  std::begin(range);
  std::end(range);
};

// Whether the elements have numbers by themselves.
template <typename Range>
concept CanView = IsRange<Range> &&
    std::random_access_iterator<IteratorOf<Range>> && requires(Range& range) {
  {
    std::end(range) - std::begin(range)
    } -> std::convertible_to<std::ptrdiff_t>;
};

// Whether what an iterator gives is a bit, seen through an object of its own:
// threads cannot write different bits of one word at the same time.
template <typename Iterator>
inline constexpr bool kGivesBits =
    std::is_class_v<std::iter_reference_t<Iterator>>&&
        std::is_same_v<std::iter_value_t<Iterator>, bool>;

template <typename Range>
constexpr bool CheckRange() {
  static_assert(
      IsRange<Range>,
      "Map: what it goes over must be a range: an array, or what has "
      "begin() and end(); for a count, use ForRange(), or a vector of "
      "the numbers");
  return IsRange<Range>;
}

// A function of all workers, for arguments of these types.
template <typename Function, typename... Elements>
constexpr bool CheckMapFunction() {
  constexpr bool fits = std::is_invocable_v<const Function&, Elements...>;
  constexpr bool fits_lvalues =
      std::is_invocable_v<const Function&,
                          std::remove_reference_t<Elements>&...>;
  static_assert(
      fits || !fits_lvalues,
      "Map: the function takes an element by a reference that is not "
      "const, and each call is given an element of its own; take it by "
      "value or as const &, or go over a range of std::ref(x) to share "
      "them");
  static_assert(
      fits || fits_lvalues,
      "Map: the function cannot be called with an element of each "
      "range; it is called as a const object, because several threads "
      "share it (a mutable lambda cannot be)");
  return fits;
}

template <typename Body>
constexpr bool CheckRangeBody() {
  constexpr bool fits = std::is_invocable_v<Body&, int64_t&>;
  static_assert(fits, "ForRange: the body must take the number, an int64_t");
  return fits;
}

template <typename Range, typename Body>
constexpr bool CheckEachBody() {
  constexpr bool can_view = CanView<Range>;
  static_assert(can_view,
                "ForEach: the range must have random access, as a vector, an "
                "array, a deque or a span has; Map() goes over any range");
  if constexpr (can_view) {
    constexpr bool gives_bits = kGivesBits<IteratorOf<Range>>;
    constexpr bool fits =
        std::is_invocable_v<Body&, std::iter_reference_t<IteratorOf<Range>>>;
    static_assert(!gives_bits,
                  "ForEach: the elements of a vector<bool> are bits that share "
                  "words, which threads cannot write at the same time: take a "
                  "vector<char>, or, to read only, std::as_const(v)");
    static_assert(gives_bits || fits,
                  "ForEach: the body cannot be called with an element");
    return !gives_bits && fits;
  }
  return false;
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_MAP_CHECKS_H_
