#include "heddle/pool/internal/batch_pace.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace heddle {
namespace pool_internal {
namespace {

using testing::Each;
using testing::ElementsAre;

// The sizes of that many batches of tasks that each take so long.
std::vector<size_t> Batches(BatchPace& pace, int count, int64_t ticks) {
  std::vector<size_t> sizes;
  for (int i = 0; i < count; ++i) {
    sizes.push_back(pace.Next());
    for (size_t n = 0; n < sizes.back(); ++n) pace.Took(ticks);
  }
  return sizes;
}

TEST(BatchPaceTest, TasksOfUnknownLengthComeAlone) {
  BatchPace pace;
  EXPECT_EQ(pace.Next(), 1u);
}

TEST(BatchPaceTest, ShortTasksComeInLargerAndLargerBatches) {
  BatchPace pace;
  EXPECT_THAT(Batches(pace, 7, 100), ElementsAre(1, 2, 4, 8, 16, 32, 32));
}

TEST(BatchPaceTest, NoTicksAreShort) {
  BatchPace pace;
  EXPECT_THAT(Batches(pace, 7, 0), ElementsAre(1, 2, 4, 8, 16, 32, 32));
}

TEST(BatchPaceTest, LongTasksComeAlone) {
  BatchPace pace;
  EXPECT_THAT(Batches(pace, 20, BatchPace::kMostTicks), Each(1u));
}

TEST(BatchPaceTest, ABatchEndsInTime) {
  for (const int64_t ticks : {300, 1000, 3000, 5000}) {
    BatchPace pace;
    Batches(pace, 100, ticks);
    const auto size = static_cast<int64_t>(pace.Next());
    EXPECT_LE((size - 1) * ticks, BatchPace::kMostTicks);
    EXPECT_GE((size + 1) * ticks, BatchPace::kMostTicks);
  }
}

TEST(BatchPaceTest, OneLongTaskEndsTheLargeBatches) {
  BatchPace pace;
  Batches(pace, 10, 100);
  pace.Took(INT64_MAX);
  EXPECT_EQ(pace.Next(), 1u);
  pace.Took(100);
  EXPECT_LE(pace.Next(), 2u);
}

TEST(BatchPaceTest, ItForgetsALongTask) {
  BatchPace pace;
  pace.Took(INT64_MAX);
  EXPECT_EQ(Batches(pace, 100, 100).back(), 32u);
}

TEST(BatchPaceTest, ATimeThatGoesBackIsShort) {
  BatchPace pace;
  EXPECT_THAT(Batches(pace, 6, -5), ElementsAre(1, 2, 4, 8, 16, 32));
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
