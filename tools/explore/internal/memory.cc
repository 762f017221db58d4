#include "heddle/tools/explore/internal/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "heddle/tools/explore/failure.h"
#include "heddle/tools/explore/internal/arena.h"
#include "heddle/tools/explore/internal/engine.h"
#include "heddle/tools/explore/internal/strategy.h"
#include "heddle/tools/explore/internal/view.h"
#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {
namespace {

// Between the stamps of neighbours, for stores that go in between.
constexpr Stamp kGap = 1 << 10;

bool IsSc(std::memory_order order) {
  return order == std::memory_order_seq_cst;
}
bool IsAcquire(std::memory_order order) {
  return order != std::memory_order_relaxed &&
         order != std::memory_order_release;
}
bool IsRelease(std::memory_order order) {
  return order == std::memory_order_release ||
         order == std::memory_order_acq_rel || IsSc(order);
}

void* MapOrDie(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("explore: mmap");
    std::abort();
  }
  return memory;
}

uint64_t ValueAt(const void* address, size_t bytes) {
  uint64_t value = 0;
  std::memcpy(&value, address, std::min(bytes, sizeof(value)));
  return value;
}

}  // namespace

void Pool::Map() { base_ = static_cast<char*>(MapOrDie(kBytes)); }

void Memory::Reset() {
  if (table_ == nullptr) {
    table_ = static_cast<Entry*>(MapOrDie(kEntries * sizeof(Entry)));
    locations_ =
        static_cast<Location*>(MapOrDie(kLocations * sizeof(Location)));
  }
  for (size_t i = 0; i < size_; ++i) {
    const Location& location = locations_[i];
    if (location.original != nullptr && !location.destroyed) {
      std::memcpy(const_cast<void*>(location.address), location.original,
                  location.bytes);
    }
  }
  for (View& view : views_) {
    std::memset(view.clocks, 0, sizeof(view.clocks));
    std::memset(view.slots, 0, slots_ * sizeof(Stamp));
  }
  std::memset(slot_stamps_, 0, slots_ * sizeof(Stamp));
  views_[0].clocks[0] = 1;
  slots_ = 0;
  free_slot_count_ = 0;
  size_ = 0;
  numbers_[0] = numbers_[1] = 0;
  // The counter comes round after four billion executions.
  if (++execution_ == 0) {
    std::memset(table_, 0, kEntries * sizeof(Entry));
    execution_ = 1;
  }
  pool_.Reset();
}

void Memory::StartThread(int thread, int parent) {
  JoinViews(views_[thread], views_[parent]);
  views_[thread].clocks[thread] = 1;
  ++views_[parent].clocks[parent];
}

const SavedView* Memory::Save(int thread, const SavedView* also) {
  auto* const saved = static_cast<SavedView*>(
      AllocateOrFail(offsetof(SavedView, stamps) + slots_ * sizeof(Stamp)));
  View& view = views_[thread];
  saved->slots = static_cast<uint32_t>(slots_);
  std::memcpy(saved->clocks, view.clocks, sizeof(view.clocks));
  std::memcpy(saved->stamps, view.slots, slots_ * sizeof(Stamp));
  if (also != nullptr) {
    JoinStamps(saved->clocks, also->clocks, kMaxThreads);
    JoinStamps(saved->stamps, also->stamps, also->slots);
  }
  // What the thread does from now on is not covered.
  ++view.clocks[thread];
  return saved;
}

const SavedView* Memory::Publish(int thread) { return Save(thread, nullptr); }

void* Memory::AllocateOrFail(size_t bytes) {
  void* const memory = pool_.Allocate(bytes);
  if (memory == nullptr) Fail(FailureKind::kLimit, "the execution is too long");
  return memory;
}

Location* Memory::Lookup(const void* address) {
  const auto bits = reinterpret_cast<uintptr_t>(address);
  size_t i = (bits * uint64_t{0x9E3779B97F4A7C15}) >> (64 - kEntryBits);
  for (; table_[i].execution == execution_; i = (i + 1) % kEntries) {
    if (table_[i].address == address) return &locations_[table_[i].index];
  }
  return nullptr;
}

