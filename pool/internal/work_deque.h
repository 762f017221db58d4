// WorkDeque<T>: pointers that one thread pushes and pops at the bottom, newest
// first, and every thread may steal at the top, oldest first.
//
// The owner pays one exchange for a push and one for a pop; owner and thieves
// meet only over the last element. (Chase and Lev, 2005; the orderings are
// argued below.) The array grows when it must; the outgrown ones, together no
// larger than the last, stay until the deque ends, because a thief may still
// read them.
//
// Thread safety: Push(), Pop() and the destructor for the owner only; the rest
// for every thread.
// Memory ordering: what came before Push(p) is visible to who pops or steals p.

#ifndef HEDDLE_POOL_INTERNAL_WORK_DEQUE_H_
#define HEDDLE_POOL_INTERNAL_WORK_DEQUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "heddle/thread/internal/atomic.h"

namespace heddle {
namespace pool_internal {

template <typename T>
class WorkDeque {
 public:
  // Room for `capacity` pointers before it grows. REQUIRES: a power of two.
  explicit WorkDeque(size_t capacity)
      : array_(new Array(static_cast<int64_t>(capacity))) {}
  WorkDeque(const WorkDeque&) = delete;
  WorkDeque& operator=(const WorkDeque&) = delete;
  ~WorkDeque() {
    // relaxed: the owner, and no thief is left.
    delete array_.load(std::memory_order_relaxed);
  }

  // Appends `pointer` at the bottom. Throws std::bad_alloc if it must grow and
  // cannot; nothing has changed then.
  void Push(T* pointer) {
    // relaxed: only the owner stores these two.
    const int64_t bottom = bottom_.load(std::memory_order_relaxed);
    Array* array = array_.load(std::memory_order_relaxed);
    const int64_t top = top_.load(std::memory_order_acquire);  // [TAKEN]
    if (bottom - top >= array->capacity) array = Grow(array, top, bottom);
    array->at(bottom).store(pointer, std::memory_order_relaxed);  // (D3)
    // seq_cst: the pusher looks for sleepers next; see README.md.
    bottom_.store(bottom + 1, std::memory_order_seq_cst);  // [PUSHED]
  }

  // The same for `count` pointers, in their order, where there is room for
  // them. REQUIRES: it is empty, and they are no more than its first capacity.
  void PushBatch(T* const* pointers, size_t count) {
    // relaxed: only the owner stores these two.
    const int64_t bottom = bottom_.load(std::memory_order_relaxed);
    Array* const array = array_.load(std::memory_order_relaxed);
    static_cast<void>(top_.load(std::memory_order_acquire));  // [TAKEN]
    for (size_t i = 0; i < count; ++i) {
      array->at(bottom + static_cast<int64_t>(i))
          .store(pointers[i], std::memory_order_relaxed);  // (D3)
    }
    bottom_.store(bottom + static_cast<int64_t>(count),
                  std::memory_order_seq_cst);  // [PUSHED]
  }

  // Takes the newest; null if there is none.
  T* Pop() {
    // relaxed: only the owner stores these two.
    const int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
    Array* const array = array_.load(std::memory_order_relaxed);
    bottom_.store(bottom, std::memory_order_seq_cst);    // (D2)
    int64_t top = top_.load(std::memory_order_seq_cst);  // (D2)
    T* taken = nullptr;
    if (top <= bottom) {
      // relaxed: our own store.
      taken = array->at(bottom).load(std::memory_order_relaxed);
      if (top < bottom) return taken;
      // The last one: thieves may want it too.
      if (!top_.compare_exchange_strong(top, top + 1,
                                        std::memory_order_seq_cst)) {
        taken = nullptr;
      }
    }
    bottom_.store(bottom + 1, std::memory_order_release);  // [PUSHED]
    return taken;
  }

  // Takes the oldest; null if there is none.
  T* Steal() {
    for (;;) {
      int64_t top = top_.load(std::memory_order_seq_cst);  // (D2)
      const int64_t bottom =
          bottom_.load(std::memory_order_seq_cst);  // (D2), [PUSHED]
      if (top >= bottom) return nullptr;
      // The pointer is read before it is ours, while it surely is there; if the
      // exchange fails it may be anything, and is forgotten.
      T* const taken = array_
                           .load(std::memory_order_acquire)  // [GROWN]
                           ->at(top)
                           .load(std::memory_order_relaxed);  // (D3)
      if (top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                       std::memory_order_relaxed)) {  // [TAKEN]
        return taken;
      }
    }
  }

  // How many there are; exact for the owner while nobody steals. A pusher's
  // store is seen by who has counted itself asleep before: see README.md.
  size_t Size() const {
    const int64_t top = top_.load(std::memory_order_seq_cst);
    const int64_t bottom = bottom_.load(std::memory_order_seq_cst);
    return bottom > top ? static_cast<size_t>(bottom - top) : 0;
  }

  // Number of the oldest; it changes when that is taken. Only a hint.
  int64_t top() const { return top_.load(std::memory_order_relaxed); }
  // Number that the next one pushed gets. For the owner.
  int64_t bottom() const { return bottom_.load(std::memory_order_relaxed); }

 private:
  struct Array {
    explicit Array(int64_t size)
        : capacity(size),
          slots(new internal::Atomic<T*>[static_cast<size_t>(size)]) {}
    internal::Atomic<T*>& at(int64_t index) {
      return slots[static_cast<size_t>(index & (capacity - 1))];
    }

    const int64_t capacity;
    const std::unique_ptr<internal::Atomic<T*>[]> slots;
    std::unique_ptr<Array> outgrown;
  };

  Array* Grow(Array* old, int64_t top, int64_t bottom) {
    auto grown = std::make_unique<Array>(2 * old->capacity);
    for (int64_t i = top; i < bottom; ++i) {
      // relaxed: our own stores; published below.
      grown->at(i).store(old->at(i).load(std::memory_order_relaxed),
                         std::memory_order_relaxed);
    }
    grown->outgrown.reset(old);
    array_.store(grown.get(), std::memory_order_release);  // [GROWN]
    return grown.release();
  }

  // Elements are numbered in the order in which they were pushed; those there
  // are have the numbers top_ ... bottom_ - 1.
  //
  //   (D1) top_ only grows, and whoever raises it from n to n + 1 has taken
  //        number n. bottom_ is stored by the owner alone.
  //   (D2) The owner takes number b without raising top_ only if it has first
  //        lowered bottom_ to b and then seen top_ < b. A thief takes number b
  //        only if it has first seen top_ == b and then bottom_ > b. These four
  //        are in one total order (seq_cst): if the owner saw top_ < b, top_
  //        became b later, so the thief saw bottom_ later still, as b or less.
  //        Hence they never take the same one.
  //   (D3) The slot of a number that is there is not written: a push writes
  //        slot bottom_, and there are at most `capacity` numbers.
  //   [PUSHED] store of bottom_ in Push() (and in Pop(), which gives the same
  //            pushes back) -> load in Steal(): slot and pointee before the
  //            number.
  //   [GROWN]  store of array_ -> load in Steal(): the copies before the array.
  //            A thief that reads the older array finds the same in it, by (D3).
  //   [TAKEN]  exchange of top_ in Steal() -> load in Push(): the slot was read
  //            before it is used again.
  internal::Atomic<int64_t> top_{0};
  // Thieves write the one, the owner the other: not on one cache line. (By
  // distance: an alignment would be every user's.)
  [[maybe_unused]] char apart_[56];
  internal::Atomic<int64_t> bottom_{0};
  internal::Atomic<Array*> array_;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_WORK_DEQUE_H_
