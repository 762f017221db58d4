// SlabDepot: the slabs that no thread has, for all threads.
//
// The system gives and takes pieces of four slabs. A piece goes back when all
// of its slabs are here, except for some that are kept for later. Slabs of
// pieces that are in use are handed out first, so that others become whole.
//
// Thread safety: all functions. Under one lock: threads keep some slabs of
// their own, and come here for several at a time.

#ifndef HEDDLE_POOL_INTERNAL_SLAB_DEPOT_H_
#define HEDDLE_POOL_INTERNAL_SLAB_DEPOT_H_

#include <cstddef>

#include "heddle/pool/internal/slab.h"

namespace heddle {
namespace pool_internal {

// A slab that nobody uses, and the piece that it is part of.
struct FreeSlab {
  Slab* slab = nullptr;
  SlabPiece* piece = nullptr;
};

class SlabDepot {
 public:
  static constexpr size_t kSlabs = 4;  // of a piece
  // The usual heap puts 16 bytes before each piece, so that pieces of this size
  // lie end to end. The last slab of each has as many bytes less for blocks.
  static constexpr size_t kPieceBytes = kSlabs * Slab::kBytes - 16;
  static constexpr size_t kKeptPieces = 512 * 1024 / (kSlabs * Slab::kBytes);

  // How many bytes of blocks a slab has.
  static size_t BlockBytes(const FreeSlab& slab);

  // Puts slabs at `slabs`, `most` if that takes no new piece, and returns how
  // many: one at least. Does not touch them. Throws std::bad_alloc if there is
  // none to be had.
  static size_t Take(FreeSlab* slabs, size_t most);

  // Takes slabs back, which are whole. So to the system goes what is too much.
  static void Put(const FreeSlab* slabs, size_t count) noexcept;

  // What it has from the system at this moment.
  static size_t BytesFromSystem();
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_SLAB_DEPOT_H_
