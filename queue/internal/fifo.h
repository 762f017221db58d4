// Fifo<T>: where the items of a first-in-first-out queue lie.
//
// A chain of segments. Items are put at its end and taken from its beginning,
// and the two sides share nothing but the segments themselves, so that each may
// have a lock of its own. Without a bound, segments of about a page are added at
// the end, and one that has been emptied is kept for the next time. With a bound
// there is one segment of that size, which follows itself: a ring.
//
// What is left of items is destroyed with no lock held, when the Fifo may be gone:
// whoever has the last item may destroy the queue, though other calls have not
// returned. So a segment may outlive its Fifo.
//
// The caller counts the items. After a Push() the put side publishes how many
// were put, and the get side reads that before a Pop(): [ITEM]. In a ring the
// same holds the other way round, of the items taken, before a slot is used
// again: [ROOM].

#ifndef HEDDLE_QUEUE_INTERNAL_FIFO_H_
#define HEDDLE_QUEUE_INTERNAL_FIFO_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "heddle/queue/internal/block.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/prefetch.h"
#include "heddle/thread/internal/var.h"

namespace heddle {
namespace queue_internal {

// `kItemsOfSegment` is for tests; 0: about a page.
template <typename T, size_t kItemsOfSegment = 0>
class Fifo {
  struct Segment;

 public:
  // Push() may run at the same time as Pop() and Drop().
  static constexpr bool kHasTwoSides = true;
  static constexpr size_t kMaxBound = kMaxSlots<Segment, T>;

  // What Pop() and Drop() leave of items: destroyed when this ends, with no lock
  // held. It touches nothing but the items and their segments.
  class Remains {
   public:
    Remains() = default;
    Remains(const Remains&) = delete;
    Remains& operator=(const Remains&) = delete;
    ~Remains() {
      while (count_ != 0) {
        Segment* const segment = segment_;
        const size_t here = std::min<size_t>(count_, segment->size - index_);
        std::destroy_n(SlotOf<T>(segment, index_), here);
        count_ -= here;
        // The `next` of the last one is the put side's.
        if (count_ != 0) segment_ = segment->next;
        index_ = 0;
        DropUses(segment, here);
      }
    }

   private:
    friend class Fifo;
    // `count_` items from a place on.
    Segment* segment_ = nullptr;
    size_t index_ = 0;
    size_t count_ = 0;
  };

  // For at most `bound` items at a time, or for any number of them: 0.
  explicit Fifo(size_t bound) : is_ring_(bound != 0) {
    auto* const first = NewBlock<Segment, T>(is_ring_ ? bound : kSegmentItems);
    if (is_ring_) {
      first->next = first;
      // relaxed: nobody else is here. Pop() leaves nothing there.
      first->uses.store(1, std::memory_order_relaxed);
    }
    put_.segment = first;
    get_.segment = first;
  }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;
  // REQUIRES: it holds no items. Remains may be left.
  ~Fifo() {
    Segment* const segment = get_.segment;
    // A Push() that threw may have added a segment in vain.
    Segment* const next = is_ring_ ? nullptr : segment->next;
    DropUses(segment,
             1 + (is_ring_ ? 0 : kUsesPerSlot * (segment->size - get_.index)));
    DeleteBlock<T>(next);
    // relaxed: nobody else is here.
    DeleteBlock<T>(spare_.load(std::memory_order_relaxed));
  }

  // Puts an item at the end, made from `value`. If that throws, nothing has
  // changed. REQUIRES: there is room.
  template <typename U>
  void Push(U&& value) {
    Segment* segment = put_.segment;
    size_t index = put_.index;
    if (index == segment->size) {
      if (segment->next == nullptr) segment->next = SpareSegment();
      segment = segment->next;
      index = 0;
    }
    // What comes later there was read by the get side, the last time.
    if (index + kAhead < segment->size)
      internal::PrefetchForWrite(SlotOf<T>(segment, index + kAhead));
    std::construct_at(SlotOf<T>(segment, index), std::forward<U>(value));
    put_.segment = segment;
    put_.index = index + 1;
  }

  // Gives the oldest item to `take` as a T&&. If that throws, it stays the
  // oldest. What is left of it goes to `remains`; in a ring, which needs the
  // slot, it is destroyed at once. REQUIRES: there is an item.
  template <typename Take>
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Pop(Take&& take, Remains& remains) {
    Segment* segment = get_.segment;
    size_t index = get_.index;
    if (index == segment->size) {
      segment = segment->next;
      index = 0;
    }
    T* const item = SlotOf<T>(segment, index);
    std::forward<Take>(take)(std::move(*item));
    if (is_ring_) {
      std::destroy_at(item);
    } else {
      Leave(segment, index, 1, remains);
    }
    GoTo(segment, index + 1);
  }

