#include "heddle/pool/internal/block_cache.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#include "absl/base/attributes.h"
#include "absl/base/config.h"
#include "absl/base/optimization.h"
#include "heddle/pool/internal/slab.h"
#include "heddle/pool/internal/slab_depot.h"

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
// Slabs that a thread keeps for later, and how many it gets from the depot and
// puts there at once.
constexpr size_t kSpares = 8;
constexpr size_t kSparesAtOnce = 4;

// Under a sanitizer, and in a model, every block comes from and goes back to
// the system, so that a use after free is seen as one.
#if defined(HEDDLE_MODEL) || defined(ABSL_HAVE_ADDRESS_SANITIZER) || \
    defined(ABSL_HAVE_MEMORY_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
constexpr bool kCacheBlocks = false;
#else
constexpr bool kCacheBlocks = true;
#endif

constexpr size_t ClassOf(size_t size) { return (size - 1) / kStep; }
constexpr size_t SizeOf(size_t size_class) { return (size_class + 1) * kStep; }
// How many blocks of a class a slab has, but for the last of a piece, which may
// have one less.
constexpr std::array<uint32_t, kClasses> kBlocks = [] {
  std::array<uint32_t, kClasses> blocks{};
  for (size_t c = 0; c < kClasses; ++c) {
    blocks[c] =
        static_cast<uint32_t>((Slab::kBytes - Slab::kHeader) / SizeOf(c));
  }
  return blocks;
}();

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
  };

  Open open[kClasses];
  Returned returned[kReturned];
  size_t spares = 0;
  FreeSlab spare[kSpares] = {};
  // The thread has ended but for thread_local objects that are destroyed later:
  // they get and return blocks one by one.
  bool gone = false;
};

constinit thread_local ThreadCache cache;

// A slab of which all blocks are back.
ABSL_ATTRIBUTE_NOINLINE void PutSpares() noexcept {
  // The oldest: of those that were used last, more may be in a cache.
  SlabDepot::Put(cache.spare, kSparesAtOnce);
  cache.spares -= kSparesAtOnce;
  std::copy_n(cache.spare + kSparesAtOnce, cache.spares, cache.spare);
}

void PutWhole(Slab& slab) noexcept {
  if (ABSL_PREDICT_FALSE(cache.gone)) {
    const FreeSlab whole = {&slab, slab.piece()};
    SlabDepot::Put(&whole, 1);
    return;
  }
  if (ABSL_PREDICT_FALSE(cache.spares == kSpares)) PutSpares();
  cache.spare[cache.spares++] = {&slab, slab.piece()};
}

FreeSlab TakeSpare() {
  if (ABSL_PREDICT_FALSE(cache.gone)) {
    FreeSlab slab;
    SlabDepot::Take(&slab, 1);
    return slab;
  }
  if (ABSL_PREDICT_FALSE(cache.spares == 0)) {
    cache.spares = SlabDepot::Take(cache.spare, kSparesAtOnce);
    // The last goes first: so addresses grow, as a processor expects.
    std::reverse(cache.spare, cache.spare + cache.spares);
  }
  return cache.spare[--cache.spares];
}

void ReturnTo(Slab& slab, uint32_t blocks) noexcept {
  if (slab.Return(blocks)) PutWhole(slab);
}

void Flush(ThreadCache::Returned& returned) noexcept {
  if (returned.slab != nullptr) ReturnTo(*returned.slab, returned.blocks);
  returned = ThreadCache::Returned();
}

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
    for (ThreadCache::Returned& returned : cache.returned) Flush(returned);
    SlabDepot::Put(cache.spare, cache.spares);
    cache.spares = 0;
  }
  // Whoever uses it has it made.
  void Expect() {}
};

thread_local Leaver leaver;

// The first block of a new slab, which replaces the one that is used up.
ABSL_ATTRIBUTE_NOINLINE void* AllocateInNewSlab(size_t c) {
  if (!cache.gone) leaver.Expect();
  const FreeSlab spare = TakeSpare();
  Slab& slab = *new (spare.slab) Slab;
  char* const first = slab.blocks();
  if (cache.gone) {
    slab.Open(1, spare.piece);
    return first;
  }
  const uint32_t blocks = kBlocks[c] * SizeOf(c) <= SlabDepot::BlockBytes(spare)
                              ? kBlocks[c]
                              : kBlocks[c] - 1;
  slab.Open(blocks, spare.piece);
  cache.open[c] = {first + SizeOf(c), first + blocks * SizeOf(c)};
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
  Flush(returned);
  returned = {&slab, 1};
}

}  // namespace

size_t MaxCachedBytesPerThread() {
  // Each slab may be the one that keeps its piece.
  return kCacheBlocks
             ? (kClasses + kReturned + kSpares) * SlabDepot::kPieceBytes
             : 0;
}

size_t MaxCachedBytesInDepot() {
  return kCacheBlocks ? SlabDepot::kKeptPieces * SlabDepot::kPieceBytes : 0;
}

size_t BlockBytesFromSystem() { return SlabDepot::BytesFromSystem(); }

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
    // All of them: nobody else has one, and nobody hears of it.
    returned = ThreadCache::Returned();
    PutWhole(slab);
  }
}

}  // namespace pool_internal
}  // namespace heddle
