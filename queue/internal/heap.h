// Heap<T, Compare>: where the items of a priority queue lie.
//
// A binary heap in one block, the smallest item in front. Every comparison of a
// call comes before its first change, and the changes move items without
// throwing: a comparison that throws leaves the heap as it was. An item whose
// move might throw lies in an allocation of its own, so that what moves is a
// pointer.

#ifndef HEDDLE_QUEUE_INTERNAL_HEAP_H_
#define HEDDLE_QUEUE_INTERNAL_HEAP_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "heddle/queue/internal/block.h"
#include "heddle/thread/internal/var.h"

namespace heddle {
namespace queue_internal {

template <typename T, typename Compare>
class Heap {
  static constexpr bool kIsBoxed = !std::is_nothrow_move_constructible_v<T> ||
                                   !std::is_nothrow_move_assignable_v<T>;
  using Entry = std::conditional_t<kIsBoxed, std::unique_ptr<T>, T>;
  struct Array;

 public:
  // All calls under one lock.
  static constexpr bool kHasTwoSides = false;
  static constexpr size_t kMaxBound = kMaxSlots<Array, Entry>;

  // What Drop() leaves: destroyed when this ends, with no lock held.
  class Remains {
   public:
    Remains() = default;
    Remains(const Remains&) = delete;
    Remains& operator=(const Remains&) = delete;
    ~Remains() { DeleteArray(array_, size_); }

   private:
    friend class Heap;
    Array* array_ = nullptr;
    size_t size_ = 0;
  };

  // For at most `bound` items at a time, or for any number of them: 0.
  Heap(size_t bound, Compare compare)
      : is_bounded_(bound != 0),
        compare_(std::move(compare)),
        array_(NewBlock<Array, Entry>(is_bounded_ ? bound : kLeastCapacity)) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap() { DeleteArray(array_, size_); }

  // Puts an item in its place, made from `value`. If a comparison or that
  // throws, nothing has changed. REQUIRES: there is room.
  template <typename U>
  void Push(U&& value) {
    if (size_ == array_->capacity) {
      MoveTo(NewBlock<Array, Entry>(2 * size_));
    }
    size_t place = size_;
    while (place != 0 && compare_(value, ItemAt(Parent(place)))) {
      place = Parent(place);
    }
    if constexpr (kIsBoxed) {
      std::construct_at(EntryAt(size_),
                        std::make_unique<T>(std::forward<U>(value)));
    } else {
      std::construct_at(EntryAt(size_), std::forward<U>(value));
    }
    if (place != size_) {
      Entry entry = std::move(*EntryAt(size_));
      for (size_t i = size_; i != place; i = Parent(i)) {
        *EntryAt(i) = std::move(*EntryAt(Parent(i)));
      }
      *EntryAt(place) = std::move(entry);
    }
    ++size_;
  }

  // Gives the smallest item to `take` as a T&& and destroys what is left of it.
  // If a comparison or `take` throws, it stays. REQUIRES: there is an item.
  template <typename Take>
  void Pop(Take&& take, Remains& /*remains*/) {
    const size_t last = size_ - 1;
    const size_t place = PlaceForLast(last);
    std::forward<Take>(take)(std::move(ItemAt(0)));
    // The items on the way from the front to `place` go up by one: the binary
    // digits of place + 1, after the first, tell the way.
    size_t hole = 0;
    for (int level = static_cast<int>(std::bit_width(place + 1)) - 2;
         level >= 0; --level) {
      const size_t child = ((place + 1) >> level) - 1;
      *EntryAt(hole) = std::move(*EntryAt(child));
      hole = child;
    }
    if (hole != last) *EntryAt(hole) = std::move(*EntryAt(last));
    std::destroy_at(EntryAt(last));
    size_ = last;
    if (!is_bounded_ && size_ >= kLeastCapacity / 2 &&
        size_ < array_->capacity / 4) {
      const size_t half = array_->capacity / 2;
      auto* const smaller = TryNewBlock<Array, Entry>(half);
      if (smaller != nullptr) MoveTo(smaller);
    }
  }

  // Leaves all items to `remains`, whole. REQUIRES: nothing is pushed any more.
  void Drop(size_t /*count*/, Remains& remains) {
    remains.array_ = std::exchange(array_, nullptr);
    remains.size_ = std::exchange(size_, 0);
  }

 private:
  //   (H1) the items are the first size_ slots of array_; none is smaller than
  //        its parent.
  //   (H2) array_ is null only when all items were dropped.
  struct Array {
    explicit Array(size_t slots) : capacity(slots) {}
    const size_t capacity;
  };
  static constexpr size_t kLeastCapacity = kPageOfSlots<Array, Entry>;

  static size_t Parent(size_t i) { return (i - 1) / 2; }

  Entry* EntryAt(size_t i) { return SlotOf<Entry>(array_, i); }
  T& ItemAt(size_t i) {
    if constexpr (kIsBoxed) {
      return **EntryAt(i);
    } else {
      return *EntryAt(i);
    }
  }

  // Where the last item belongs once the first is gone.
  size_t PlaceForLast(size_t last) {
    size_t place = 0;
    for (;;) {
      size_t child = 2 * place + 1;
      if (child >= last) return place;
      if (child + 1 < last && compare_(ItemAt(child + 1), ItemAt(child))) {
        ++child;
      }
      if (!compare_(ItemAt(child), ItemAt(last))) return place;
      place = child;
    }
  }

  void MoveTo(Array* array) {
    std::uninitialized_move_n(EntryAt(0), size_, SlotOf<Entry>(array, 0));
    DeleteArray(std::exchange(array_, array), size_);
  }

  static void DeleteArray(Array* array, size_t size) {
    if (array == nullptr) return;
    std::destroy_n(SlotOf<Entry>(array, 0), size);
    DeleteBlock<Entry>(array);
  }

  const bool is_bounded_;
  Compare compare_;
  Array* array_;
  // In a model, what finds two threads here at once.
  internal::Var<size_t> size_ = 0;
};

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_HEAP_H_
