// The elements of a map, by number: where they are, or in a list of our own.

#ifndef HEDDLE_POOL_INTERNAL_MAP_INPUT_H_
#define HEDDLE_POOL_INTERNAL_MAP_INPUT_H_

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/pool/internal/map_checks.h"
#include "heddle/thread/internal/owned_elements.h"

namespace heddle {
namespace pool_internal {

// Elements where they are, the Element of each as the function is to be given it;
// the range must outlive it.
template <typename Iterator,
          typename ElementType = std::iter_reference_t<Iterator>>
class ViewInput {
 public:
  using Element = ElementType;

  ViewInput(Iterator first, size_t size) : first_(first), size_(size) {}
  size_t size() const { return size_; }
  Element operator[](size_t i) const {
    return static_cast<Element>(
        first_[static_cast<std::iter_difference_t<Iterator>>(i)]);
  }

 private:
  Iterator first_;
  size_t size_;
};

// As an rvalue, if the range has its elements to itself and the function takes
// them so. A bit as a bool, which cannot be written to.
template <typename Function, typename Range,
          typename Reference = std::iter_reference_t<IteratorOf<Range>>>
using ViewElement = std::conditional_t<
    kGivesBits<IteratorOf<Range>>, bool,
    std::conditional_t<
        internal::kOwnsElements<Range> &&
            std::is_lvalue_reference_v<Reference> &&
            std::is_invocable_v<const Function&,
                                std::remove_reference_t<Reference>&&>,
        std::remove_reference_t<Reference>&&, Reference>>;

template <typename Function, typename Range>
auto View(Range& range) {
  const auto first = std::begin(range);
  return ViewInput<IteratorOf<Range>, ViewElement<Function, Range>>(
      first, static_cast<size_t>(std::end(range) - first));
}

// Elements that are our own: the function may move them away.
template <typename T>
class ListInput {
 public:
  using Element = T&&;

  size_t size() const { return cells_.size(); }
  Element operator[](size_t i) { return std::move(cells_[i].value); }
  template <typename Source>
  void Add(Source&& element) {
    cells_.push_back(Cell{static_cast<T>(std::forward<Source>(element))});
  }

 private:
  struct Cell {  // a vector of bool would not be one
    T value;
  };
  std::vector<Cell> cells_;
};

template <typename Range>
auto List(Range&& range) {
  ListInput<std::iter_value_t<IteratorOf<Range>>> list;
  const auto last = std::end(range);
  for (auto it = std::begin(range); !(it == last); ++it)
    list.Add(internal::ReadElement<Range>(it));
  return list;
}

// A container that was moved in whole.
template <typename Container>
class MovedInput {
 public:
  using Element = std::remove_reference_t<
      decltype(std::declval<Container&>()[size_t{0}])>&&;

  explicit MovedInput(Container&& container)
      : container_(std::move(container)) {}
  size_t size() const { return container_.size(); }
  Element operator[](size_t i) { return std::move(container_[i]); }

 private:
  Container container_;
};

// Whether such a container has elements to refer to: those of a vector of bool
// are bits, seen through objects that are gone with the expression.
template <typename Container>
concept HasElementsByNumber = requires(Container& container) {
  requires std::is_lvalue_reference_v<decltype(container[size_t{0}])>;
  { container.size() } -> std::convertible_to<size_t>;
};

// What is to outlive the call: a container that nobody else has is moved in, or
// its elements are, one by one; the elements of everything else are copied.
template <typename Range>
auto Own(Range&& range) {
  if constexpr (internal::kOwnsElements<Range> && CanView<Range> &&
                HasElementsByNumber<Range>) {
    return MovedInput<Range>(std::forward<Range>(range));
  } else {
    return List(std::forward<Range>(range));
  }
}

// Calls a function that is elsewhere.
template <typename Function>
class CallRef {
 public:
  explicit CallRef(const Function& function) : function_(function) {}
  template <typename... Arguments>
  requires std::is_invocable_v<const Function&, Arguments...>
  decltype(auto) operator()(Arguments&&... arguments) const {
    return std::invoke(function_, std::forward<Arguments>(arguments)...);
  }

 private:
  const Function& function_;
};

// Whether a function can be called with the members of a Tuple.
template <typename Function, typename Tuple, typename Numbers>
inline constexpr bool kTakesMembers = false;
template <typename Function, typename Tuple, size_t... i>
inline constexpr bool
    kTakesMembers<Function, Tuple, std::index_sequence<i...>> =
        std::is_invocable_v<Function,
                            decltype(std::get<i>(std::declval<Tuple>()))...>;
template <typename Function, typename Tuple>
concept IsApplicable = requires {
  std::tuple_size<std::remove_cvref_t<Tuple>>::value;
  requires kTakesMembers<Function, Tuple,
                         std::make_index_sequence<std::tuple_size<
                             std::remove_cvref_t<Tuple>>::value>>;
};

// Calls a function with the members of a tuple.
template <typename Function>
class Star {
 public:
  explicit Star(Function function) : function_(std::move(function)) {}
  template <typename Tuple>
  requires IsApplicable<const Function&, Tuple>
  decltype(auto) operator()(Tuple&& tuple) const {
    return std::apply(function_, std::forward<Tuple>(tuple));
  }

 private:
  Function function_;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_MAP_INPUT_H_
