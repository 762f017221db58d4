// AllocateBlock() and FreeBlock(): memory for tasks, reused through a cache of
// the calling thread's.
//
// A task is born in one thread and dies in another, over and over, in few
// sizes. Each thread hands out the blocks of a slab one behind the other (see
// slab.h), which a processor can look ahead to, unlike a list of free blocks; a
// slab of which all have come back is used again as a whole, by whatever
// thread. Fresh memory is touched only while the number of live tasks grows.
// What the depot of free slabs does not keep goes back to the system.
//
// The price: one block that lives long keeps a slab of 4 KiB, whatever became
// of its neighbours.

#ifndef HEDDLE_POOL_INTERNAL_BLOCK_CACHE_H_
#define HEDDLE_POOL_INTERNAL_BLOCK_CACHE_H_

#include <cstddef>

namespace heddle {
namespace pool_internal {

// Memory for `size` bytes, aligned for every type of fundamental alignment.
// Throws std::bad_alloc. REQUIRES: size > 0.
[[nodiscard]] void* AllocateBlock(size_t size);

// Gives back what AllocateBlock(size) returned, in whatever thread.
void FreeBlock(void* block, size_t size) noexcept;

// How many bytes the cache may keep for later: in each thread, and in the
// depot.
size_t MaxCachedBytesPerThread();
size_t MaxCachedBytesInDepot();

// How many bytes of the system's it has: what is in use, and what is kept.
size_t BlockBytesFromSystem();

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_BLOCK_CACHE_H_
