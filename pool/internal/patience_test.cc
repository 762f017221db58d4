#include "heddle/pool/internal/patience.h"

#include <cstddef>

#include "gtest/gtest.h"

namespace heddle {
namespace pool_internal {
namespace {

void FindSeveralTimes(Patience& patience, size_t tasks, int times) {
  for (int i = 0; i < times; ++i) patience.Found(tasks);
}

TEST(PatienceTest, GrowsWhereFewTasksComeAgainAndAgain) {
  Patience patience;
  FindSeveralTimes(patience, 1, Patience::kTimes - 1);
  EXPECT_EQ(patience.pauses(), 0);
  patience.Found(1);
  EXPECT_EQ(patience.pauses(), Patience::kFirstPauses);
  patience.Found(2);
  EXPECT_EQ(patience.pauses(), 2 * Patience::kFirstPauses);
  FindSeveralTimes(patience, Patience::kMany - 1, 10);
  EXPECT_EQ(patience.pauses(), Patience::kMostPauses);
}

TEST(PatienceTest, ThereIsNoneWhereTasksComeOneByOne) {
  Patience patience;
  for (int i = 0; i < 100; ++i) {
    patience.Found(1);
    patience.Found(0);  // the worker has gone to look for work
    EXPECT_EQ(patience.pauses(), 0);
  }
}

TEST(PatienceTest, EndsWhenTooFewHaveComeMeanwhile) {
  Patience patience;
  FindSeveralTimes(patience, Patience::kMany - 1, 10);
  ASSERT_EQ(patience.pauses(), Patience::kMostPauses);
  patience.Found(Patience::kMostPauses / Patience::kPausesForTask - 1);
  EXPECT_EQ(patience.pauses(), 0);
  // From the beginning.
  FindSeveralTimes(patience, 1, Patience::kTimes - 1);
  EXPECT_EQ(patience.pauses(), 0);
}

TEST(PatienceTest, StaysAsItIsWhereManyCome) {
  Patience patience;
  FindSeveralTimes(patience, Patience::kMany, 100);
  EXPECT_EQ(patience.pauses(), 0);
  FindSeveralTimes(patience, 1, Patience::kTimes);
  FindSeveralTimes(patience, Patience::kMany, 100);
  EXPECT_EQ(patience.pauses(), Patience::kFirstPauses);
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
