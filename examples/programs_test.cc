// Each example that prints a fixed result prints it, and nothing else.

#include <string>

#include "gtest/gtest.h"
#include "heddle/examples/run_program.h"

namespace {

struct Program {
  const char* name;
  const char* prints;  // what its first line says
};

class ProgramsTest : public testing::TestWithParam<Program> {};

TEST_P(ProgramsTest, PrintsWhatItsFirstLineSays) {
  const auto result =
      examples::RunProgram({examples::ExampleProgram(GetParam().name)});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, std::string(GetParam().prints) + "\n");
  EXPECT_EQ(result.err, "");
}

INSTANTIATE_TEST_SUITE_P(
    Examples, ProgramsTest,
    testing::Values(Program{"hello", "285"},
                    Program{"primitives", "100 dishes served, 300 taken"},
                    Program{"threads",
                            "a-m: 13 letters, n-z: 13 letters, not late"}),
    [](const auto& program) { return std::string(program.param.name); });

}  // namespace
