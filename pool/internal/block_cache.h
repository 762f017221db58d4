// AllocateBlock() and FreeBlock(): memory for tasks, reused through a cache of
// the calling thread's.
//
// A task is born in one thread and dies in another, over and over, in few
// sizes. Each thread keeps a short list of free blocks for each size; a list
// that grows too long or runs empty is exchanged whole with a shared depot, so
// one lock is taken for each kBatch blocks and fresh memory is touched only
// while the number of live tasks grows. What the depot does not keep goes back
// to the system.

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

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_BLOCK_CACHE_H_