Location& Memory::Make(const void* address) {
  if (size_ == kLocations)
    Fail(FailureKind::kLimit, "too many atomics and variables");
  const auto bits = reinterpret_cast<uintptr_t>(address);
  size_t i = (bits * uint64_t{0x9E3779B97F4A7C15}) >> (64 - kEntryBits);
  while (table_[i].execution == execution_) i = (i + 1) % kEntries;
  table_[i] = {address, execution_, static_cast<uint32_t>(size_)};
  Location& location = locations_[size_++];
  location.address = address;
  location.destroyed = true;
  location.original = nullptr;
  return location;
}

void Memory::Begin(Location& location, size_t bytes, Location::Kind kind,
                   int writer, Stamp clock, Where where) {
  location.bytes = static_cast<uint32_t>(bytes);
  location.kind = kind;
  location.destroyed = false;
  location.number = ++numbers_[kind];
  location.first = where;
  location.writer = writer;
  location.writer_clock = clock;
  std::memset(location.accessed, 0, sizeof(location.accessed));
  location.original = nullptr;
  if (bytes != 0 && !arena.Owns(location.address)) {
    location.original = AllocateOrFail(bytes);
    std::memcpy(location.original, location.address, bytes);
  }
  if (kind != Location::kAtomic) return;

  if (free_slot_count_ > 0) {
    location.slot = free_slots_[--free_slot_count_];
  } else if (slots_ < kMaxSlots) {
    location.slot = static_cast<uint16_t>(slots_++);
  } else {
    Fail(FailureKind::kLimit, "too many atomics at a time");
  }
  location.capacity = 6;
  location.stores =
      static_cast<Store*>(AllocateOrFail(location.capacity * sizeof(Store)));
  location.count = 1;
  // What views know of the slot's former owner is older than this.
  const Stamp stamp = slot_stamps_[location.slot] + kGap;
  slot_stamps_[location.slot] = stamp;
  location.stores[0] = {stamp, static_cast<uint16_t>(writer), false,
                        ValueAt(location.address, bytes), nullptr};
  location.last_sc = 0;
  std::memset(location.stale, 0, sizeof(location.stale));
  std::memset(location.stale_reads, 0, sizeof(location.stale_reads));
}

void Memory::End(Location& location, int thread) {
  const View& view = views_[thread];
  for (int other = 0; other < kMaxThreads; ++other) {
    const Stamp last =
        std::max(location.accessed[other],
                 other == location.writer ? location.writer_clock : 0);
    if (other != thread && last > view.clocks[other]) {
      Fail(FailureKind::kDataRace,
           Describe(location) + " is destroyed by " + ThreadName(thread) +
               ", and nothing orders that after an access by " +
               ThreadName(other));
    }
  }
  location.destroyed = true;
  if (location.kind == Location::kAtomic)
    free_slots_[free_slot_count_++] = location.slot;
}

Location& Memory::Find(const void* address, size_t bytes, Location::Kind kind,
                       int thread, Where where) {
  Location* location = Lookup(address);
  if (location == nullptr) {
    location = &Make(address);
    Begin(*location, bytes, kind, 0, 0, where);
  } else if (location->destroyed) {
    Fail(
        FailureKind::kUseAfterDestroy,
        ThreadName(thread) + " uses " + Describe(*location) + " after its end");
  } else if (location->kind != kind) {
    // Other memory by now, of which nobody has told the end.
    End(*location, thread);
    Begin(*location, bytes, kind, 0, 0, where);
  } else if (location->first.line == 0) {
    location->first = where;
  }
  if (location->writer != thread &&
      location->writer_clock > views_[thread].clocks[location->writer] &&
      kind == Location::kAtomic) {
    Fail(FailureKind::kDataRace,
         Describe(*location) + " is used by " + ThreadName(thread) +
             ", and nothing orders that after its construction by " +
             ThreadName(location->writer));
  }
  return *location;
}

void Memory::Construct(const void* address, size_t bytes, Location::Kind kind,
                       int thread) {
  Location* location = Lookup(address);
  if (location == nullptr) {
    location = &Make(address);
  } else if (!location->destroyed) {
    End(*location, thread);
  }
  Begin(*location, bytes, kind, thread, views_[thread].clocks[thread], Where());
}

void Memory::Destroy(const void* address, Location::Kind kind, int thread) {
  Location* const location = Lookup(address);
  if (location == nullptr || location->kind != kind) return;
  if (location->destroyed) {
    Fail(FailureKind::kUseAfterDestroy,
         ThreadName(thread) + " destroys " + Describe(*location) + " twice");
  }
  End(*location, thread);
}

