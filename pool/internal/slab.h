// Slab: some memory with blocks of one size, which are handed out in their
// order and come back as a whole.
//
// The thread that opens a slab hands its blocks out; they may come back in any
// order, by whatever threads, several at a time. The one that brings the last
// gets all of it; so does one that brings them all, without a word to others.
//
// One block that lives long keeps its slab, so slabs are small; but not
// smaller: with slabs of 1 KiB, and as many live tasks as no cache holds, a
// task with a result takes a quarter more time. The depot gets them from the
// system several at a time, and holds those that nobody uses: see slab_depot.h.
//
//   (S1) left_ counts the blocks that have not come back: those that are in
//        use, and those that a thread has to hand out yet. So it is not 0 while
//        there are any.
//   (S2) Who brings it to 0 owns the slab, alone, until it is opened again.
//   [BACK] release of left_ in each Return() -> acquire in the last: what was
//          done in all of the blocks before they are used again.

#ifndef HEDDLE_POOL_INTERNAL_SLAB_H_
#define HEDDLE_POOL_INTERNAL_SLAB_H_

#include <cstddef>
#include <cstdint>

#include "heddle/thread/internal/atomic.h"

namespace heddle {
namespace pool_internal {

struct SlabPiece;

class Slab {
 public:
  // Of all slabs; they are aligned to it, too, so that a block knows its slab.
  static constexpr size_t kBytes = 4096;
  // Before the first block: a cache line, so that those are aligned to lines.
  static constexpr size_t kHeader = 64;

  // The one that `block` lies in.
  static Slab& Of(void* block) {
    return *reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(block) &
                                    ~uintptr_t{kBytes - 1});
  }

  // Where its blocks begin.
  char* blocks() { return reinterpret_cast<char*>(this) + kHeader; }

  // Its owner is to hand out so many blocks. `piece` is the depot's.
  void Open(uint32_t count, SlabPiece* piece = nullptr) {
    piece_ = piece;
    // relaxed: others hear of the slab by the blocks that they are handed.
    left_.store(count, std::memory_order_relaxed);  // (S1)
  }
  SlabPiece* piece() const { return piece_; }

  // So many have come back; true if they were the last, (S2).
  bool Return(uint32_t count) noexcept {
    return left_.fetch_sub(count, std::memory_order_acq_rel) ==
           count;  // [BACK]
  }

 private:
  SlabPiece* piece_ = nullptr;
  internal::Atomic<uint32_t> left_{0};
};
static_assert(sizeof(Slab) <= Slab::kHeader);

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_SLAB_H_