  // Leaves the `count` oldest items to `remains`, whole. REQUIRES: there are as
  // many, nothing is pushed meanwhile and, in a ring, nothing is pushed any
  // more.
  void Drop(size_t count, Remains& remains) {
    // relaxed: the remains are destroyed by this thread.
    if (is_ring_)
      get_.segment->uses.fetch_add(kUsesPerSlot * count,
                                   std::memory_order_relaxed);
    while (count != 0) {
      Segment* segment = get_.segment;
      size_t index = get_.index;
      if (index == segment->size) {
        segment = segment->next;
        index = 0;
      }
      const size_t here = std::min<size_t>(count, segment->size - index);
      Leave(segment, index, here, remains);
      GoTo(segment, index + here);
      count -= here;
    }
  }

 private:
  //   (F1) items lie in the slots from get_ to put_ of the chain that begins with
  //        get_.segment; the other slots of the chain are raw, or remains.
  //   (F2) put_ and the `next` of its segment belong to the put side, get_ and
  //        the items to the get side. [ITEM] and [ROOM] give slots from one to
  //        the other, and with the first slot of a segment the `next` that leads
  //        there.
  //   (F3) `uses` of a segment: one for the Fifo, while the segment is in the
  //        chain, and one for each slot of which no remains have been destroyed,
  //        if T needs that; in a ring, where Pop() leaves none, for each that was
  //        dropped. Who takes the last use away frees the segment, and that is
  //        its last touch of anything here.
  //   (F4) the get side alone takes the Fifo's use away, under its lock, when it
  //        goes on from the segment. If it is the last one then, the segment is
  //        kept as the spare: remains reach neither spare_ nor what is in it.
  //   [USED] release of `uses` by all -> acquire by the last, and by the get side
  //          that finds its own use to be the last.
  //   [SPARE] release of spare_ by the get side -> acquire by the put side.
  struct Segment {
    explicit Segment(size_t slots)
        : size(slots), uses(kUsesPerSlot * slots + 1) {}
    const internal::Var<size_t> size;
    internal::Var<Segment*> next = nullptr;
    internal::Atomic<size_t> uses;
  };
  static constexpr size_t kUsesPerSlot =
      std::is_trivially_destructible_v<T> ? 0 : 1;
  // How far ahead of a Push() a slot is fetched.
  static constexpr size_t kAhead = std::max<size_t>(1, 256 / sizeof(T));
  static constexpr size_t kSegmentItems =
      kItemsOfSegment != 0 ? kItemsOfSegment : kPageOfSlots<Segment, T>;

  // A side, and the distance of a cache line to the next.
  struct Side {
    internal::Var<Segment*> segment = nullptr;
    internal::Var<size_t> index = 0;
    std::byte apart[64];
  };

  Segment* SpareSegment() {
    // relaxed: the exchange checks it.
    if (spare_.load(std::memory_order_relaxed) != nullptr) {
      Segment* const spare =
          spare_.exchange(nullptr, std::memory_order_acquire);  // [SPARE]
      // Only the put side empties it, (F4).
      spare->next = nullptr;
      spare->uses.store(kUsesPerSlot * kSegmentItems + 1,
                        std::memory_order_relaxed);  // relaxed: [ITEM] follows
      return spare;
    }
    return NewBlock<Segment, T>(kSegmentItems);
  }

  // Leaves to `remains` the next `count` items, which are all in `segment`. Those
  // that need no destruction are not left, and not touched any more: their segment
  // may be gone as soon as the lock is.
  static void Leave(Segment* segment, size_t index, size_t count,
                    Remains& remains) {
    if constexpr (kUsesPerSlot == 0) return;
    if (remains.count_ == 0) {
      remains.segment_ = segment;
      remains.index_ = index;
    }
    remains.count_ += count;
  }

  // The get side goes on to a place, at the most one segment further.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void GoTo(Segment* segment, size_t index) {
    Segment* const before = get_.segment;
    get_.segment = segment;
    get_.index = index;
    if (segment != before) GoOut(before);
  }

  // It has gone on from `before`.
  void GoOut(Segment* before) {
    if (before->uses.load(std::memory_order_acquire) != 1) {  // [USED]
      DropUses(before, 1);
      return;
    }
    // (F4). The one before it, if any, is one too many.
    DeleteBlock<T>(
        spare_.exchange(before, std::memory_order_acq_rel));  // [SPARE]
  }

  static void DropUses(Segment* segment, size_t count) {
    if (segment->uses.fetch_sub(count, std::memory_order_acq_rel) == count)
      DeleteBlock<T>(segment);  // (F3), [USED]
  }

  Side put_;
  Side get_;
  internal::Atomic<Segment*> spare_{nullptr};
  const bool is_ring_;
};

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_FIFO_H_
