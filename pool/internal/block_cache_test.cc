#include "heddle/pool/internal/block_cache.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/thread/internal/run_concurrently.h"

namespace heddle {
namespace pool_internal {
namespace {

// A block that can be told from every other block that is live.
struct Marked {
  void* block;
  size_t size;
  uint64_t mark;
};

Marked Make(size_t size, uint64_t mark) {
  Marked made{AllocateBlock(size), size, mark};
  std::memset(made.block, static_cast<int>(mark & 0xff), size);
  return made;
}

bool Intact(const Marked& marked) {
  const auto* bytes = static_cast<const unsigned char*>(marked.block);
  for (size_t i = 0; i < marked.size; ++i) {
    if (bytes[i] != (marked.mark & 0xff)) return false;
  }
  return true;
}

TEST(BlockCacheTest, BlocksOfEverySizeAreApartAndAligned) {
  std::vector<Marked> live;
  for (size_t size = 1; size <= 700; ++size) {
    live.push_back(Make(size, size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(live.back().block) %
                  alignof(std::max_align_t),
              0);
  }
  for (const Marked& marked : live) {
    EXPECT_TRUE(Intact(marked)) << marked.size;
    FreeBlock(marked.block, marked.size);
  }
}

TEST(BlockCacheTest, AFreedBlockIsUsedAgain) {
  if (MaxCachedBytesPerThread() == 0)
    GTEST_SKIP() << "sanitizers see every block";
  void* const first = AllocateBlock(100);
  FreeBlock(first, 100);
  void* const second = AllocateBlock(100);
  EXPECT_EQ(first, second);
  FreeBlock(second, 100);
}

TEST(BlockCacheTest, ASlabIsUsedAgainWhenAllItsBlocksAreBack) {
  if (MaxCachedBytesPerThread() == 0)
    GTEST_SKIP() << "sanitizers see every block";
  // More than a slab has, in two orders: the same memory serves them all.
  std::set<uintptr_t> pages;
  for (int round = 0; round < 100; ++round) {
    std::vector<void*> blocks(300);
    for (void*& block : blocks) {
      block = AllocateBlock(64);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0);
      pages.insert(reinterpret_cast<uintptr_t>(block) / 4096);
    }
    if (round % 2 != 0) std::reverse(blocks.begin(), blocks.end());
    for (void* block : blocks) FreeBlock(block, 64);
  }
  EXPECT_LT(pages.size(), 20);
}

// Futures that a program keeps, among many that it forgets.
TEST(BlockCacheTest, ABlockThatIsKeptAmongOthersCostsFourKibibytesAtMost) {
  if (MaxCachedBytesPerThread() == 0)
    GTEST_SKIP() << "sanitizers see every block";
  constexpr size_t kKept = 10'000;
  const size_t before = BlockBytesFromSystem();
  for (const size_t size :
       {size_t{64}, size_t{192}, size_t{256}, size_t{512}}) {
    std::vector<void*> kept;
    std::vector<void*> others(129);
    for (size_t i = 0; i < kKept; ++i) {
      kept.push_back(AllocateBlock(size));
      for (void*& block : others) block = AllocateBlock(size);
      for (void* block : others) FreeBlock(block, size);
    }
    const size_t most = MaxCachedBytesPerThread() + MaxCachedBytesInDepot();
    EXPECT_LE(BlockBytesFromSystem() - before, kKept * 4096 + most) << size;
    for (void* block : kept) FreeBlock(block, size);
    EXPECT_LE(BlockBytesFromSystem() - before, most) << size;
  }
}

TEST(BlockCacheTest, WhatABurstTookGoesBack) {
  if (MaxCachedBytesPerThread() == 0)
    GTEST_SKIP() << "sanitizers see every block";
  std::vector<void*> blocks(100'000);
  for (void*& block : blocks) block = AllocateBlock(128);
  EXPECT_GT(BlockBytesFromSystem(), blocks.size() * 128);
  // By another thread, which ends.
  std::thread([&] {
    for (size_t i = 0; i < blocks.size(); i += 2) FreeBlock(blocks[i], 128);
  }).join();
  std::thread([&] {
    for (size_t i = 1; i < blocks.size(); i += 2) FreeBlock(blocks[i], 128);
  }).join();
  EXPECT_LE(BlockBytesFromSystem(),
            MaxCachedBytesPerThread() + MaxCachedBytesInDepot());
}

TEST(BlockCacheTest, BlocksFreedByOneThreadReachAnother) {
  // Born here, freed there: what a pool does all day. The blocks cross the
  // depot.
  std::mutex mutex;
  std::vector<Marked> handed_over;
  std::vector<Marked> broken;
  uint64_t next = 0;
  internal::RunConcurrently(
      2000,
      [&] {
        for (size_t i = 0; i < 50; ++i) {
          const Marked made = Make(48 + 64 * (i % 3), ++next);
          const std::lock_guard<std::mutex> lock(mutex);
          handed_over.push_back(made);
        }
      },
      [&] {
        std::vector<Marked> mine;
        {
          const std::lock_guard<std::mutex> lock(mutex);
          mine.swap(handed_over);
        }
        for (const Marked& marked : mine) {
          if (!Intact(marked)) broken.push_back(marked);
          FreeBlock(marked.block, marked.size);
        }
      });
  EXPECT_TRUE(broken.empty());
  for (const Marked& marked : handed_over) FreeBlock(marked.block, marked.size);
}

TEST(BlockCacheTest, BlocksMayBeFreedWhileAThreadEnds) {
  // A thread_local that dies after the cache of its thread: it was made before.
  struct Late {
    void* block = nullptr;
    ~Late() {
      if (block != nullptr) FreeBlock(block, 64);
    }
  };
  for (int i = 0; i < 100; ++i) {
    std::thread([] {
      static thread_local Late late;
      late.block = nullptr;            // constructed first, destroyed last
      late.block = AllocateBlock(64);  // ... and this is the cache's first use
    }).join();
  }
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
