#include "heddle/examples/search_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/examples/temp_tree.h"
#include "heddle/thread/thread.h"

namespace search {
namespace {

using examples::TempTree;

constexpr int kNoOutput = -1;
constexpr size_t kBuffer = size_t{128} * 1024;  // as in search_file.cc

// A file with `content`, searched; its name is "f" in the lines returned.
class FileSearcherTest : public testing::Test {
 protected:
  std::string Find(const std::string& word, const std::string& content) {
    tree_.File("f", content);
    const FileSearcher searcher(word, kNoOutput);
    const FileMatches found =
        searcher.Search(tree_ / "f", FileSearcher::kRegularFiles);
    EXPECT_EQ(found.problem, "");
    EXPECT_EQ(searcher.files(), 1);
    return WithShortName(found.lines);
  }

  // Without the folder that is in front of each line.
  std::string WithShortName(const std::string& lines) {
    std::string result;
    std::istringstream stream(lines);
    for (std::string line; std::getline(stream, line);) {
      EXPECT_TRUE(line.starts_with(tree_ / "f:"));
      result += line.substr(tree_.root().size() + 1) + "\n";
    }
    return result;
  }

  const TempTree tree_;
};

// What should be found, by the plainest of means.
std::string Expected(const std::string& word, const std::string& content) {
  std::string result;
  std::istringstream stream(content);
  int64_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.find(word) != std::string::npos)
      result += "f:" + std::to_string(number) + ":" + line + "\n";
  }
  return result;
}

TEST_F(FileSearcherTest, NothingIsInAnEmptyFile) {
  EXPECT_EQ(Find("word", ""), "");
  EXPECT_EQ(Find("", ""), "");
}

TEST_F(FileSearcherTest, LinesAreWholeAndNumberedFromOne) {
  EXPECT_EQ(Find("b", "abc\nx\nb\n\nbb bb\n"), "f:1:abc\nf:3:b\nf:5:bb bb\n");
}

TEST_F(FileSearcherTest, ALastLineWithoutNewlineGetsOne) {
  EXPECT_EQ(Find("b", "a\nb"), "f:2:b\n");
  EXPECT_EQ(Find("", "a\n\nb"), "f:1:a\nf:2:\nf:3:b\n");
}

TEST_F(FileSearcherTest, AnEmptyWordIsInEveryLine) {
  EXPECT_EQ(Find("", "\n\na\n"), "f:1:\nf:2:\nf:3:a\n");
}

TEST_F(FileSearcherTest, BytesAreTakenAsTheyAre) {
  EXPECT_EQ(Find("\xff", "a\r\n\xfe\xff\r\n"), "f:2:\xfe\xff\r\n");
  EXPECT_EQ(Find("\r", "a\r\nb\n"), "f:1:a\r\n");
  EXPECT_EQ(Find("A", "a\n"), "");
}

TEST_F(FileSearcherTest, ANulInTheFirst32KiBMakesAFileBinary) {
  const std::string nul(1, '\0');
  EXPECT_EQ(Find("b", "b\n" + nul), "");
  EXPECT_EQ(Find("b", "b\n" + std::string(32 * 1024 - 3, 'a') + nul), "");
}

TEST_F(FileSearcherTest, ALaterNulDoesNot) {
  const std::string nul(1, '\0');
  const std::string a(32 * 1024 - 3, 'a');
  EXPECT_EQ(Find("b", "b\n" + a + "\n" + nul + "b\n"),
            "f:1:b\nf:3:" + nul + "b\n");
  const std::string many(3 * kBuffer, 'a');
  EXPECT_EQ(Find("b", "b\n" + many + "\n" + nul + "b\n"),
            "f:1:b\nf:3:" + nul + "b\n");
}

TEST_F(FileSearcherTest, WordsAcrossTheBuffersEndAreFoundOnce) {
  const std::string word = "needle";
  for (const size_t around : {size_t{32} * 1024, kBuffer, 2 * kBuffer}) {
    for (size_t before = around - word.size() - 1; before <= around + 1;
         ++before) {
      std::string content;
      while (content.size() + 64 < before)
        content += std::string(63, '.') + "\n";
      content +=
          std::string(before - content.size(), '-') + word + "\nneedless";
      ASSERT_EQ(Find(word, content), Expected(word, content)) << before;
    }
  }
}

TEST_F(FileSearcherTest, LinesMayBeLongerThanAnyBuffer) {
  const std::string a(5 * kBuffer + 17, 'a');
  const std::string content =
      "b\n" + a + "b" + a + "\n" + a + "\nb\n" + a + "b";
  EXPECT_EQ(Find("b", content), Expected("b", content));
  EXPECT_EQ(Find("", content), Expected("", content));
  EXPECT_EQ(Find("c", content), "");
}

