#include "heddle/pool/internal/loop_pace.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace heddle {
namespace pool_internal {
namespace {

using Rest = LoopPace::Rest;

// What the looks at a loop of `n` elements say, until it is for all or has been
// done alone, if each element takes `nanos` and the first `late` more.
std::vector<Rest> Looks(int64_t n, int64_t nanos, int64_t late = 0,
                        int64_t grain = 1) {
  std::vector<Rest> looks;
  int64_t now = 1'000'000;
  LoopPace pace(grain, now);
  now += late;
  for (int64_t left = n;;) {
    const int64_t piece = std::min(pace.piece(), left);
    now += piece * nanos;
    left -= piece;
    if (left == 0) return looks;
    looks.push_back(pace.Look(now, piece, left));
    if (looks.back() == Rest::kForAll) return looks;
  }
}

TEST(LoopPaceTest, AFewCheapElementsAreForOne) {
  EXPECT_EQ(Looks(1, 5), std::vector<Rest>());
  EXPECT_EQ(Looks(100, 2),
            (std::vector<Rest>{Rest::kForOne, Rest::kForOne, Rest::kForOne}));
}

TEST(LoopPaceTest, SomeMicrosecondsAreForTwoOnceThatIsKnown) {
  EXPECT_EQ(Looks(1000, 3), (std::vector<Rest>{Rest::kForOne, Rest::kForOne,
                                               Rest::kForTwo, Rest::kForTwo}));
}

TEST(LoopPaceTest, WhatIsLeftForTwoMayBeTooLittle) {
  EXPECT_EQ(Looks(600, 3), (std::vector<Rest>{Rest::kForOne, Rest::kForOne,
                                              Rest::kForTwo, Rest::kForOne}));
}

TEST(LoopPaceTest, LongElementsAreForAllWhenTheSecondPieceIsLongToo) {
  EXPECT_EQ(Looks(1000, 5'000),
            (std::vector<Rest>{Rest::kForOne, Rest::kForAll}));
}

TEST(LoopPaceTest, VeryLongElementsAreForAllAtOnce) {
  EXPECT_EQ(Looks(1000, 100'000), (std::vector<Rest>{Rest::kForAll}));
}

TEST(LoopPaceTest, FewLongElementsAreForAllAtOnce) {
  EXPECT_EQ(Looks(3, 50'000'000), (std::vector<Rest>{Rest::kForAll}));
  EXPECT_EQ(Looks(16, 50'000), (std::vector<Rest>{Rest::kForAll}));
}

TEST(LoopPaceTest, TheLastElementIsForOne) {
  EXPECT_EQ(Looks(2, 50'000'000), (std::vector<Rest>{Rest::kForOne}));
  EXPECT_EQ(Looks(20, 50'000'000, /*late=*/0, /*grain=*/10),
            (std::vector<Rest>{Rest::kForOne}));
}

TEST(LoopPaceTest, ManyCheapElementsAreForAllWhenTheyAreKnown) {
  const std::vector<Rest> looks = Looks(10'000'000, 2);
  EXPECT_EQ(looks.back(), Rest::kForAll);
  EXPECT_LE(looks.size(), 6u);
}

// An interrupt, or another thread's time slice.
TEST(LoopPaceTest, AnElementThatSeemsLongOnceIsNotBelieved) {
  const std::vector<Rest> looks = Looks(1000, 3, /*late=*/30'000);
  EXPECT_EQ(std::count(looks.begin(), looks.end(), Rest::kForAll), 0);
}

TEST(LoopPaceTest, ElementsThatGrowLongAreForAll) {
  int64_t now = 0;
  LoopPace pace(1, now);
  EXPECT_EQ(pace.Look(now += 3, 1, 9'999), Rest::kForOne);
  EXPECT_EQ(pace.Look(now += 8 * 1'000, 8, 9'991), Rest::kForOne);
  EXPECT_EQ(pace.Look(now += 8 * 2'000, 8, 9'983), Rest::kForAll);
}

TEST(LoopPaceTest, WhatTwoHaveDoneTookTwiceTheTime) {
  int64_t now = 0;
  LoopPace pace(1, now);
  EXPECT_EQ(pace.Look(now += 200, 100, 200, /*threads=*/2), Rest::kForTwo);
  EXPECT_EQ(pace.nanos(), 4);
  EXPECT_EQ(pace.seen(), 100);
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
