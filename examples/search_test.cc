// Runs search and the real grep on the same trees and compares byte for byte.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/examples/run_program.h"
#include "heddle/examples/temp_tree.h"

namespace {

using examples::ExampleProgram;
using examples::ProgramResult;
using examples::RunOptions;
using examples::RunProgram;
using examples::TempTree;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

using Arguments = std::vector<std::string>;

ProgramResult Search(Arguments arguments, const RunOptions& options = {}) {
  arguments.insert(arguments.begin(), ExampleProgram("search"));
  return RunProgram(arguments, options);
}

ProgramResult Grep(const std::string& word, const Arguments& paths,
                   const RunOptions& options = {}) {
  Arguments arguments = {"grep", "-rnFIH", "--", word};
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  return RunProgram(arguments, options);
}

// What grep prints, in the order of search. Needs paths that fit in PATH_MAX.
ProgramResult GrepInPathOrder(const std::string& word, const std::string& root,
                              const RunOptions& options = {}) {
  return RunProgram(
      {"sh", "-c",
       "find \"$1\" -type f -print0 | sort -z | xargs -0 grep -nFIH -- \"$0\"",
       word, root},
      options);
}

// The lines of `text`, sorted.
std::vector<std::string> SortedLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

// Two programs' warnings are the same but for the names of the programs.
std::vector<std::string> Warnings(const std::string& text) {
  std::vector<std::string> lines = SortedLines(text);
  for (std::string& line : lines) line.erase(0, line.find(": "));
  return lines;
}

// A tree with everything in it that has ever confused a program like this.
// "odd names" holds what cannot be compared line by line.
void MakeNasty(const TempTree& tree) {
  const std::string nul(1, '\0');

  tree.File("empty", "");
  tree.File("newlines", std::string(1000, '\n'));
  tree.File("no newline", "needle");
  tree.File("no newline at the end", "a\nb\nneedle");
  tree.File("crlf", "needle\r\n\r\nno\r\nneedle\r");
  tree.File("latin1", "caf\xe9 needle\n\xff\xfe\n");
  tree.File("every byte but NUL", [] {
    std::string bytes;
    for (int c = 1; c < 256; ++c) bytes += static_cast<char>(c);
    return bytes + "needle\n" + bytes;
  }());
  tree.File("many on a line", "needleneedle needle\nneedleneedl\nneedl\n");
  tree.File("almost", std::string(10000, 'n') + "eedl\n" +
                          std::string(10000, 'e') + "\n-needle-\n");

  // Lines longer than any buffer, and files longer than that.
  const std::string mega(3 << 20, 'x');
  tree.File("long/at the end", mega + "needle");
  tree.File("long/in the middle", mega + "needle" + mega + "\nneedle\n");
  tree.File("long/without", mega + "\n" + mega);
  std::string lines;
  for (int i = 0; i < 200'000; ++i) {
    lines += "line " + std::to_string(i) + (i % 997 == 0 ? " needle\n" : "\n");
  }
  tree.File("long/many lines", lines);

  // A match at each place near the ends of the buffers of both programs.
  for (const int kib : {32, 96, 128}) {
    for (int shift = -8; shift <= 8; shift += 2) {
      std::string content;
      while (content.size() < static_cast<size_t>(kib * 1024 - 200)) {
        content += "................................................\n";
      }
      content.resize(static_cast<size_t>(kib * 1024 + shift - 3), '-');
      content += "needle\nand\nneedle";
      tree.File("ends/" + std::to_string(kib) + "." + std::to_string(shift + 8),
                content);
    }
  }

  // Binary: what is in the first 32 KiB decides, for both programs.
  tree.File("binary/first", nul + "needle\n");
  tree.File("binary/after", "needle\n" + nul);
  tree.File("binary/last place",
            "needle\n" + std::string(32 * 1024 - 8, 'a') + nul);
  tree.File("binary/large", "needle\n" + nul + mega + "\nneedle\n");

  for (int i = 0; i < 3000; ++i) {
    const std::string name = std::to_string(i);
    tree.File("small/" + name.substr(0, 1) + "/" + name,
              i % 7 == 0 ? "no\nneedle " + name + "\n" : "no\n");
  }

  std::string deep = "deep";
  for (int level = 0; level < 200; ++level) {
    deep += "/d" + std::to_string(level % 3);
    if (level % 10 == 9) tree.File(deep + "/file", "a needle\n");
  }

  // The order of whole paths is not that of the names, folder by folder.
  for (const char* path : {"order/a/b", "order/a.b", "order/a-b", "order/a0",
                           "order/a", "order/a b"}) {
    if (std::string(path) != "order/a") tree.File(path, "needle\n");
  }

  tree.Link("links/to nothing", "nothing");
  tree.Link("links/to file", "../crlf");
  tree.Link("links/to folder", "../order");
  tree.Link("links/to parent", "..");
  tree.Link("links/to itself", "to itself");
  tree.Node("nodes/fifo", S_IFIFO);
  tree.Node("nodes/socket", S_IFSOCK);

  for (const char* name : {" ", "-n", "--", "it's", "\"quoted\"", "*", "a\\b",
                           "\xff\xfe", "\xc3\xa9", "$HOME", "a:1:b", "\t"}) {
    tree.File(std::string("names/") + name, "needle\n");
  }
  tree.File("odd names/a\nb", "needle\n");
  tree.File("odd names/\n", "needle\n");
  tree.File("odd names/\n\n/\nneedle", "needle\n");
}

class SearchTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    nasty_ = new TempTree;
    MakeNasty(*nasty_);
  }
  static void TearDownTestSuite() { delete nasty_; }

  static const TempTree& nasty() { return *nasty_; }

 private:
  static const TempTree* nasty_;
};

