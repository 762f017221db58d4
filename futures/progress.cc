#include "heddle/futures/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/one_line.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

constexpr int64_t kNanosBetweenDrawings = 100'000'000;

Progress::Options Checked(Progress::Options options) {
  const char* wrong = nullptr;
  if (options.total < 0) wrong = "total must not be negative";
  if (options.to == nullptr) wrong = "there is nothing to write to";
  if (wrong != nullptr)
    internal::Throw(std::invalid_argument(absl::StrCat("Progress: ", wrong)));
  return options;
}

bool IsShown(const Progress::Options& options) {
  switch (options.show) {
    case Progress::Show::kNever:
      return false;
    case Progress::Show::kAlways:
      return true;
    case Progress::Show::kOnTerminal:
      break;
  }
  return isatty(fileno(options.to)) != 0;
}

// `x` without a fraction, or the nearest that there is.
int64_t Whole(double x) {
  return static_cast<int64_t>(std::clamp(x, -9e18, 9e18));
}

// As "%.1f" or "%.0f", whatever the locale.
std::string RateOf(double rate) {
  if (rate >= 10) return absl::StrCat(Whole(std::nearbyint(rate)));
  const int64_t tenths = Whole(std::nearbyint(10 * rate));
  return absl::StrCat(tenths / 10, ".", tenths % 10);
}

}  // namespace

Progress::Progress(Options options)
    : options_(Checked(std::move(options))),
      shown_(IsShown(options_)),
      began_(internal::Clock::Now()),
      next_drawing_(began_) {}

Progress::~Progress() {
  LockGuard guard(lock_);
  if (!drawn_) return;
  Draw();
  std::fputs("\n", options_.to);
}

void Progress::Add(int64_t count) {
  // relaxed: counts, and times that only say whose turn it is to draw.
  done_.fetch_add(count, std::memory_order_relaxed);
  if (!shown_) return;
  const int64_t now = internal::Clock::Now();
  int64_t next = next_drawing_.load(std::memory_order_relaxed);
  if (now < next ||
      !next_drawing_.compare_exchange_strong(next, now + kNanosBetweenDrawings,
                                             std::memory_order_relaxed)) {
    return;
  }
  LockGuard guard(lock_);
  Draw();
}

std::string Progress::Line() const {
  const int64_t done = this->done();
  const double seconds =
      static_cast<double>(internal::Clock::Now() - began_) / 1e9;
  const double rate =
      done > 0 && seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string line = options_.what.empty()
                         ? ""
                         : absl::StrCat(internal::OneLine(options_.what), ": ");
  absl::StrAppend(&line, done);
  const auto total = static_cast<double>(options_.total);
  if (options_.total > 0) {
    const double percent = 100 * static_cast<double>(done) / total;
    absl::StrAppend(&line, " of ", options_.total, " (", Whole(percent), " %)");
  }
  absl::StrAppend(&line, ", ", RateOf(rate), "/s");
  if (options_.total > done && rate > 0) {
    const auto left = absl::Seconds((total - static_cast<double>(done)) / rate);
    absl::StrAppend(&line, ", ",
                    absl::FormatDuration(absl::Ceil(left, absl::Seconds(1))),
                    " left");
  }
  return line;
}

void Progress::Draw() {
  // Without memory for the line it is left as it was.
  static_cast<void>(internal::CatchAll([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    // To the line's beginning, and what was longer before is erased.
    const std::string text = absl::StrCat("\r", Line(), "\x1b[K");
    std::fwrite(text.data(), 1, text.size(), options_.to);
    std::fflush(options_.to);
    drawn_ = true;
  }));
}

}  // namespace heddle
