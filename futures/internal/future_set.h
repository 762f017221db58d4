// FutureSet: the futures of a range, each once, in the order of the range.

#ifndef HEDDLE_FUTURES_INTERNAL_FUTURE_SET_H_
#define HEDDLE_FUTURES_INTERNAL_FUTURE_SET_H_

#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/futures/internal/completions.h"
#include "heddle/pool/internal/result_handle.h"
#include "heddle/pool/internal/result_state.h"

namespace heddle {
namespace futures_internal {

// `all`, without those that are there before; throws std::logic_error, in the
// name of `caller`, if one is null.
States Distinct(const char* caller, States all);

// Whether `Futures` is a range of what has a result; says so if it is not.
template <typename Futures>
constexpr bool CheckFutures() {
  constexpr bool is_range = requires(Futures & futures) {
    std::begin(futures);
    std::end(futures);
  };
  static_assert(is_range,
                "Wait, AsCompleted: they take a range of futures of one type, "
                "as a vector of Future<T>; one future has its own Wait(), and "
                "several are written as a list: Wait({a, b})");
  if constexpr (is_range) {
    constexpr bool has_results = requires(
        std::remove_cvref_t<decltype(*std::begin(std::declval<Futures&>()))>
            future) {
      pool_internal::ResultAccess::StateOf(future);
    };
    static_assert(
        has_results,
        "Wait, AsCompleted: the elements of the range must be futures");
    return has_results;
  }
  return false;
}

template <typename FutureType>
struct FutureSet {
  std::vector<FutureType> futures;
  States states;  // theirs
};

// What is in `futures`, a range of Future<T>. (Not const: a filtered view cannot
// be gone through then.)
template <typename Futures>
auto MakeFutureSet(const char* caller, Futures& futures) {
  using pool_internal::ResultAccess;
  States all;
  for (const auto& future : futures)
    all.push_back(ResultAccess::StateOf(future));
  using FutureType = std::remove_cvref_t<decltype(*std::begin(futures))>;
  FutureSet<FutureType> set;
  set.states = Distinct(caller, std::move(all));
  for (pool_internal::ResultState* const state : set.states) {
    set.futures.push_back(
        FutureType(static_cast<typename FutureType::State*>(state)));
  }
  return set;
}

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_FUTURE_SET_H_
