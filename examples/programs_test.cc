// Each example that prints a fixed result prints it, and nothing else.

#include <string>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/examples/run_program.h"
#include "heddle/examples/temp_tree.h"

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
    testing::Values(
#ifdef ABSL_HAVE_EXCEPTIONS  // an error that is no exception ends the program
        Program{"executor",
                "pow 1024, copied 4, primes 5 of 6, ring broken, "
                "nested 25, first 1, done"},
#endif
        Program{"fetch_all",
                "38 pages, 2 errors, 2 not waited for, 1 too slow"},
        Program{"hello", "285"},
        Program{"primitives", "100 dishes served, 300 taken"},
        Program{"priority_jobs", "save, answer, tidy up, dust"},
        Program{"producer_consumer", "2000 orders, 1999000 in all"},
        Program{"thread_pool",
                "apply 100, map 0 1 4 9 16, unordered 0 1 4 9 16, "
                "async 400, starmap 2 12, callback 81, timeout "
                "yes, done"},
        Program{"threads", "a-m: 13 letters, n-z: 13 letters, not late"}),
    [](const auto& program) { return std::string(program.param.name); });

TEST(PipelineTest, CountsTheWordsOfAFile) {
  const examples::TempTree tree;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "to be, or not to be?\n\n";
  tree.File("hamlet", text + "that");
  const auto result = examples::RunProgram(
      {examples::ExampleProgram("pipeline"), tree / "hamlet"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "2000 be\n2000 to\n1000 not\n1000 or\n1 that\n");
}

TEST(PipelineTest, SaysWhenThereIsNothingToRead) {
  const auto result = examples::RunProgram(
      {examples::ExampleProgram("pipeline"), "/no/such/file"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("usage: pipeline FILE"), std::string::npos);
}

TEST(ParallelHashTest, HashesEveryFileOfATree) {
  const examples::TempTree tree;
  for (int i = 0; i < 50; ++i)
    tree.File("folder/" + std::to_string(i), std::to_string(i));
  const auto first = examples::RunProgram(
      {examples::ExampleProgram("parallel_hash"), tree / "folder"});
  EXPECT_EQ(first.exit_code, 0);
  EXPECT_EQ(first.out.find("50 files, 0 unreadable, "), 0u);
  EXPECT_EQ(first.err, "");
  tree.File("folder/51", "one more");
  const auto second = examples::RunProgram(
      {examples::ExampleProgram("parallel_hash"), tree / "folder"});
  EXPECT_EQ(second.out.find("51 files, 0 unreadable, "), 0u);
}

TEST(ParallelHashTest, SaysWhenThereIsNoFolder) {
  const auto result = examples::RunProgram(
      {examples::ExampleProgram("parallel_hash"), "/no/such/folder"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("usage: parallel_hash FOLDER"), std::string::npos);
}

}  // namespace
