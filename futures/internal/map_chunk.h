// MapChunk: the elements of Executor::Map() that one task calls the function
// for, and what came of them.
//
// One element is the rule: it is kept in the task, and what its call throws is
// the task's. Of several, each result has a place of its own, and so has what
// its call threw instead.

#ifndef HEDDLE_FUTURES_INTERNAL_MAP_CHUNK_H_
#define HEDDLE_FUTURES_INTERNAL_MAP_CHUNK_H_

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/pool/internal/callable_cell.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace futures_internal {

// What the function returns for the members of an `Element`, a tuple.
template <typename Function, typename Element>
struct AppliedResultOf;

template <typename Function, typename... Members>
struct AppliedResultOf<Function, std::tuple<Members...>> {
  static_assert(
      std::is_invocable_v<const Function&, Members...>,
      "Map: the function cannot be called with an element of each range; it is "
      "called as a const object, because several threads share it (a mutable "
      "lambda cannot be)");
  using Type = std::invoke_result_t<const Function&, Members...>;
};

template <typename Function, typename Element>
using AppliedResult = typename AppliedResultOf<Function, Element>::Type;

template <typename T>
class MapChunkResult {
 public:
  // Made in place by the call: it does not move.
  template <typename Function, typename Element>
  MapChunkResult(const Function& function, Element&& element) {
    Make(one_, function, std::move(element));
  }
  template <typename Function, typename Element>
  MapChunkResult(const Function& function, std::vector<Element>& elements)
      : many_(std::make_unique<Place[]>(elements.size())) {
    for (size_t i = 0; i < elements.size(); ++i) {
      many_[i].error = internal::CatchAll(
          [&] { Make(many_[i], function, std::move(elements[i])); });
    }
  }

  // The result of the i-th call, or what that threw.
  decltype(auto) Get(size_t i) {
    Place& place = many_ == nullptr ? one_ : many_[i];
    if (place.error != nullptr) internal::Rethrow(place.error);
    return place.cell.get();
  }

 private:
  struct Place {
    pool_internal::ResultCell<T> cell;
    std::exception_ptr error;
  };

  template <typename Function, typename Element>
  static void Make(Place& place, const Function& function, Element&& element) {
    place.cell.SetFrom([&]() -> T {
      return std::apply(function, std::forward<Element>(element));
    });
  }

  Place one_;
  std::unique_ptr<Place[]> many_;  // null: there is one
};

// The task's callable.
template <typename Function, typename Element>
class MapChunkCall {
 public:
  using Result = MapChunkResult<AppliedResult<Function, Element>>;
  using SharedFunction = pool_internal::OwnedCallable<const Function>;

  MapChunkCall(std::shared_ptr<SharedFunction> function, Element element)
      : function_(std::move(function)), one_(std::move(element)) {}
  MapChunkCall(std::shared_ptr<SharedFunction> function,
               std::shared_ptr<std::vector<Element>> elements)
      : function_(std::move(function)), many_(std::move(elements)) {}

  Result operator()() {
    if (many_ != nullptr) return Result(function_->get(), *many_);
    return Result(function_->get(), std::move(*one_));
  }

 private:
  std::shared_ptr<SharedFunction> function_;
  std::optional<Element> one_;
  // Shared with who may have to hand them in again.
  std::shared_ptr<std::vector<Element>> many_;
};

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_MAP_CHUNK_H_
