// Arena: memory for one execution, at addresses that are the same in every run.
//
// Code under exploration may depend on addresses (the parking layer hashes
// them), so a seed replays a run only if stacks and heap lie where they lay.
// They do: both are mapped at fixed addresses, and every execution begins with
// all of the heap free. Memory that is freed within an execution is not used
// again unless the strategy chooses so, which is how a use after the end is
// told from a use of the next object there.
//
// `operator new` takes from here while code under exploration runs, and from
// malloc at all other times; `operator delete` knows which by the address.

#ifndef HEDDLE_TOOLS_EXPLORE_INTERNAL_ARENA_H_
#define HEDDLE_TOOLS_EXPLORE_INTERNAL_ARENA_H_

#include <cstddef>
#include <cstdint>

namespace heddle {
namespace explore {

// Threads alive at any time in one execution, the body's own included.
inline constexpr int kMaxThreads = 16;

class Arena {
 public:
  static constexpr size_t kStackBytes = size_t{256} << 10;
  static constexpr size_t kHeapBytes = size_t{256} << 20;

  // Maps the memory; does nothing the second time.
  void Map();

  // The lowest address of the stack of a thread, or of the one that crashes are
  // reported from (kMaxThreads).
  char* stack(int thread) const;

  bool Owns(const void* address) const {
    const auto at = reinterpret_cast<uintptr_t>(address);
    return at >= kBase && at < kBase + kBytes;
  }

  // Null if there is no room.
  void* Allocate(size_t bytes, size_t alignment);
  // The block that was freed last, if any, of those that could serve a request
  // for `bytes`; TakeFreed() takes it out of those.
  void* LastFreed(size_t bytes, size_t alignment) const;
  void TakeFreed(void* block);

  // False if the block was freed before, or is none.
  bool Free(void* block);
  size_t BytesOf(const void* block) const;

  // What was allocated and not freed, and the one of it that came first.
  int64_t live() const { return live_; }
  const void* FirstLive() const;
  // Its number, counted from 1 in the order of allocation.
  int64_t NumberOf(const void* block) const;

  // Forgets all blocks.
  void Reset();

 private:
  struct Header;

  static constexpr uintptr_t kBase = uintptr_t{0x100000000000};
  static constexpr size_t kStackStride = kStackBytes + 4096;
  static constexpr size_t kHeapStart = (kMaxThreads + 1) * kStackStride;
  static constexpr size_t kBytes = kHeapStart + kHeapBytes;

  static Header* HeaderOf(const void* block);

  bool mapped_ = false;
  size_t used_ = 0;
  int64_t live_ = 0;
  int64_t blocks_ = 0;
  Header* last_ = nullptr;        // of all, in reverse order of allocation
  Header* last_freed_ = nullptr;  // of those that are free
};

extern constinit Arena arena;

// True while code under exploration runs: then `operator new` uses the arena.
extern constinit bool use_arena;

// While one exists, memory comes from malloc: for what outlives an execution.
class OutsideArena {
 public:
  OutsideArena() : before_(use_arena) { use_arena = false; }
  OutsideArena(const OutsideArena&) = delete;
  OutsideArena& operator=(const OutsideArena&) = delete;
  ~OutsideArena() { use_arena = before_; }

 private:
  const bool before_;
};

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_INTERNAL_ARENA_H_