const TempTree* SearchTest::nasty_ = nullptr;

TEST_F(SearchTest, PrintsWhatGrepPrintsInPathOrder) {
  for (const char* word :
       {"needle", "", "e", "no", "-", "--help", "\r", "\xe9", "\xff",
        "needle 7", "eedleneedl", ".*", "nn", "absent word"}) {
    const ProgramResult expected = GrepInPathOrder(word, nasty().root());
    const ProgramResult found = Search({"--", word, nasty().root()});
    // Not EXPECT_EQ: these are megabytes.
    EXPECT_TRUE(found.out == expected.out) << "'" << word << "'";
    EXPECT_EQ(found.err, "") << "'" << word << "'";
    EXPECT_EQ(found.exit_code, expected.out.empty() ? 1 : 0)
        << "'" << word << "'";
  }
}

TEST_F(SearchTest, PrintsTheLinesOfARecursiveGrep) {
  const RunOptions in_nasty = {.folder = nasty().root()};
  const Arguments paths = {"small", "long",     "ends",  "deep",   "names",
                           "order", "./binary", "links", "nodes/", "crlf"};
  const ProgramResult expected = Grep("needle", paths, in_nasty);
  Arguments arguments = {"needle"};
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  const ProgramResult found = Search(arguments, in_nasty);
  EXPECT_EQ(SortedLines(found.out), SortedLines(expected.out));
  EXPECT_EQ(found.exit_code, expected.exit_code);
}

TEST_F(SearchTest, TheNumberOfThreadsDoesNotMatter) {
  const ProgramResult expected = GrepInPathOrder("needle", nasty().root());
  for (const char* threads : {"1", "2", "8", "100"}) {
    const ProgramResult found =
        Search({std::string("--threads=") + threads, "needle", nasty().root()});
    EXPECT_TRUE(found.out == expected.out) << threads;
    EXPECT_EQ(found.exit_code, 0);
  }
}

TEST_F(SearchTest, FewOpenFilesAreEnough) {
  // A chain of 200 folders, and 8 threads.
  const ProgramResult found =
      Search({"--threads=8", "needle", nasty().root()}, {.max_open_files = 16});
  EXPECT_EQ(found.err, "");
  EXPECT_TRUE(found.out == GrepInPathOrder("needle", nasty().root()).out);
}

