// View: what a thread knows of the others: how far each thread has come, and
// the oldest store to each location that it may still read.
//
// Stores to a location are in one order, its modification order, and a *stamp*
// says where in that order a store is. A view holds a stamp for each location
// and the clock of each thread. Joining two views takes the larger of each; all
// of happens-before and coherence comes from that.

#ifndef HEDDLE_TOOLS_EXPLORE_INTERNAL_VIEW_H_
#define HEDDLE_TOOLS_EXPLORE_INTERNAL_VIEW_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "heddle/tools/explore/internal/arena.h"

namespace heddle {
namespace explore {

using Stamp = uint32_t;

// Atomics alive at any time in one execution; each has a slot in all views.
inline constexpr int kMaxSlots = 496;

struct View {
  Stamp clocks[kMaxThreads];
  Stamp slots[kMaxSlots];
};

// A copy of a view, as a release store carries it: only the slots in use.
struct SavedView {
  uint32_t slots;
  Stamp clocks[kMaxThreads];
  Stamp stamps[1];  // `slots` of them
};

inline void JoinStamps(Stamp* to, const Stamp* from, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = std::max(to[i], from[i]);
}

inline void Join(View& to, const SavedView& from) {
  JoinStamps(to.clocks, from.clocks, kMaxThreads);
  JoinStamps(to.slots, from.stamps, from.slots);
}

// Where saved views, histories and the like of one execution come from: given
// out one after the other, all taken back at once.
class Pool {
 public:
  // Null if there is no room.
  void* Allocate(size_t bytes) {
    const size_t rounded = (bytes + 15) & ~size_t{15};
    if (base_ == nullptr) Map();
    if (used_ + rounded > kBytes) return nullptr;
    void* const memory = base_ + used_;
    used_ += rounded;
    return memory;
  }
  void Reset() { used_ = 0; }

 private:
  static constexpr size_t kBytes = size_t{256} << 20;

  void Map();

  char* base_ = nullptr;
  size_t used_ = 0;
};

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_INTERNAL_VIEW_H_
