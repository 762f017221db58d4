#include "heddle/tools/compare/busy.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

#include "absl/base/attributes.h"
#include "benchmark/benchmark.h"

namespace heddle {
namespace compare {
namespace {

// One round waits for the other, so a processor cannot do two at a time.
ABSL_ATTRIBUTE_NOINLINE void Work(int64_t rounds) {
  uint64_t value = 1;
  for (int64_t i = 0; i < rounds; ++i) {
    value = value * 6364136223846793005u + 1442695040888963407u;
  }
  benchmark::DoNotOptimize(value);
}

// The fastest of many tries is one that nothing came between.
double MeasureRound() {
  constexpr int kTries = 200;
  constexpr int64_t kRounds = 10'000;
  double best = std::numeric_limits<double>::max();
  for (int i = 0; i < kTries; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    Work(kRounds);
    const std::chrono::duration<double, std::nano> took =
        std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count());
  }
  return best / kRounds;
}

}  // namespace

Busy::Busy(std::chrono::nanoseconds time) {
  static const double round = MeasureRound();
  rounds_ = std::llround(static_cast<double>(time.count()) / round);
}

void Busy::operator()() const {
  if (rounds_ > 0) Work(rounds_);
}

}  // namespace compare
}  // namespace heddle
