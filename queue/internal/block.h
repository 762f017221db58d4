// A header with raw slots for items behind it, in one allocation: what the
// stores of this folder are made of.
//
//   struct Segment { explicit Segment(size_t slots); ... };
//   Segment* segment = NewBlock<Segment, T>(/*slots=*/64);
//   std::construct_at(SlotOf<T>(segment, 3), item);
//   ...
//   std::destroy_at(SlotOf<T>(segment, 3));
//   DeleteBlock<T>(segment);

#ifndef HEDDLE_QUEUE_INTERNAL_BLOCK_H_
#define HEDDLE_QUEUE_INTERNAL_BLOCK_H_

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>

namespace heddle {
namespace queue_internal {

template <typename Header, typename T>
inline constexpr std::align_val_t kBlockAlignment{
    std::max(alignof(Header), alignof(T))};

// Where the first slot lies, from the beginning of the header.
template <typename Header, typename T>
inline constexpr size_t kFirstSlot = (sizeof(Header) + alignof(T) - 1) /
                                     alignof(T) * alignof(T);

// How many slots a block can have at most.
template <typename Header, typename T>
inline constexpr size_t kMaxSlots = (std::numeric_limits<ptrdiff_t>::max() -
                                     kFirstSlot<Header, T>) /
                                    sizeof(T);

// How many slots make a block of about a page, and enough of them that an
// allocation is rare.
template <typename Header, typename T>
inline constexpr size_t kPageOfSlots =
    std::max<size_t>(32, (4096 - kFirstSlot<Header, T>) / sizeof(T));

template <typename Header, typename T>
inline constexpr size_t BlockBytes(size_t slots) {
  return kFirstSlot<Header, T> + slots * sizeof(T);
}

// Makes a block whose header is made from the number of its slots. Throws
// std::bad_alloc.
// REQUIRES: slots <= kMaxSlots.
template <typename Header, typename T>
Header* NewBlock(size_t slots) {
  void* const memory =
      ::operator new(BlockBytes<Header, T>(slots), kBlockAlignment<Header, T>);
  return std::construct_at(static_cast<Header*>(memory), slots);
}

// The same, but null where NewBlock() throws.
template <typename Header, typename T>
Header* TryNewBlock(size_t slots) {
  void* const memory = ::operator new(BlockBytes<Header, T>(slots),
                                      kBlockAlignment<Header, T>, std::nothrow);
  if (memory == nullptr) return nullptr;
  return std::construct_at(static_cast<Header*>(memory), slots);
}

template <typename T, typename Header>
T* SlotOf(Header* block, size_t index) {
  void* const first =
      reinterpret_cast<std::byte*>(block) + kFirstSlot<Header, T>;
  return static_cast<T*>(first) + index;
}

// Frees a block, or nothing if it is null. REQUIRES: its slots are raw.
template <typename T, typename Header>
void DeleteBlock(Header* block) {
  if (block == nullptr) return;
  std::destroy_at(block);
  ::operator delete(block, kBlockAlignment<Header, T>);
}

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_BLOCK_H_
