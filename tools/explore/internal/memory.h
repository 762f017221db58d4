// Memory: what loads may return, and what races: RC11 without promises.
//
// Lahav et al., "Repairing sequential consistency in C/C++11" (2017), as an
// abstract machine: every location keeps the history of its stores, every
// thread a view of them, and a load may return any store that the thread's view
// does not rule out. Operations take effect in the order in which they are run,
// so that there is no cycle of program order and reads-from: load buffering,
// which RC11 forbids too. A store may take a place in the modification order
// before stores that its thread knows nothing of.
//
//   (M1) a thread's view rules out every store to a location that is older, in
//        its modification order, than one that the thread knows of: one that it
//        wrote or read, or that happened before. That is coherence.
//   (M2) a release store carries its thread's view; an acquire load that reads
//        it joins that view, and so does one that reads a read-modify-write
//        further down its release sequence.
//   (M3) nothing comes between a read-modify-write and the store it read.
//   (M4) a sequentially consistent load reads nothing older than the last
//        sequentially consistent store to its location, and such a store comes
//        after that one. As executions are explored in every order, the order in
//        which they are run is the order S that the standard asks for.
//   (M5) two accesses to plain data, or the construction or destruction of
//        anything and an access to it, race unless the clock of the thread that
//        came first is in the other's view.

#ifndef HEDDLE_TOOLS_EXPLORE_INTERNAL_MEMORY_H_
#define HEDDLE_TOOLS_EXPLORE_INTERNAL_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heddle/tools/explore/internal/arena.h"
#include "heddle/tools/explore/internal/view.h"
#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {

struct Store {
  Stamp stamp;
  uint16_t thread;
  bool read_by_update;  // (M3)
  uint64_t value;
  const SavedView* view;  // (M2); null: it releases nothing
};

// What is known of an Atomic or a Var, by its address.
struct Location {
  enum Kind : uint8_t { kAtomic, kVar };

  const void* address;
  uint32_t bytes;
  Kind kind;
  bool destroyed;
  uint16_t slot;    // of an Atomic, in all views
  uint32_t number;  // counts the locations of this kind, from 1
  Where first;      // where it was used first

  // (M5): the last write to a Var, the construction of an Atomic; clock 0: before
  // the execution. `accessed` has the clock of each thread's last access (of a
  // Var: last read).
  int writer;
  Stamp writer_clock;
  Stamp accessed[kMaxThreads];

  // Of an Atomic: its stores in modification order.
  Store* stores;
  uint32_t count;
  uint32_t capacity;
  Stamp last_sc;  // (M4)
  // Which store that was not the newest a thread read last, and how often.
  Stamp stale[kMaxThreads];
  uint8_t stale_reads[kMaxThreads];

  // Of what lies outside the arena and so outlives the execution: what to put
  // back at its end. Null for the rest.
  void* original;

  Store& newest() { return stores[count - 1]; }
};

class Memory {
 public:
  // How often a thread may read the same store although there is a newer one.
  int max_stale_reads = 2;

  // Forgets all, and puts back what was there before the execution. Before the
  // first one, too.
  void Reset();

  // A new thread knows what its parent knows; who joins it, what it knew.
  void StartThread(int thread, int parent);
  void JoinThread(int thread, int ended) {
    JoinViews(views_[thread], views_[ended]);
  }
  // A point that can be synchronized with, as an object of the standard's that
  // the engine does not see into has one.
  const SavedView* Publish(int thread);
  void Observe(int thread, const SavedView* view) {
    if (view != nullptr) Join(views_[thread], *view);
  }

  // The location at an address, made if need be. Fails if it was destroyed.
  Location& Find(const void* address, size_t bytes, Location::Kind kind,
                 int thread, Where where);

  // Marks the beginning and the end of an object; both race with accesses that
  // are not ordered with them.
  void Construct(const void* address, size_t bytes, Location::Kind kind,
                 int thread);
  void Destroy(const void* address, Location::Kind kind, int thread);
  // The end of all that lies there, for memory that is freed.
  void DestroyRange(const void* address, size_t bytes, int thread);

  // The operations, each in one step. They ask the strategy where there are
  // several outcomes.
  uint64_t Load(Location& location, int thread, std::memory_order order);
  void Write(Location& location, int thread, uint64_t value,
             std::memory_order order);
  // Update: picks the store to read, whose value is returned; then the caller
  // says what to write after it. CompareExchange: true if it wrote.
  size_t PickForUpdate(Location& location, int thread, std::memory_order order);
  void FinishUpdate(Location& location, int thread, size_t read, uint64_t value,
                    std::memory_order order);
  bool CompareExchange(Location& location, int thread, uint64_t& expected,
                       uint64_t desired, std::memory_order success,
                       std::memory_order failure, bool weak);
  // As the kernel reads a futex: the newest value.
  uint64_t ReadNewest(Location& location, int thread);

  // Plain data.
  void ReadPlain(Location& location, int thread);
  void WritePlain(Location& location, int thread);

 private:
  struct Entry {
    const void* address;
    uint32_t execution;  // of other executions: free
    uint32_t index;
  };
  static constexpr int kEntryBits = 13;
  static constexpr size_t kEntries = size_t{1} << kEntryBits;
  static constexpr size_t kLocations = kEntries / 2;

  Location* Lookup(const void* address);
  Location& Make(const void* address);
  void Begin(Location& location, size_t bytes, Location::Kind kind, int writer,
             Stamp clock, Where where);
  void End(Location& location, int thread);
  void JoinViews(View& to, const View& from) {
    JoinStamps(to.clocks, from.clocks, kMaxThreads);
    JoinStamps(to.slots, from.slots, slots_);
  }
  const SavedView* Save(int thread, const SavedView* also);
  Stamp Oldest(const Location& location, int thread, bool sc) const;
  size_t OldestIndex(const Location& location, Stamp oldest) const;
  // Takes note that a thread reads a store.
  void See(Location& location, int thread, size_t index, bool acquire);
  // True if a store can be put behind this one.
  bool HasRoomAfter(const Location& location, size_t index) const;
  Store& Insert(Location& location, int thread, size_t after, uint64_t value);
  void* AllocateOrFail(size_t bytes);

  View views_[kMaxThreads] = {};
  size_t slots_ = 0;                   // that have been used
  Stamp slot_stamps_[kMaxSlots] = {};  // the highest that were given out
  uint16_t free_slots_[kMaxSlots] = {};
  size_t free_slot_count_ = 0;
  Location* locations_ = nullptr;  // an array of kLocations
  size_t size_ = 0;
  uint32_t numbers_[2] = {};
  uint32_t execution_ = 1;
  Entry* table_ = nullptr;  // an array of kEntries
  Pool pool_;
};

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_INTERNAL_MEMORY_H_
