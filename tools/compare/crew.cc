#include "heddle/tools/compare/crew.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/time/time.h"

namespace heddle {
namespace compare {

namespace {

// Not inlined anywhere: it takes as long in each place.
ABSL_ATTRIBUTE_NOINLINE void DoSteps(int64_t steps) {
  for (int64_t i = 0; i < steps; ++i) asm volatile("");
}

double NanosecondsOfAStep() {
  static const double nanoseconds = [] {
    constexpr int64_t kSteps = 100'000;
    double best = std::numeric_limits<double>::infinity();
    // The fastest of many: what else the machine does only ever adds.
    for (int i = 0; i < 100; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      DoSteps(kSteps);
      const std::chrono::duration<double, std::nano> taken =
          std::chrono::steady_clock::now() - begin;
      best = std::min(best, taken.count() / kSteps);
    }
    return best;
  }();
  return nanoseconds;
}

}  // namespace

Crew::Crew(int size, std::function<void(int)> work)
    : work_(std::move(work)), barrier_(size + 1) {
  threads_.reserve(static_cast<size_t>(size));
  for (int member = 0; member < size; ++member) {
    threads_.emplace_back([this, member] { Run(member); });
  }
}

Crew::~Crew() {
  stopped_ = true;
  barrier_.arrive_and_wait();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::Round() {
  barrier_.arrive_and_wait();  // they begin
  barrier_.arrive_and_wait();  // they are done
}

void Crew::Run(int member) {
  for (;;) {
    barrier_.arrive_and_wait();
    if (stopped_) return;
    work_(member);
    barrier_.arrive_and_wait();
  }
}

Work::Work(absl::Duration duration)
    : steps_(static_cast<int64_t>(std::ceil(
          absl::ToDoubleNanoseconds(duration) / NanosecondsOfAStep()))) {}

void Work::operator()() const { DoSteps(steps_); }

double WorstShare(const std::vector<int64_t>& shares) {
  const int64_t all = std::accumulate(shares.begin(), shares.end(), int64_t{0});
  if (all == 0) return 0;
  const int64_t least = *std::min_element(shares.begin(), shares.end());
  return static_cast<double>(least) * static_cast<double>(shares.size()) /
         static_cast<double>(all);
}

}  // namespace compare
}  // namespace heddle