TEST_F(FileSearcherTest, FindsWhatAPlainSearchFinds) {
  std::mt19937 random(/*seed=*/1);
  const auto text = [&random](size_t size, int newline_in) {
    std::string result(size, '\0');
    for (char& c : result) {
      c = random() % static_cast<unsigned>(newline_in) == 0
              ? '\n'
              : "aaab"[random() % 4];
    }
    return result;
  };
  for (int round = 0; round < 200; ++round) {
    std::string word = text(random() % 8, /*newline_in=*/1 << 30);
    const size_t size =
        round % 20 == 0 ? kBuffer * 2 - 100 + random() % 200 : random() % 300;
    const std::string content = text(size, round % 3 == 0 ? 2000 : 20);
    ASSERT_EQ(Find(word, content), Expected(word, content))
        << "round " << round << ", word " << word;
  }
}

TEST_F(FileSearcherTest, AFrequentWordIsFoundAsWell) {
  const std::string word = std::string(50, 'a') + "b";
  const std::string almost(3000, 'a');
  const std::string content = almost + "\n" + almost + "b\n" + almost + "\n";
  EXPECT_EQ(Find(word, content), Expected(word, content));
}

TEST_F(FileSearcherTest, TellsWhatIsInTheWay) {
  const FileSearcher searcher("a", kNoOutput);
  EXPECT_EQ(searcher.Search(tree_ / "no", FileSearcher::kRegularFiles).problem,
            tree_ / "no: No such file or directory");
  EXPECT_EQ(searcher.Search(tree_.root(), FileSearcher::kAny).problem,
            tree_.root() + ": Is a directory");
  EXPECT_EQ(searcher.bytes(), 0);
}

TEST_F(FileSearcherTest, PassesOverWhatIsNoRegularFile) {
  tree_.File("f", "a\n");
  tree_.Link("link", "f");
  tree_.Node("fifo", S_IFIFO);
  const FileSearcher searcher("a", kNoOutput);
  for (const char* name : {"link", "fifo"}) {
    const FileMatches found =
        searcher.Search(tree_ / name, FileSearcher::kRegularFiles);
    EXPECT_EQ(found.lines, "");
    EXPECT_EQ(found.problem, "");
  }
  EXPECT_EQ(searcher.files(), 0);
  EXPECT_EQ(searcher.Search(tree_ / "link", FileSearcher::kAny).lines,
            tree_ / "link:1:a\n");
}

TEST_F(FileSearcherTest, ReadsAFifoToItsEndWhenAskedTo) {
  tree_.Node("fifo", S_IFIFO);
  heddle::Thread writer([this] {
    const int fifo = open((tree_ / "fifo").c_str(), O_WRONLY);
    for (const char* part : {"a", "b\nb", "a\n"})
      EXPECT_EQ(write(fifo, part, strlen(part)), std::ssize(std::string(part)));
    close(fifo);
  });
  writer.Start();
  const FileSearcher searcher("b", kNoOutput);
  EXPECT_EQ(searcher.Search(tree_ / "fifo", FileSearcher::kAny).lines,
            (tree_ / "fifo:1:ab\n") + (tree_ / "fifo:2:ba\n"));
}

TEST_F(FileSearcherTest, FilesThatSayTheyAreEmptyAreReadAllTheSame) {
  const FileSearcher searcher("Name:", kNoOutput);
  EXPECT_TRUE(searcher.Search("/proc/self/status", FileSearcher::kRegularFiles)
                  .lines.starts_with("/proc/self/status:1:Name:"));
}

TEST_F(FileSearcherTest, TheOutputIsNotSearched) {
  tree_.File("f", "a\n");
  const int output = open((tree_ / "f").c_str(), O_WRONLY | O_APPEND);
  const FileSearcher searcher("a", output);
  close(output);
  const FileMatches found =
      searcher.Search(tree_ / "f", FileSearcher::kRegularFiles);
  EXPECT_EQ(found.lines, "");
  EXPECT_EQ(found.problem, tree_ / "f: input file is also the output");
}

TEST_F(FileSearcherTest, CountsWhatAllThreadsRead) {
  tree_.File("f", std::string(kBuffer + 1, 'a'));
  const FileSearcher searcher("b", kNoOutput);
  const auto search = [&] {
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(searcher.Search(tree_ / "f", FileSearcher::kAny).lines, "");
    }
  };
  heddle::Thread other(search);
  other.Start();
  search();
  other.Join();
  EXPECT_EQ(searcher.files(), 20);
  EXPECT_EQ(searcher.bytes(), 20 * int64_t{kBuffer + 1});
}

}  // namespace
}  // namespace search