TEST_F(SearchTest, AgreesWithGrepOnTheSystemsHeaders) {
  // Another program may be installing some: then look again.
  for (;;) {
    const ProgramResult before = GrepInPathOrder("mutex", "/usr/include");
    const ProgramResult found = Search({"mutex", "/usr/include"});
    const ProgramResult after = GrepInPathOrder("mutex", "/usr/include");
    if (before.out != after.out || before.err != after.err) continue;
    ASSERT_FALSE(after.out.empty());
    EXPECT_TRUE(found.out == after.out);
    EXPECT_EQ(found.err, "");
    EXPECT_EQ(found.exit_code, 0);
    break;
  }
}

TEST_F(SearchTest, PathsAreSpelledAsGrepSpellsThem) {
  TempTree tree;
  tree.File("d/a", "x\n");
  tree.Link("l", "d");
  const RunOptions in_tree = {.folder = tree.root()};
  for (const char* path :
       {"d", "d/", "d//", "./d", "d/.", "d/../d", "d/a", "./d//a", ".", "l",
        "l/", "l/a", "no", "no/", "d/a/"}) {
    const ProgramResult expected = Grep("x", {path}, in_tree);
    const ProgramResult found = Search({"x", path}, in_tree);
    EXPECT_EQ(found.out, expected.out) << path;
    EXPECT_EQ(Warnings(found.err), Warnings(expected.err)) << path;
    EXPECT_EQ(found.exit_code, expected.exit_code) << path;
  }
}

TEST_F(SearchTest, PathsComeInTheOrderGiven) {
  TempTree tree;
  tree.File("a", "x\n");
  tree.File("b/c", "x\n");
  const ProgramResult found =
      Search({"x", "b", "a", "b/c", "a"}, {.folder = tree.root()});
  EXPECT_EQ(found.out, "b/c:1:x\na:1:x\nb/c:1:x\na:1:x\n");
}

TEST_F(SearchTest, PathsMayBeLongerThanTheSystemTakes) {
  TempTree tree;
  tree.DeepFolders(std::string(200, 'd'), 100);
  const ProgramResult expected = Grep("level", {tree.root()});
  const ProgramResult found = Search({"level", tree.root()});
  EXPECT_EQ(SortedLines(found.out), SortedLines(expected.out));
  EXPECT_EQ(found.err, "");
  EXPECT_EQ(found.exit_code, 0);
}

TEST_F(SearchTest, WhatCannotBeReadIsAWarningEach) {
  TempTree tree;
  const RunOptions in_tree = {.folder = tree.root(), .obey_permissions = true};
  tree.File("a", "needle\n");
  tree.File("b", "needle\n");
  tree.File("c/file", "needle\n");
  tree.File("d/file", "needle\n");
  tree.SetMode("b", 0);
  tree.SetMode("c", 0);
  const ProgramResult expected = Grep("needle", {".", "no"}, in_tree);
  ASSERT_EQ(expected.out, "./a:1:needle\n./d/file:1:needle\n");
  const ProgramResult found = Search({"needle", ".", "no"}, in_tree);
  EXPECT_EQ(found.out, expected.out);
  EXPECT_EQ(found.err,
            "search: ./b: Permission denied\n"
            "search: ./c: Permission denied\n"
            "search: no: No such file or directory\n");
  EXPECT_EQ(Warnings(found.err), Warnings(expected.err));
  EXPECT_EQ(found.exit_code, 2);
  EXPECT_EQ(expected.exit_code, 2);
}

TEST_F(SearchTest, AFolderWithoutExecutePermissionNamesItsFilesAndNoMore) {
  TempTree tree;
  const RunOptions in_tree = {.folder = tree.root(), .obey_permissions = true};
  tree.File("d/file", "needle\n");
  tree.SetMode("d", 0400);
  const ProgramResult expected = Grep("needle", {"d"}, in_tree);
  const ProgramResult found = Search({"needle", "d"}, in_tree);
  EXPECT_EQ(found.out, "");
  EXPECT_EQ(found.err, "search: d/file: Permission denied\n");
  EXPECT_EQ(Warnings(found.err), Warnings(expected.err));
  EXPECT_EQ(found.exit_code, 2);
}

