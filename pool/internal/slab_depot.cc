#include "heddle/pool/internal/slab_depot.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#include "absl/base/thread_annotations.h"
#include "heddle/pool/internal/slab.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace pool_internal {

// What the depot keeps of a piece: behind the header of its first slab, in the
// same cache line.
struct SlabPiece {
  SlabPiece* next = nullptr;
  SlabPiece* previous = nullptr;
  uint32_t free = 0;  // a bit for each slab that lies in the depot
  // Of a parent's piece the child of a fork() uses what it has of it, and does
  // not put it back: the depot's lists may have been in the middle of a change.
  uint32_t forks = internal::Forks();
};

namespace {

constexpr uint32_t kWhole = (uint32_t{1} << SlabDepot::kSlabs) - 1;
constexpr size_t kPieceOffset = sizeof(Slab);
static_assert(kPieceOffset + sizeof(SlabPiece) <= Slab::kHeader);

char* MemoryOf(SlabPiece& piece) {
  return reinterpret_cast<char*>(&piece) - kPieceOffset;
}

size_t IndexOf(const FreeSlab& slab) {
  return static_cast<size_t>(reinterpret_cast<char*>(slab.slab) -
                             MemoryOf(*slab.piece)) /
         Slab::kBytes;
}

class PieceList {
 public:
  SlabPiece* first() const { return first_; }

  void Push(SlabPiece& piece) {
    piece.next = first_;
    piece.previous = nullptr;
    if (first_ != nullptr) first_->previous = &piece;
    first_ = &piece;
  }
  void Remove(SlabPiece& piece) {
    (piece.previous != nullptr ? piece.previous->next : first_) = piece.next;
    if (piece.next != nullptr) piece.next->previous = piece.previous;
  }

 private:
  SlabPiece* first_ = nullptr;
};

// Constant-initialised and never destroyed: tasks may end while statics die.
struct Depot {
  internal::RawLock lock;
  // Pieces with some of their slabs here, and those with all; what was put here
  // last goes first.
  PieceList partial ABSL_GUARDED_BY(lock);
  PieceList whole ABSL_GUARDED_BY(lock);
  size_t whole_pieces ABSL_GUARDED_BY(lock) = 0;
  size_t pieces ABSL_GUARDED_BY(lock) = 0;

  void ResetInChild() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock.ResetInChild();
    partial = PieceList();
    whole = PieceList();
    whole_pieces = pieces = 0;
  }

  // Takes slabs of pieces that are here.
  size_t Take(FreeSlab* slabs, size_t most)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock) {
    size_t taken = 0;
    while (taken < most) {
      SlabPiece* piece = partial.first();
      if (piece == nullptr) {
        piece = whole.first();
        if (piece == nullptr) break;
        whole.Remove(*piece);
        --whole_pieces;
        partial.Push(*piece);
      }
      for (; piece->free != 0 && taken < most; ++taken) {
        const auto index = static_cast<size_t>(std::countr_zero(piece->free));
        piece->free &= piece->free - 1;
        slabs[taken] = {
            reinterpret_cast<Slab*>(MemoryOf(*piece) + index * Slab::kBytes),
            piece};
      }
      if (piece->free == 0) partial.Remove(*piece);
    }
    return taken;
  }

  // Returns a piece that is to go back to the system, or null.
  SlabPiece* Put(const FreeSlab& slab) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock) {
    SlabPiece& piece = *slab.piece;
    if (piece.forks != internal::Forks()) return nullptr;
    if (piece.free == 0) partial.Push(piece);
    piece.free |= uint32_t{1} << IndexOf(slab);
    if (piece.free != kWhole) return nullptr;
    partial.Remove(piece);
    if (whole_pieces >= SlabDepot::kKeptPieces) {
      --pieces;
      return &piece;
    }
    whole.Push(piece);
    ++whole_pieces;
    return nullptr;
  }
};

constinit Depot depot;
constinit internal::AtFork at_fork([] { depot.ResetInChild(); });

SlabPiece& MakePiece() {
  char* const memory = static_cast<char*>(
      ::operator new (SlabDepot::kPieceBytes, std::align_val_t{Slab::kBytes}));
  auto* const piece = new (memory + kPieceOffset) SlabPiece;
  piece->free = kWhole;
  return *piece;
}

void DeletePiece(SlabPiece& piece) noexcept {
  ::operator delete (static_cast<void*>(MemoryOf(piece)),
                     std::align_val_t{Slab::kBytes});
}

}  // namespace

size_t SlabDepot::BlockBytes(const FreeSlab& slab) {
  return Slab::kBytes - Slab::kHeader - (IndexOf(slab) == kSlabs - 1 ? 16 : 0);
}

size_t SlabDepot::Take(FreeSlab* slabs, size_t most) {
  at_fork.Follow();
  {
    LockGuard guard(depot.lock);
    const size_t taken = depot.Take(slabs, most);
    if (taken > 0) return taken;
  }
  SlabPiece& piece = MakePiece();
  LockGuard guard(depot.lock);
  ++depot.pieces;
  ++depot.whole_pieces;
  depot.whole.Push(piece);
  return depot.Take(slabs, most);
}

void SlabDepot::Put(const FreeSlab* slabs, size_t count) noexcept {
  PieceList to_delete;
  {
    LockGuard guard(depot.lock);
    for (size_t i = 0; i < count; ++i) {
      if (SlabPiece* const piece = depot.Put(slabs[i])) to_delete.Push(*piece);
    }
  }
  while (SlabPiece* const piece = to_delete.first()) {
    to_delete.Remove(*piece);
    DeletePiece(*piece);
  }
}

size_t SlabDepot::BytesFromSystem() {
  LockGuard guard(depot.lock);
  return depot.pieces * kPieceBytes;
}

}  // namespace pool_internal
}  // namespace heddle
