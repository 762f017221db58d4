#include "heddle/futures/progress.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/manual_clock.h"

namespace heddle {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A file that is read back.
class Output {
 public:
  Output() : file_(std::tmpfile()) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { std::fclose(file_); }

  std::FILE* file() { return file_; }
  std::string Text() {
    std::string text;
    std::rewind(file_);
    for (int c = std::getc(file_); c != EOF; c = std::getc(file_))
      text.push_back(static_cast<char>(c));
    return text;
  }

 private:
  std::FILE* const file_;
};

TEST(ProgressTest, TheLineSaysWhatIsDoneHowFastAndHowLongYet) {
  internal::ManualClock clock;
  Progress progress(
      {.what = "hashing", .total = 200, .show = Progress::Show::kNever});
  progress.Add(20);
  clock.Advance(absl::Seconds(4));
  progress.Add(30);
  EXPECT_EQ(progress.done(), 50);
  EXPECT_EQ(progress.Line(), "hashing: 50 of 200 (25 %), 12/s, 12s left");
  progress.Add(150);
  EXPECT_EQ(progress.Line(), "hashing: 200 of 200 (100 %), 50/s");
}

TEST(ProgressTest, WithoutATotalItSaysNothingOfTheRest) {
  internal::ManualClock clock;
  Progress progress({.show = Progress::Show::kNever});
  EXPECT_EQ(progress.Line(), "0, 0.0/s");
  Progress broken({.what = "a\nb", .show = Progress::Show::kNever});
  EXPECT_EQ(broken.Line(), "a\\nb: 0, 0.0/s");
  progress.Add(3);
  clock.Advance(absl::Seconds(2));
  EXPECT_EQ(progress.Line(), "3, 1.5/s");
}

TEST(ProgressTest, CountsMayBeAsLargeAsTheyLike) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  internal::ManualClock clock;
  Progress all({.total = kMost, .show = Progress::Show::kNever});
  all.Add(kMost / 2);
  EXPECT_THAT(all.Line(), StartsWith("4611686018427387903 of "
                                     "9223372036854775807 (50 %)"));
  all.Add(kMost - kMost / 2);
  EXPECT_THAT(all.Line(), StartsWith("9223372036854775807 of "
                                     "9223372036854775807 (100 %)"));
  Progress more({.total = 1, .show = Progress::Show::kNever});
  more.Add(kMost);
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_THAT(more.Line(), StartsWith("9223372036854775807 of 1 ("));
  Progress less({.total = kMost, .show = Progress::Show::kNever});
  less.Add(-kMost);
  EXPECT_THAT(less.Line(), StartsWith("-9223372036854775807 of "
                                      "9223372036854775807 (-100 %), 0.0/s"));
}

TEST(ProgressTest, IsDrawnTenTimesASecondAtMostAndAtItsEnd) {
  internal::ManualClock clock;
  Output output;
  {
    Progress progress({.what = "x",
                       .total = 100,
                       .to = output.file(),
                       .show = Progress::Show::kAlways});
    progress.Add(1);  // drawn
    progress.Add(1);
    clock.Advance(absl::Milliseconds(99));
    progress.Add(1);
    EXPECT_THAT(output.Text(), StartsWith("\rx: 1 of 100"));
    clock.Advance(absl::Milliseconds(1));
    progress.Add(1);  // drawn
    progress.Add(1);
  }
  const std::string text = output.Text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 3);
  EXPECT_THAT(text, HasSubstr("\rx: 4 of 100"));
  EXPECT_THAT(text, HasSubstr("\rx: 5 of 100"));
  EXPECT_EQ(text.back(), '\n');
}

TEST(ProgressTest, IsNotDrawnWhereThereIsNoTerminal) {
  Output output;
  {
    Progress progress({.to = output.file()});
    progress.Add(1);
    EXPECT_EQ(progress.done(), 1);
  }
  EXPECT_EQ(output.Text(), "");
}

TEST(ProgressTest, IsNotEndedIfItWasNeverDrawn) {
  Output output;
  { Progress unused({.to = output.file(), .show = Progress::Show::kAlways}); }
  EXPECT_EQ(output.Text(), "");
}

TEST(ProgressTest, ManyThreadsAddUp) {
  Output output;
  Progress progress({.to = output.file(), .show = Progress::Show::kAlways});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) progress.Add(1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(progress.done(), 4000);
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ProgressTest, BadOptionsAreRefused) {
  EXPECT_THROW(Progress({.total = -1}), std::invalid_argument);
  EXPECT_THROW(Progress({.to = nullptr}), std::invalid_argument);
}
#endif

}  // namespace
}  // namespace heddle