TEST_F(SearchTest, ExitCodesAreGreps) {
  TempTree tree;
  tree.File("a", "needle\n");
  const RunOptions in_tree = {.folder = tree.root()};
  for (const Arguments& arguments :
       {Arguments{"needle", "a"}, Arguments{"no", "a"},
        Arguments{"needle", "gone"}, Arguments{"needle", "a", "gone"},
        Arguments{"no", "a", "gone"}}) {
    EXPECT_EQ(
        Search(arguments, in_tree).exit_code,
        Grep(arguments[0], {arguments.begin() + 1, arguments.end()}, in_tree)
            .exit_code);
  }
}

// GNU grep stops at the first buffer with a NUL in it, having printed what was
// in those before; search looks at the first 32 KiB and then treats all as
// text.
TEST_F(SearchTest, AfterTheFirst32KiBANulIsAByteLikeOthers) {
  TempTree tree;
  const std::string nul(1, '\0');
  const std::string lines(size_t{40} * 1024, '\n');
  tree.File("a", lines + nul + "needle\nneedle\n");
  tree.File("b", "needle\n" + lines + lines + lines + nul + "needle\n");
  const RunOptions in_tree = {.folder = tree.root()};
  const ProgramResult found = Search({"needle", "."}, in_tree);
  EXPECT_EQ(found.out, "./a:40961:" + nul + "needle\n./a:40962:needle\n" +
                           "./b:1:needle\n./b:122882:" + nul + "needle\n");
  EXPECT_EQ(found.out,
            RunProgram({"grep", "-naF", "needle", "./a", "./b"}, in_tree).out);
  EXPECT_EQ(found.exit_code, 0);
}

TEST_F(SearchTest, RefusesWhatItCannotDo) {
  const struct {
    Arguments arguments;
    const char* complaint;
  } kCases[] = {
      {{}, "WORD or PATH is missing"},
      {{"word"}, "WORD or PATH is missing"},
      {{"a\nb", "."}, "WORD has a newline"},
      {{"--threads=0", "word", "."}, "--threads"},
      {{"--threads=-3", "word", "."}, "--threads"},
      {{"--threads=many", "word", "."}, "'threads'"},
      {{"--no_such_flag", "word", "."}, "'no_such_flag'"},
  };
  for (const auto& [arguments, complaint] : kCases) {
    const ProgramResult result = Search(arguments);
    EXPECT_EQ(result.exit_code, 2) << complaint;
    EXPECT_EQ(result.out, "") << complaint;
    EXPECT_THAT(result.err, HasSubstr(complaint));
    EXPECT_THAT(result.err, HasSubstr("\nusage: search ")) << complaint;
  }
}

TEST_F(SearchTest, HelpIsNoError) {
  const ProgramResult result = Search({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, StartsWith("usage: search "));
  EXPECT_EQ(result.err, "");
}

TEST_F(SearchTest, StatsAreTheLastLine) {
  TempTree tree;
  tree.File("a", "needle\n");
  tree.File("b", "12345");
  const ProgramResult result =
      Search({"--threads=3", "--stats", "needle", ".", "gone"},
             {.folder = tree.root()});
  EXPECT_EQ(result.out, "./a:1:needle\n");
  EXPECT_THAT(result.err,
              MatchesRegex("search: gone: No such file or directory\n"
                           "search: 2 files, 12 bytes, [0-9]+\\.[0-9]+ seconds,"
                           " 3 threads\n"));
}

TEST_F(SearchTest, PrintsWhileItGoesOn) {
  TempTree tree;
  tree.File("a", "needle\n");
  tree.Node("fifo", S_IFIFO);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t search = examples::StartProgram(
      {ExampleProgram("search"), "needle", tree / "a", tree / "fifo"},
      {.out = ends[1], .err = STDERR_FILENO});
  close(ends[1]);
  // Comes while search waits for somebody to write to the FIFO.
  std::string out(1000, '\0');
  out.resize(static_cast<size_t>(read(ends[0], out.data(), out.size())));
  EXPECT_EQ(out, tree / "a:1:needle\n");
  close(open((tree / "fifo").c_str(), O_WRONLY));
  EXPECT_EQ(examples::WaitForExitCode(search), 0);
  close(ends[0]);
}

TEST_F(SearchTest, EndsQuietlyWhenNobodyReadsItsOutput) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  close(ends[0]);
  const ProgramResult result =
      Search({"needle", nasty().root()}, {.out = ends[1]});
  close(ends[1]);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.exit_code, -SIGPIPE);
}

