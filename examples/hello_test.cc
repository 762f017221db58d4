#include "gtest/gtest.h"
#include "heddle/examples/run_program.h"

namespace {

TEST(HelloTest, PrintsWhatItsFirstLineSays) {
  const auto result = examples::RunProgram({examples::ExampleProgram("hello")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "285\n");
  EXPECT_EQ(result.err, "");
}

}  // namespace
