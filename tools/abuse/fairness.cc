// How a Lock fares with many more threads than processors, and whether anybody
// starves; prints what it measured and, last, how many of the targets are met.
// Run: bazel run -c opt //tools/abuse:fairness

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/shared_lock.h"
#include "heddle/thread/lock_guard.h"

namespace {

using SteadyClock = std::chrono::steady_clock;

void Work(int steps) {
  for (int i = 0; i < steps; ++i) asm volatile("" ::: "memory");
}

// How often each of some threads gets a Lock in this time, with a little to do
// inside of it and outside.
std::vector<int64_t> Acquisitions(size_t threads, absl::Duration time) {
  heddle::Lock lock;
  std::atomic<bool> begun{false};
  std::atomic<bool> over{false};
  std::vector<int64_t> counts(threads);
  std::vector<std::thread> running;
  for (int64_t& count : counts) {
    running.emplace_back([&] {
      while (!begun.load()) std::this_thread::yield();
      int64_t n = 0;
      for (; !over.load(std::memory_order_relaxed); ++n) {
        {
          heddle::LockGuard guard(lock);
          Work(20);
        }
        Work(100);
      }
      count = n;
    });
  }
  begun = true;
  std::this_thread::sleep_for(absl::ToChronoMilliseconds(time));
  over = true;
  for (std::thread& thread : running) thread.join();
  return counts;
}

int64_t Sum(const std::vector<int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

// The longest that a writer waited, among readers who never all let go.
double LongestWriterWaitMs(size_t readers, int writes) {
  heddle::SharedLock lock;
  std::atomic<bool> over{false};
  std::vector<std::thread> running;
  for (size_t i = 0; i < readers; ++i) {
    running.emplace_back([&] {
      while (!over.load(std::memory_order_relaxed)) {
        heddle::ReaderGuard guard(lock);
        Work(2000);
      }
    });
  }
  double longest = 0;
  for (int i = 0; i < writes; ++i) {
    const auto asked = SteadyClock::now();
    {
      heddle::LockGuard guard(lock);
      const std::chrono::duration<double, std::milli> waited =
          SteadyClock::now() - asked;
      longest = std::max(longest, waited.count());
    }
    std::this_thread::yield();
  }
  over = true;
  for (std::thread& thread : running) thread.join();
  return longest;
}

int met = 0;
int targets = 0;

void Report(bool is_met, const char* target) {
  ++targets;
  if (is_met) ++met;
  absl::PrintF("  %s: %s\n", is_met ? "met" : "MISSED", target);
}

}  // namespace

int main() {
  constexpr absl::Duration kTime = absl::Seconds(1);
  // In turns, because the machine has other things to do.
  double best_ratio = 0;
  for (int round = 0; round < 3; ++round) {
    const auto two = Sum(Acquisitions(2, kTime));
    const auto many = Sum(Acquisitions(200, kTime));
    const double ratio = static_cast<double>(many) / static_cast<double>(two);
    best_ratio = std::max(best_ratio, ratio);
    absl::PrintF("2 threads: %d, 200 threads: %d acquisitions a second, %.2f\n",
                 two, many, ratio);
  }
  Report(best_ratio >= 0.5, "200 threads get half of what 2 get, or more");

  const std::vector<int64_t> counts = Acquisitions(8, 3 * kTime);
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  const double spread = static_cast<double>(*most) /
                        static_cast<double>(std::max<int64_t>(*least, 1));
  absl::PrintF("8 threads: from %d to %d acquisitions, %.2f\n", *least, *most,
               spread);
  Report(spread <= 5, "of 8 threads none gets five times as much as another");

  const double longest = LongestWriterWaitMs(8, 2000);
  absl::PrintF("a writer among 8 readers waited %.1f ms at most\n", longest);
  Report(longest <= 100, "a writer waits 100 ms at most");

  absl::PrintF("%d of %d\n", met, targets);
  return met == targets ? 0 : 1;
}
