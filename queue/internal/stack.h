// Stack<T>: where the items of a last-in-first-out queue lie.
//
// A chain of chunks of which the last holds the newest items. Without a bound,
// chunks of about a page are added as it grows and freed as it shrinks, but one,
// which is kept for the next time. With a bound there is one chunk of that size.

#ifndef HEDDLE_QUEUE_INTERNAL_STACK_H_
#define HEDDLE_QUEUE_INTERNAL_STACK_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "heddle/queue/internal/block.h"
#include "heddle/thread/internal/var.h"

namespace heddle {
namespace queue_internal {

template <typename T>
class Stack {
  struct Chunk;

 public:
  // All calls under one lock.
  static constexpr bool kHasTwoSides = false;
  static constexpr size_t kMaxBound = kMaxSlots<Chunk, T>;

  // What Drop() leaves: destroyed when this ends, with no lock held.
  class Remains {
   public:
    Remains() = default;
    Remains(const Remains&) = delete;
    Remains& operator=(const Remains&) = delete;
    ~Remains() { DeleteChain(chunk_, used_); }

   private:
    friend class Stack;
    Chunk* chunk_ = nullptr;
    size_t used_ = 0;
  };

  // For at most `bound` items at a time, or for any number of them: 0.
  explicit Stack(size_t bound)
      : top_(NewBlock<Chunk, T>(bound != 0 ? bound : kChunkItems)) {}
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack() {
    DeleteChain(top_, used_);
    DeleteBlock<T>(spare_);
  }

  // Puts an item on top, made from `value`. If that throws, nothing has changed.
  // REQUIRES: there is room.
  template <typename U>
  void Push(U&& value) {
    const size_t used = used_;
    if (used != top_->size) {
      std::construct_at(SlotOf<T>(top_, used), std::forward<U>(value));
      used_ = used + 1;
      return;
    }
    if (spare_ == nullptr) spare_ = NewBlock<Chunk, T>(kChunkItems);
    std::construct_at(SlotOf<T>(spare_, 0), std::forward<U>(value));
    spare_->below = top_;
    top_ = std::exchange(spare_, nullptr);
    used_ = 1;
  }

  // Gives the newest item to `take` as a T&& and destroys what is left of it. If
  // `take` throws, it stays the newest. REQUIRES: there is an item.
  template <typename Take>
  void Pop(Take&& take, Remains& /*remains*/) {
    const size_t rest = used_ - 1;
    T* const item = SlotOf<T>(top_, rest);
    std::forward<Take>(take)(std::move(*item));
    std::destroy_at(item);
    used_ = rest;
    if (rest != 0 || top_->below == nullptr) return;  // (S1)
    Chunk* const emptied = std::exchange(top_, top_->below);
    used_ = top_->size;
    DeleteBlock<T>(std::exchange(spare_, emptied));
  }

  // Leaves all items to `remains`, whole. REQUIRES: nothing is pushed any more.
  void Drop(size_t /*count*/, Remains& remains) {
    remains.chunk_ = std::exchange(top_, nullptr);
    remains.used_ = std::exchange(used_, 0);
  }

 private:
  //   (S1) the items are the first used_ slots of top_ and all slots of those
  //        below. used_ is 0 only if there are no items.
  //   (S2) top_ is null only when all items were dropped, and spare_ is raw.
  struct Chunk {
    explicit Chunk(size_t slots) : size(slots) {}
    const size_t size;
    Chunk* below = nullptr;
  };
  static constexpr size_t kChunkItems = kPageOfSlots<Chunk, T>;

  static void DeleteChain(Chunk* chunk, size_t used) {
    while (chunk != nullptr) {
      Chunk* const below = chunk->below;
      std::destroy_n(SlotOf<T>(chunk, 0), used);
      DeleteBlock<T>(chunk);
      chunk = below;
      if (chunk != nullptr) used = chunk->size;
    }
  }

  Chunk* top_;
  // In a model, what finds two threads here at once.
  internal::Var<size_t> used_ = 0;
  Chunk* spare_ = nullptr;
};

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_STACK_H_