void Memory::DestroyRange(const void* address, size_t bytes, int thread) {
  const auto start = reinterpret_cast<uintptr_t>(address);
  for (size_t i = 0; i < size_; ++i) {
    Location& location = locations_[i];
    if (reinterpret_cast<uintptr_t>(location.address) - start < bytes &&
        !location.destroyed) {
      End(location, thread);
    }
  }
}

Stamp Memory::Oldest(const Location& location, int thread, bool sc) const {
  Stamp oldest = views_[thread].slots[location.slot];   // (M1)
  if (sc) oldest = std::max(oldest, location.last_sc);  // (M4)
  if (location.stale_reads[thread] >= max_stale_reads)
    oldest = std::max(oldest, location.stale[thread] + 1);
  return oldest;
}

size_t Memory::OldestIndex(const Location& location, Stamp oldest) const {
  size_t index = location.count - 1;
  while (index > 0 && location.stores[index - 1].stamp >= oldest) --index;
  return index;
}

void Memory::See(Location& location, int thread, size_t index, bool acquire) {
  const Store& store = location.stores[index];
  View& view = views_[thread];
  location.accessed[thread] = view.clocks[thread];
  Stamp& known = view.slots[location.slot];
  known = std::max(known, store.stamp);
  if (acquire && store.view != nullptr) Join(view, *store.view);  // (M2)
  if (index + 1 < location.count) {
    if (location.stale[thread] != store.stamp) {
      location.stale[thread] = store.stamp;
      location.stale_reads[thread] = 0;
    }
    ++location.stale_reads[thread];
  }
}

uint64_t Memory::Load(Location& location, int thread, std::memory_order order) {
  const size_t newest = location.count - 1;
  size_t index = newest;
  if (newest > 0) {
    const size_t oldest =
        OldestIndex(location, Oldest(location, thread, IsSc(order)));
    if (oldest < newest) {
      const size_t count = std::min<size_t>(newest - oldest + 1, 200);
      index -= static_cast<size_t>(
          Decide(Choice::kRead, static_cast<int>(count), /*deviates=*/false));
    }
  }
  See(location, thread, index, IsAcquire(order));
  return location.stores[index].value;
}

uint64_t Memory::ReadNewest(Location& location, int thread) {
  See(location, thread, location.count - 1, /*acquire=*/false);
  return location.newest().value;
}

bool Memory::HasRoomAfter(const Location& location, size_t index) const {
  if (index + 1 == location.count) return true;
  const Store& store = location.stores[index];
  return !store.read_by_update &&  // (M3)
         location.stores[index + 1].stamp - store.stamp > 1;
}

Store& Memory::Insert(Location& location, int thread, size_t after,
                      uint64_t value) {
  if (location.count == location.capacity) {
    auto* const larger = static_cast<Store*>(
        AllocateOrFail(sizeof(Store) * 2 * location.capacity));
    std::memcpy(larger, location.stores, location.count * sizeof(Store));
    location.stores = larger;
    location.capacity *= 2;
  }
  const size_t index = after + 1;
  Stamp stamp = 0;
  if (index == location.count) {
    stamp = location.newest().stamp + kGap;
    slot_stamps_[location.slot] = stamp;
    // Who looks at the memory itself sees the newest value.
    std::memcpy(const_cast<void*>(location.address), &value, location.bytes);
  } else {
    const Stamp before = location.stores[after].stamp;
    stamp = before + (location.stores[index].stamp - before) / 2;
    std::memmove(location.stores + index + 1, location.stores + index,
                 (location.count - index) * sizeof(Store));
  }
  ++location.count;
  Store& store = location.stores[index];
  store = {stamp, static_cast<uint16_t>(thread), false, value, nullptr};
  View& view = views_[thread];
  view.slots[location.slot] = stamp;
  location.accessed[thread] = view.clocks[thread];
  return store;
}

void Memory::Write(Location& location, int thread, uint64_t value,
                   std::memory_order order) {
  size_t after = location.count - 1;
  Stamp oldest = views_[thread].slots[location.slot];            // (M1)
  if (IsSc(order)) oldest = std::max(oldest, location.last_sc);  // (M4)
  if (after > 0 && location.newest().stamp > oldest) {
    size_t places[200];
    int count = 0;
    const size_t first = OldestIndex(location, oldest);
    for (size_t i = after + 1; i > first && count < 200; --i) {
      if (HasRoomAfter(location, i - 1)) places[count++] = i - 1;
    }
    if (count > 1)
      after = places[Decide(Choice::kStore, count, /*deviates=*/false)];
  }
  const SavedView* const view =
      IsRelease(order) ? Save(thread, nullptr) : nullptr;
  Store& store = Insert(location, thread, after, value);
  store.view = view;
  if (view != nullptr) --location.accessed[thread];  // the view covers it
  if (IsSc(order)) location.last_sc = store.stamp;
}

