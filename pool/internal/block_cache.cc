#include "heddle/pool/internal/block_cache.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#include "absl/base/attributes.h"
#include "absl/base/config.h"
#include "absl/base/optimization.h"
#include "absl/base/thread_annotations.h"
#include "heddle/pool/internal/slab.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace pool_internal {
namespace {

// Blocks come in multiples of kStep: few sizes, and each block begins a cache
// line, so that two threads that use neighbours do not meet.
constexpr size_t kStep = 64;
constexpr size_t kClasses = 8;  // 64 ... 512 bytes; no larger ones
// Slabs of which blocks have come back to a thread, and that it has not told of
// them: one exchange for many blocks, and none of two threads at each.
constexpr size_t kReturned = 4;
// Kept for all threads and sizes.
constexpr size_t kDepotSlabs = 64;

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
// How many blocks of a class a slab has.
constexpr std::array<uint32_t, kClasses> kBlocks = [] {
  std::array<uint32_t, kClasses> blocks{};
  for (size_t c = 0; c < kClasses; ++c) {
    blocks[c] =
        static_cast<uint32_t>((Slab::kBytes - Slab::kHeader) / SizeOf(c));
  }
  return blocks;
}();

// Slabs that nobody uses, for all threads; the one that was used last goes
// first. Constant-initialised and never destroyed: tasks may end while statics
// die.
struct Depot {
  internal::RawLock lock;
  size_t count ABSL_GUARDED_BY(lock) = 0;
  Slab* slabs[kDepotSlabs] ABSL_GUARDED_BY(lock) = {};

  // For the child of a fork(): the slabs are left, because the list may have been
  // in the middle of a change.
  void ResetInChild() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock.ResetInChild();
    count = 0;
  }

  // False if it is full.
  bool Put(Slab& slab) {
    LockGuard guard(lock);
    if (count == kDepotSlabs) return false;
    slabs[count++] = &slab;
    return true;
  }
  // Null if it is empty.
  Slab* Take() {
    LockGuard guard(lock);
    return count == 0 ? nullptr : slabs[--count];
  }
};

constinit Depot depot;
constinit internal::AtFork at_fork([] { depot.ResetInChild(); });

// Opens a slab, and returns its first block.
char* OpenSlab(uint32_t blocks) {
  at_fork.Follow();
  Slab* slab = depot.Take();
  if (slab == nullptr) slab = Slab::Make();
  slab->Open(blocks);
  return slab->blocks();
}

void ReturnTo(Slab& slab, uint32_t blocks) noexcept {
  if (slab.Return(blocks) && !depot.Put(slab)) slab.Delete();
}

// The calling thread's. Constant-initialised and trivially destroyed, so that
// to come by it takes no look whether it is there; Leaver sees to its end.
struct ThreadCache {
  // Blocks to be handed out: from `next` to `end`, in one slab.
  struct Open {
    char* next = nullptr;
    char* end = nullptr;
  };
  struct Returned {
    Slab* slab = nullptr;
    uint32_t blocks = 0;

    void Flush() noexcept {
      if (slab != nullptr) ReturnTo(*slab, blocks);
      *this = Returned();
    }
  };

  Open open[kClasses];
  Returned returned[kReturned];
  // The thread has ended but for thread_local objects that are destroyed later:
  // they get and return blocks one by one.
  bool gone = false;
};

constinit thread_local ThreadCache cache;

// Gives back what the thread has, at its end.
struct Leaver {
  ~Leaver() {
    cache.gone = true;
    for (size_t c = 0; c < kClasses; ++c) {
      ThreadCache::Open& open = cache.open[c];
      const auto blocks = static_cast<uint32_t>(
          static_cast<size_t>(open.end - open.next) / SizeOf(c));
      if (blocks > 0) ReturnTo(Slab::Of(open.next), blocks);
      open = ThreadCache::Open();
    }
    for (ThreadCache::Returned& returned : cache.returned) returned.Flush();
  }
  // Whoever uses it has it made.
  void Expect() {}
};

thread_local Leaver leaver;

// The first block of a new slab, which replaces the one that is used up.
ABSL_ATTRIBUTE_NOINLINE void* AllocateInNewSlab(size_t c) {
  if (cache.gone) return OpenSlab(1);
  leaver.Expect();
  char* const first = OpenSlab(kBlocks[c]);
  cache.open[c] = {first + SizeOf(c), first + kBlocks[c] * SizeOf(c)};
  return first;
}

// A block of a slab that `returned` is not about.
ABSL_ATTRIBUTE_NOINLINE void FreeInOtherSlab(ThreadCache::Returned& returned,
                                             Slab& slab) noexcept {
  if (cache.gone) {
    ReturnTo(slab, 1);
    return;
  }
  leaver.Expect();
  returned.Flush();
  returned = {&slab, 1};
}

}  // namespace

size_t MaxCachedBytesPerThread() {
  return kCacheBlocks ? (kClasses + kReturned) * Slab::kBytes : 0;
}

size_t MaxCachedBytesInDepot() {
  return kCacheBlocks ? kDepotSlabs * Slab::kBytes : 0;
}

void* AllocateBlock(size_t size) {
  const size_t c = ClassOf(size);
  if (!kCacheBlocks || c >= kClasses)
    return ::operator new(c < kClasses ? SizeOf(c) : size);
  ThreadCache::Open& open = cache.open[c];
  if (ABSL_PREDICT_FALSE(open.next == open.end)) return AllocateInNewSlab(c);
  char* const block = open.next;
  open.next += SizeOf(c);
  return block;
}

void FreeBlock(void* block, size_t size) noexcept {
  const size_t c = ClassOf(size);
  if (!kCacheBlocks || c >= kClasses) {
    ::operator delete(block);
    return;
  }
  // The one that was handed out last, here, is the next again.
  ThreadCache::Open& open = cache.open[c];
  if (static_cast<char*>(block) + SizeOf(c) == open.next) {
    open.next = static_cast<char*>(block);
    return;
  }
  Slab& slab = Slab::Of(block);
  ThreadCache::Returned& returned =
      cache.returned[reinterpret_cast<uintptr_t>(&slab) / Slab::kBytes %
                     kReturned];
  if (ABSL_PREDICT_FALSE(returned.slab != &slab)) {
    FreeInOtherSlab(returned, slab);
  } else if (++returned.blocks == kBlocks[c]) {
    returned.Flush();
  }
}

}  // namespace pool_internal
}  // namespace heddle
