// The elements of a map, by number: where they are, or in a list of our own.

#ifndef HEDDLE_POOL_INTERNAL_MAP_INPUT_H_
#define HEDDLE_POOL_INTERNAL_MAP_INPUT_H_

#include <cstddef>
#include <functional>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace heddle {
namespace pool_internal {

template <typename Range>
using IteratorOf = decltype(std::begin(std::declval<Range&>()));

// Whether the elements have numbers by themselves.
template <typename Range>
inline constexpr bool CanView =
    std::random_access_iterator<IteratorOf<Range>>&& requires(Range& range) {
  {
    std::end(range) - std::begin(range)
    } -> std::convertible_to<std::ptrdiff_t>;
};

// Elements where they are; the range must outlive it.
template <typename Iterator>
class ViewInput {
 public:
  using Element = std::iter_reference_t<Iterator>;

  ViewInput(Iterator first, size_t size) : first_(first), size_(size) {}
  size_t size() const { return size_; }
  Element operator[](size_t i) const {
    return first_[static_cast<std::iter_difference_t<Iterator>>(i)];
  }

 private:
  Iterator first_;
  size_t size_;
};

template <typename Range>
auto View(Range& range) {
  const auto first = std::begin(range);
  return ViewInput<IteratorOf<Range>>(
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
  for (auto it = std::begin(range); !(it == last); ++it) list.Add(*it);
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

// What is to outlive the call: a container that nobody else has is moved in,
// the elements of everything else are copied.
template <typename Range>
auto Own(Range&& range) {
  if constexpr (!std::is_reference_v<Range> && !std::is_const_v<Range> &&
                CanView<Range> &&
                requires { typename Range::allocator_type; }) {
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

// Calls a function with the members of a tuple.
template <typename Function>
class Star {
 public:
  explicit Star(Function function) : function_(std::move(function)) {}
  template <typename Tuple>
  decltype(auto) operator()(Tuple&& tuple) const {
    return std::apply(function_, std::forward<Tuple>(tuple));
  }

 private:
  Function function_;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_MAP_INPUT_H_
