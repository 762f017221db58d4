// GCC's OpenMP is there, and is switched on.

#include <omp.h>

#include <atomic>

#include "gtest/gtest.h"

namespace heddle {
namespace compare {
namespace {

TEST(GompTest, RunsATeam) {
  std::atomic<int> members = 0;
#pragma omp parallel num_threads(2)
  members += omp_get_num_threads() == 2 ? 1 : 0;
  EXPECT_EQ(members, 2);
}

}  // namespace
}  // namespace compare
}  // namespace heddle
