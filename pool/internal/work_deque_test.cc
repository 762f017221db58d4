#include "heddle/pool/internal/work_deque.h"

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace heddle {
namespace pool_internal {
namespace {

TEST(WorkDequeTest, TheOwnerPopsTheNewestThievesStealTheOldest) {
  WorkDeque<int> deque(4);
  int items[3];
  for (int& item : items) deque.Push(&item);
  EXPECT_EQ(deque.Size(), 3u);
  EXPECT_EQ(deque.Steal(), &items[0]);
  EXPECT_EQ(deque.Pop(), &items[2]);
  EXPECT_EQ(deque.Pop(), &items[1]);
  EXPECT_EQ(deque.Pop(), nullptr);
  EXPECT_EQ(deque.Steal(), nullptr);
  EXPECT_EQ(deque.Size(), 0u);
}

TEST(WorkDequeTest, GrowsAndKeepsWhatItHas) {
  WorkDeque<int> deque(2);
  std::vector<int> items(1000);
  for (int& item : items) deque.Push(&item);
  EXPECT_EQ(deque.Size(), 1000u);
  for (size_t i = 0; i < 500; ++i) EXPECT_EQ(deque.Steal(), &items[i]);
  for (size_t i = 1000; i-- > 500;) EXPECT_EQ(deque.Pop(), &items[i]);
}

TEST(WorkDequeTest, WhatIsPushedIsTakenOnceBesideThieves) {
  constexpr size_t kItems = 200'000;
  WorkDeque<std::atomic<int>> deque(2);
  std::vector<std::atomic<int>> taken(kItems);
  std::atomic<bool> done{false};
  std::vector<std::thread> thieves;
  for (int i = 0; i < 2; ++i) {
    thieves.emplace_back([&] {
      while (!done) {
        if (std::atomic<int>* const item = deque.Steal()) ++*item;
      }
    });
  }
  for (size_t i = 0; i < kItems; ++i) {
    deque.Push(&taken[i]);
    if (i % 3 == 0) {
      if (std::atomic<int>* const item = deque.Pop()) ++*item;
    }
  }
  while (std::atomic<int>* const item = deque.Pop()) ++*item;
  done = true;
  for (std::thread& thief : thieves) thief.join();
  for (size_t i = 0; i < kItems; ++i) ASSERT_EQ(taken[i], 1) << i;
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
