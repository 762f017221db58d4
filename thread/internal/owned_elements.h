// kOwnsElements<Range>: whether a range that was passed as an rvalue has its
// elements to itself, so that they are moved out of it and not copied.
//
// That is so of what is known to be a container: it has an allocator, or is an
// array, or says so itself. A span or another view, also as an rvalue, shows
// elements that are somebody else's, and not every view says that it is one
// (absl::Span does not): so what is not known is copied.

#ifndef HEDDLE_THREAD_INTERNAL_OWNED_ELEMENTS_H_
#define HEDDLE_THREAD_INTERNAL_OWNED_ELEMENTS_H_

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace heddle {
namespace internal {

// A range may say so itself.
template <typename Range>
concept SaysWhatItOwns = requires {
  typename Range::OwnsElements;
};

template <typename Range>
    struct OwnsElements : std::bool_constant < requires {
  typename Range::allocator_type;
} > {};
template <typename T, size_t n>
struct OwnsElements<std::array<T, n>> : std::true_type {};
template <typename T, size_t n>
struct OwnsElements<T[n]> : std::true_type {};
template <SaysWhatItOwns Range>
struct OwnsElements<Range> : Range::OwnsElements {};

// `Range` is a reference type if it was an lvalue.
template <typename Range>
inline constexpr bool kOwnsElements =
    !std::is_reference_v<Range> && !std::is_const_v<Range> &&
    OwnsElements<std::remove_cv_t<Range>>::value;

// What `*it` is, of an iterator into such a Range: an rvalue if the element is
// the range's own.
template <typename Range, typename Iterator>
decltype(auto) ReadElement(Iterator& it) {
  if constexpr (kOwnsElements<Range> &&
                std::is_lvalue_reference_v<decltype(*it)>) {
    return std::move(*it);
  } else {
    return *it;
  }
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_OWNED_ELEMENTS_H_