// However much there is still to be read.
TEST_F(SearchTest, EndsAtOnceWhenNobodyReadsItsOutput) {
  TempTree tree;
  tree.File("a", "needle\n");
  tree.Node("fifo", S_IFIFO);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  close(ends[0]);
  // Nobody ever writes to the FIFO.
  EXPECT_EQ(
      Search({"needle", tree / "a", tree / "fifo"}, {.out = ends[1]}).exit_code,
      -SIGPIPE);
  close(ends[1]);
}

TEST_F(SearchTest, AFullOutputIsAnError) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  const ProgramResult result =
      Search({"needle", nasty().root()}, {.out = full});
  close(full);
  EXPECT_EQ(result.err, "search: write error: No space left on device\n");
  EXPECT_EQ(result.exit_code, 2);
}

TEST_F(SearchTest, DoesNotSearchItsOwnOutput) {
  TempTree tree;
  tree.File("a", "needle\n");
  tree.File("out", "");
  const int out = open((tree / "out").c_str(), O_WRONLY | O_CLOEXEC);
  const ProgramResult result =
      Search({"needle", "."}, {.folder = tree.root(), .out = out});
  close(out);
  EXPECT_EQ(result.err, "search: ./out: input file is also the output\n");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(Search({"needle", "out"}, {.folder = tree.root()}).out,
            "out:1:./a:1:needle\n");
}

// What a terminal shows that was sent `bytes`, with spaces at the end of a
// line.
std::string Screen(const std::string& bytes) {
  std::string screen;
  size_t column = 0;  // of the last line
  for (size_t i = 0; i < bytes.size(); ++i) {
    const size_t line = screen.rfind('\n') + 1;
    if (bytes[i] == '\r') {
      column = 0;
    } else if (bytes.compare(i, 3, "\033[K") == 0) {
      screen.resize(line + column);
      i += 2;
    } else if (bytes[i] == '\n') {
      screen += '\n';
      column = 0;
    } else {
      screen.resize(std::max(screen.size(), line + column + 1), ' ');
      screen[line + column] = bytes[i];
      ++column;
    }
  }
  return screen;
}

// Both outputs are one terminal. The FIFO keeps the search from ending before
// there is progress to be seen.
TEST_F(SearchTest, ATerminalShowsProgressThatVanishes) {
  TempTree tree;
  tree.File("a", "needle\n");
  tree.Node("fifo", S_IFIFO);
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_TRUE(terminal >= 0 && grantpt(terminal) == 0 &&
              unlockpt(terminal) == 0);
  const int inner = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(inner, 0);
  const pid_t search = examples::StartProgram(
      {ExampleProgram("search"), "needle", "a", "fifo", "a"},
      {.folder = tree.root(), .out = inner, .err = inner});
  close(inner);

  std::string bytes;
  const auto read_more = [&] {  // false when the program has ended
    char part[1000];
    const ssize_t n = read(terminal, part, sizeof part);
    if (n > 0) bytes.append(part, static_cast<size_t>(n));
    return n > 0;
  };
  while (bytes.find("MB/s") == std::string::npos && read_more()) {
  }
  EXPECT_THAT(Screen(bytes), StartsWith("a:1:needle\n"));
  EXPECT_THAT(Screen(bytes), EndsWith(" MB/s"));

  const int fifo = open((tree / "fifo").c_str(), O_WRONLY);
  EXPECT_EQ(write(fifo, "needle", 6), 6);
  close(fifo);
  while (read_more()) {
  }
  EXPECT_EQ(Screen(bytes), "a:1:needle\nfifo:1:needle\na:1:needle\n");
  EXPECT_EQ(examples::WaitForExitCode(search), 0);
  close(terminal);
}

}  // namespace
