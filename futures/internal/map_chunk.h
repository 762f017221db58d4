// MapChunk: the elements of Executor::Map() that one task calls the function
// for, and what came of them.
//
// One element is the rule: it is kept in the task, and what its call throws is
// the task's. Of several, each result has a place of its own, and so has what
// its call threw instead. Where elements are numbers or the like, results take
// their places: half of the memory is touched.

#ifndef HEDDLE_FUTURES_INTERNAL_MAP_CHUNK_H_
#define HEDDLE_FUTURES_INTERNAL_MAP_CHUNK_H_

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/pool/internal/callable_cell.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/call_reporting.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace futures_internal {

// What the function returns for the members of an `Element`, a tuple; what it
// returns of a call's own element, by an rvalue reference, as a value.
template <typename Function, typename Element>
struct AppliedResultOf;

template <typename Function, typename... Members>
struct AppliedResultOf<Function, std::tuple<Members...>> {
  using Returned = std::invoke_result_t<const Function&, Members...>;
  using Type = std::conditional_t<std::is_rvalue_reference_v<Returned>,
                                  std::remove_cvref_t<Returned>, Returned>;
};

template <typename Function, typename Element>
using AppliedResult = typename AppliedResultOf<Function, Element>::Type;

// Room for a result of type T, without a note whether there is one.
template <typename T>
class ResultRoom {
 public:
  ResultRoom() {}
  ResultRoom(const ResultRoom&) = delete;
  ResultRoom& operator=(const ResultRoom&) = delete;
  ~ResultRoom() {}  // the owner has called Destroy() if there is one

  template <typename Call>
  void SetFrom(const Call& call) {
    new (static_cast<void*>(std::addressof(value_))) T(call());
  }
  T& get() { return value_; }
  void Destroy() noexcept {
    internal::CallReporting([this] { value_.~T(); });
  }

 private:
  union {
    std::remove_const_t<T> value_;
  };
};

// A reference or void needs no such note.
template <typename T>
requires(!std::is_object_v<T>) class ResultRoom<T>
    : public pool_internal::ResultCell<T> {
};

// What is kept of an element: of one member that alone, so that many elements may
// be copied to their cells in one piece.
template <typename... Members>
struct KeptElement {
  using Type = std::tuple<Members...>;
};
template <typename Member>
struct KeptElement<Member> {
  using Type = Member;
};

// Room for an element whose members are trivially copied, and then for its
// result.
template <typename Element, typename T>
class MapCell;

template <typename... Members, typename T>
class MapCell<std::tuple<Members...>, T> {
  static_assert((std::is_trivially_copyable_v<Members> && ...));
  using Kept = typename KeptElement<Members...>::Type;

 public:
  MapCell() {}
  MapCell(const MapCell&) = delete;
  MapCell& operator=(const MapCell&) = delete;
  ~MapCell() {}  // as of ResultRoom

  void SetElement(const Members&... members) {
    new (static_cast<void*>(std::addressof(kept_))) Kept(members...);
  }
  template <typename Call>
  void SetFrom(const Call& call) {
    (new (static_cast<void*>(std::addressof(room_))) ResultRoom<T>)
        ->SetFrom(call);
  }
  template <typename Function>
  void CallForElement(const Function& function) {
    Kept kept(kept_);
    SetFrom([&]() -> T {
      if constexpr (sizeof...(Members) == 1) {
        return std::invoke(function, std::move(kept));
      } else {
        return std::apply(function, std::move(kept));
      }
    });
  }
  decltype(auto) get() { return room_.get(); }
  void Destroy() noexcept { room_.Destroy(); }

 private:
  union {
    Kept kept_;
    ResultRoom<T> room_;
  };
};

// The results of the calls of one task, in the order of its elements; `Room` is a
// ResultRoom<T> or a MapCell. Made by the calls, in place: it does not move.
template <typename T, typename Room>
class MapChunkResult {
 public:
  // What this call throws comes out.
  template <typename Function, typename Element>
  MapChunkResult(const Function& function, Element&& element) {
    one_.SetFrom([&]() -> T {
      return std::apply(function, std::forward<Element>(element));
    });
    called_ = 1;
  }
  // What these throw is kept. (If there is no memory for that, the destructor
  // finds what has been made.)
  template <typename Function, typename Element>
  MapChunkResult(const Function& function, std::vector<Element>& elements)
      : MapChunkResult(
            std::make_unique_for_overwrite<Room[]>(elements.size())) {
    Element* const from = elements.data();
    CallAll(elements.size(), [&](Room& room, size_t i) {
      room.SetFrom(
          [&]() -> T { return std::apply(function, std::move(from[i])); });
    });
  }
  // The same for elements that are in the cells.
  template <typename Function>
  MapChunkResult(const Function& function, std::shared_ptr<Room[]> cells,
                 size_t count)
      : MapChunkResult(std::move(cells)) {
    CallAll(count,
            [&](Room& cell, size_t /*i*/) { cell.CallForElement(function); });
  }
  MapChunkResult(const MapChunkResult&) = delete;
  MapChunkResult& operator=(const MapChunkResult&) = delete;
  ~MapChunkResult() {
    if constexpr (std::is_object_v<T> && !std::is_trivially_destructible_v<T>) {
      for (size_t i = 0; i < called_; ++i) {
        if (!Threw(i)) rooms()[i].Destroy();
      }
    }
  }

  // The rooms of the results of all calls.
  Room* rooms() { return many_ != nullptr ? many_.get() : &one_; }

  // How many results there are from the i-th call on, until there is none. If
  // that call threw, rethrows it.
  size_t CountFrom(size_t i) const {
    const auto error = FindError(i);
    if (error == errors_.end()) return called_ - i;
    if (error->first == i) internal::Rethrow(error->second);
    return error->first - i;
  }

 private:
  explicit MapChunkResult(std::shared_ptr<Room[]> rooms)
      : many_(std::move(rooms)) {}

  // call(room, i) for all `size` of them; keeps what they throw.
  template <typename Call>
  void CallAll(size_t size, const Call& call) {
    while (called_ < size) {
      std::exception_ptr error =
          internal::CatchAll([&] { CallUntilOneThrows(size, call); });
      if (error == nullptr) return;
      errors_.emplace_back(called_, std::move(error));
      ++called_;
    }
  }
  // From called_ on, which is in a register meanwhile.
  template <typename Call>
  void CallUntilOneThrows(size_t size, const Call& call) {
    struct Count {
      ~Count() { to = now; }
      size_t& to;
      size_t now;
    } count{called_, called_};
    Room* const rooms = many_.get();
    for (; count.now < size; ++count.now) call(rooms[count.now], count.now);
  }

  // The first error of the i-th call or a later one.
  auto FindError(size_t i) const {
    return std::lower_bound(
        errors_.begin(), errors_.end(), i,
        [](const auto& error, size_t at) { return error.first < at; });
  }

  bool Threw(size_t i) const {
    const auto error = FindError(i);
    return error != errors_.end() && error->first == i;
  }

  size_t called_ = 0;  // so many have a result or an error
  Room one_;
  std::shared_ptr<Room[]> many_;  // null: there is one
  std::vector<std::pair<size_t, std::exception_ptr>> errors_;  // by their place
};

// The task's callable.
template <typename Function, typename Element, typename Room>
class MapChunkCall {
  using T = AppliedResult<Function, Element>;

 public:
  using Result = MapChunkResult<T, Room>;
  using SharedFunction = pool_internal::OwnedCallable<const Function>;

  MapChunkCall(std::shared_ptr<SharedFunction> function, Element element)
      : function_(std::move(function)), one_(std::move(element)) {}
  MapChunkCall(std::shared_ptr<SharedFunction> function,
               std::shared_ptr<std::vector<Element>> elements)
      : function_(std::move(function)), many_(std::move(elements)) {}
  MapChunkCall(std::shared_ptr<SharedFunction> function,
               std::shared_ptr<Room[]> cells, size_t count)
      : function_(std::move(function)),
        cells_(std::move(cells)),
        count_(count) {}

  Result operator()() {
    if constexpr (!std::is_same_v<Room, ResultRoom<T>>) {
      if (cells_ != nullptr)
        return Result(function_->get(), std::move(cells_), count_);
    }
    if (many_ != nullptr) return Result(function_->get(), *many_);
    return Result(function_->get(), std::move(*one_));
  }

 private:
  std::shared_ptr<SharedFunction> function_;
  std::optional<Element> one_;
  // Shared with who may have to hand them in again.
  std::shared_ptr<std::vector<Element>> many_;
  std::shared_ptr<Room[]> cells_;
  size_t count_ = 0;  // of the cells
};

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_MAP_CHUNK_H_