size_t Memory::PickForUpdate(Location& location, int thread,
                             std::memory_order order) {
  const size_t newest = location.count - 1;
  Stamp oldest = views_[thread].slots[location.slot];
  if (IsSc(order)) oldest = std::max(oldest, location.last_sc);
  if (newest == 0 || location.newest().stamp <= oldest) return newest;
  size_t places[200];
  int count = 0;
  const size_t first = OldestIndex(location, oldest);
  for (size_t i = newest + 1; i > first && count < 200; --i) {
    if (HasRoomAfter(location, i - 1)) places[count++] = i - 1;
  }
  if (count == 1) return newest;
  return places[Decide(Choice::kStore, count, /*deviates=*/false)];
}

void Memory::FinishUpdate(Location& location, int thread, size_t read,
                          uint64_t value, std::memory_order order) {
  Store& source = location.stores[read];
  const SavedView* const carried = source.view;
  source.read_by_update = true;  // (M3)
  if (IsAcquire(order) && carried != nullptr)
    Join(views_[thread], *carried);  // (M2)
  const SavedView* const view =
      IsRelease(order) ? Save(thread, carried) : carried;
  Store& store = Insert(location, thread, read, value);
  store.view = view;
  if (IsRelease(order)) --location.accessed[thread];  // the view covers it
  if (IsSc(order)) location.last_sc = std::max(location.last_sc, store.stamp);
}

bool Memory::CompareExchange(Location& location, int thread, uint64_t& expected,
                             uint64_t desired, std::memory_order success,
                             std::memory_order failure, bool weak) {
  const size_t newest = location.count - 1;
  size_t index = newest;
  bool equal = location.stores[newest].value == expected;
  const Stamp known = views_[thread].slots[location.slot];
  if (newest > 0 && location.newest().stamp > known) {
    // It may succeed on any store that a read-modify-write may read, and fail
    // on any that a load may.
    const Stamp oldest = Oldest(location, thread, /*sc=*/false);
    size_t places[200];
    int count = 0;
    const size_t first = OldestIndex(location, oldest);
    for (size_t i = newest + 1; i > first && count < 200; --i) {
      const Store& store = location.stores[i - 1];
      const bool matches = store.value == expected;
      if (IsSc(matches ? success : failure) && store.stamp < location.last_sc)
        continue;  // (M4)
      if (!matches || HasRoomAfter(location, i - 1)) places[count++] = i - 1;
    }
    if (count > 1)
      index = places[Decide(Choice::kRead, count, /*deviates=*/false)];
    equal = location.stores[index].value == expected;
  }
  if (equal && weak && MaySpuriouslyFail() &&
      Decide(Choice::kSpurious, 2, /*deviates=*/true) == 1) {
    CountSpurious();
    equal = false;
  }
  if (equal) {
    See(location, thread, index, /*acquire=*/false);
    FinishUpdate(location, thread, index, desired, success);
    return true;
  }
  See(location, thread, index, IsAcquire(failure));
  expected = location.stores[index].value;
  return false;
}

void Memory::ReadPlain(Location& location, int thread) {
  const View& view = views_[thread];
  if (location.writer_clock > view.clocks[location.writer]) {
    Fail(FailureKind::kDataRace,
         Describe(location) + " is read by " + ThreadName(thread) +
             ", and nothing orders that after a write by " +
             ThreadName(location.writer));
  }
  location.accessed[thread] = view.clocks[thread];
}

void Memory::WritePlain(Location& location, int thread) {
  const View& view = views_[thread];
  for (int other = 0; other < kMaxThreads; ++other) {
    const bool wrote =
        other == location.writer && location.writer_clock > view.clocks[other];
    if (wrote || location.accessed[other] > view.clocks[other]) {
      Fail(FailureKind::kDataRace,
           Describe(location) + " is written by " + ThreadName(thread) +
               ", and nothing orders that after a " +
               (wrote ? "write" : "read") + " by " + ThreadName(other));
    }
  }
  location.writer = thread;
  location.writer_clock = view.clocks[thread];
}

}  // namespace explore
}  // namespace heddle
