#include "heddle/pool/internal/block_cache.h"

#include <cstddef>
#include <initializer_list>
#include <new>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace pool_internal {
namespace {

// Blocks come in multiples of kStep: few sizes, so that tasks of different
// callables use each other's. They are aligned as the system's are, not to
// cache lines.
constexpr size_t kStep = 64;
constexpr size_t kClasses = 8;  // 64 ... 512 bytes; no larger ones
constexpr size_t kBatch = 32;   // blocks exchanged with the depot
// Kept for each size. (Measured: with all of a million tasks kept here instead,
// the next million was slower and slower. Blocks come back in the order in which
// workers have run them, and soon no two neighbours are in one cache line's
// reach; the system puts them together again.)
constexpr size_t kDepotBatches = 64;

// Under a sanitizer, and in a model, every block comes from and goes back to the
// system, so that a use after free is seen as one.
#if defined(HEDDLE_MODEL) || defined(ABSL_HAVE_ADDRESS_SANITIZER) || \
    defined(ABSL_HAVE_MEMORY_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
constexpr bool kCacheBlocks = false;
#else
constexpr bool kCacheBlocks = true;
#endif

constexpr size_t ClassOf(size_t size) { return (size - 1) / kStep; }
constexpr size_t SizeOf(size_t size_class) { return (size_class + 1) * kStep; }

struct FreeBlockLink {
  FreeBlockLink* next;
};

// A chain of free blocks of one size.
struct Chain {
  FreeBlockLink* first = nullptr;
  size_t count = 0;

  void Push(void* block) {
    first = new (block) FreeBlockLink{first};
    ++count;
  }
  void* Pop() {
    FreeBlockLink* const block = first;
    first = block->next;
    // The next one was freed by another thread as a rule: its memory comes from
    // that one's processor while this one is filled.
    __builtin_prefetch(first, /*to write*/ 1);
    --count;
    return block;
  }
  void FreeAll() {
    while (count != 0) ::operator delete(Pop());
  }
};

// Full chains, shared by all threads. Constant-initialised and never destroyed:
// tasks may end while statics die.
struct Depot {
  internal::RawLock lock;
  size_t count ABSL_GUARDED_BY(lock) = 0;
  Chain chains[kDepotBatches] ABSL_GUARDED_BY(lock);

  // Takes `chain` over, unless the depot is full.
  bool Put(const Chain& chain) {
    LockGuard guard(lock);
    if (count == kDepotBatches) return false;
    chains[count++] = chain;
    return true;
  }
  // A chain, or an empty one.
  Chain Take() {
    LockGuard guard(lock);
    return count == 0 ? Chain() : chains[--count];
  }
};

constinit Depot depots[kClasses];

// The calling thread's free blocks: `current` is filled and drained, `spare` is
// full or empty. With one list a thread that allocates and frees in turn at its
// edge would go to the depot each time.
struct ThreadCache {
  struct Class {
    Chain current;
    Chain spare;
  };
  Class classes[kClasses];

  ~ThreadCache();
};

// The flag outlives the cache: blocks may be freed by thread_local objects that
// are destroyed after it.
thread_local bool thread_cache_gone = false;
thread_local ThreadCache thread_cache;

ThreadCache::~ThreadCache() {
  thread_cache_gone = true;
  for (size_t c = 0; c < kClasses; ++c) {
    for (Chain* chain : {&classes[c].current, &classes[c].spare}) {
      if (chain->count != kBatch || !depots[c].Put(*chain)) chain->FreeAll();
    }
  }
}

}  // namespace

size_t MaxCachedBytesPerThread() {
  size_t total = 0;
  for (size_t c = 0; c < kClasses; ++c) total += 2 * kBatch * SizeOf(c);
  return kCacheBlocks ? total : 0;
}

size_t MaxCachedBytesInDepot() {
  return MaxCachedBytesPerThread() / 2 * kDepotBatches;
}

void* AllocateBlock(size_t size) {
  const size_t c = ClassOf(size);
  if (!kCacheBlocks || c >= kClasses || thread_cache_gone) {
    return ::operator new(c < kClasses ? SizeOf(c) : size);
  }
  ThreadCache::Class& cache = thread_cache.classes[c];
  if (cache.current.count == 0) {
    cache.current = cache.spare.count != 0 ? cache.spare : depots[c].Take();
    cache.spare = Chain();
    if (cache.current.count == 0) return ::operator new(SizeOf(c));
  }
  return cache.current.Pop();
}

void FreeBlock(void* block, size_t size) noexcept {
  const size_t c = ClassOf(size);
  if (!kCacheBlocks || c >= kClasses || thread_cache_gone) {
    ::operator delete(block);
    return;
  }
  ThreadCache::Class& cache = thread_cache.classes[c];
  if (cache.current.count == kBatch) {
    if (cache.spare.count != 0 && !depots[c].Put(cache.spare))
      cache.spare.FreeAll();
    cache.spare = cache.current;
    cache.current = Chain();
  }
  cache.current.Push(block);
}

}  // namespace pool_internal
}  // namespace heddle
