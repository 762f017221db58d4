// Runs scripts_test.py, the tests of the Python beside it. Python is wherever
// Debian's Bazel is, which needs it; elsewhere it may be missing, and the test
// says that it was skipped.

#include <cstdlib>

#include "gtest/gtest.h"

namespace heddle {
namespace compare {
namespace {

TEST(CompareScriptsTest, PassTheirOwnTests) {
  if (std::system(
          "python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))'") !=
      0) {
    GTEST_SKIP() << "there is no python3, or one older than 3.9";
  }
  EXPECT_EQ(std::system("python3 -B tools/compare/scripts_test.py"), 0);
}

}  // namespace
}  // namespace compare
}  // namespace heddle
