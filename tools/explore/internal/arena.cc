#include "heddle/tools/explore/internal/arena.h"

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace heddle {
namespace explore {

constinit Arena arena;
constinit bool use_arena = false;

struct Arena::Header {
  Header* previous;        // in order of allocation
  Header* previous_freed;  // in order of freeing
  uint64_t bytes;
  uint64_t number;  // the top bit tells that it is free
};

namespace {

constexpr uint64_t kFreed = uint64_t{1} << 63;

size_t RoundedUp(size_t bytes) { return (bytes + 15) & ~size_t{15}; }

}  // namespace

void Arena::Map() {
  if (mapped_) return;
  auto* const base = reinterpret_cast<char*>(kBase);
  void* const memory = mmap(
      base, kBytes, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (memory != base) {
    std::fprintf(stderr, "explore: the address %p is not free\n", base);
    std::abort();
  }
  // Below each stack a page that may not be touched.
  for (int i = 0; i <= kMaxThreads; ++i)
    mprotect(stack(i) - 4096, 4096, PROT_NONE);
  mapped_ = true;
}

char* Arena::stack(int thread) const {
  return reinterpret_cast<char*>(kBase) +
         static_cast<size_t>(thread) * kStackStride + 4096;
}

Arena::Header* Arena::HeaderOf(const void* block) {
  return static_cast<Header*>(const_cast<void*>(block)) - 1;
}

void* Arena::Allocate(size_t bytes, size_t alignment) {
  const size_t mask = alignment < 16 ? 15 : alignment - 1;
  const size_t start = (used_ + sizeof(Header) + mask) & ~mask;
  const size_t rounded = RoundedUp(bytes);
  if (rounded < bytes || start + rounded > kHeapBytes) return nullptr;
  used_ = start + rounded;
  void* const block = reinterpret_cast<char*>(kBase) + kHeapStart + start;
  ++live_;
  ++blocks_;
  Header* const header = HeaderOf(block);
  *header = {last_, nullptr, bytes, static_cast<uint64_t>(blocks_)};
  last_ = header;
  return block;
}

void* Arena::LastFreed(size_t bytes, size_t alignment) const {
  for (Header* header = last_freed_; header != nullptr;
       header = header->previous_freed) {
    void* const block = header + 1;
    if (RoundedUp(header->bytes) == RoundedUp(bytes) &&
        reinterpret_cast<uintptr_t>(block) % alignment == 0) {
      return block;
    }
  }
  return nullptr;
}

void Arena::TakeFreed(void* block) {
  Header* const header = HeaderOf(block);
  Header** link = &last_freed_;
  while (*link != header) link = &(*link)->previous_freed;
  *link = header->previous_freed;
  header->number &= ~kFreed;
  ++live_;
}

bool Arena::Free(void* block) {
  Header* const header = HeaderOf(block);
  if ((header->number & kFreed) != 0) return false;
  header->number |= kFreed;
  header->previous_freed = last_freed_;
  last_freed_ = header;
  --live_;
  return true;
}

size_t Arena::BytesOf(const void* block) const {
  return HeaderOf(block)->bytes;
}

int64_t Arena::NumberOf(const void* block) const {
  return static_cast<int64_t>(HeaderOf(block)->number & ~kFreed);
}

const void* Arena::FirstLive() const {
  const Header* first = nullptr;
  for (const Header* header = last_; header != nullptr;
       header = header->previous) {
    if ((header->number & kFreed) == 0) first = header;
  }
  return first == nullptr ? nullptr : first + 1;
}

void Arena::Reset() {
  used_ = 0;
  live_ = 0;
  blocks_ = 0;
  last_ = nullptr;
  last_freed_ = nullptr;
}

}  // namespace explore
}  // namespace heddle
