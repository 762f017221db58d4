// The row `shared_lock`: many readers or one writer.

#include "heddle/sync/shared_lock.h"

#include <array>
#include <boost/thread/shared_mutex.hpp>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <shared_mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender has lock(), unlock(), lock_shared() and unlock_shared().

class AbslMutex {
 public:
  void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }
  void lock_shared() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.ReaderLock(); }
  void unlock_shared() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.ReaderUnlock(); }

 private:
  absl::Mutex mutex_;
};

// What is guarded: some numbers that are always equal.
using Numbers = std::array<int64_t, 16>;

template <typename Contender>
struct Shared {
  alignas(64) Contender lock;
  alignas(64) Numbers numbers{};
};

// Reads the numbers `rounds` times, except that each `period`th time it adds one
// to them all; never where the period is 0. Returns how often they were equal,
// as they must be, and counts a writing as such a time.
template <typename Contender>
int64_t ReadAndWrite(Shared<Contender>& shared, int64_t rounds,
                     int64_t period) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  int64_t right = 0;
  int64_t until_write = period;
  for (int64_t i = 0; i < rounds; ++i) {
    if (--until_write == 0) {
      until_write = period;
      shared.lock.lock();
      for (int64_t& number : shared.numbers) ++number;
      shared.lock.unlock();
      ++right;
      continue;
    }
    shared.lock.lock_shared();
    int64_t sum = 0;
    for (const int64_t number : shared.numbers) sum += number;
    const int64_t first = shared.numbers[0];
    shared.lock.unlock_shared();
    if (sum == first * static_cast<int64_t>(shared.numbers.size())) ++right;
  }
  return right;
}

template <typename Contender>
void Run(benchmark::State& state, int threads, int64_t period) {
  constexpr int64_t kRounds = 50'000;  // of each
  Shared<Contender> shared;
  std::vector<int64_t> right(static_cast<size_t>(threads));
  Crew crew(threads, [&](int member) {
    right[static_cast<size_t>(member)] = ReadAndWrite(shared, kRounds, period);
  });
  crew.Round();
  for (auto _ : state) {
    crew.Round();
    const int64_t sum = std::accumulate(right.begin(), right.end(), int64_t{0});
    if (!CheckSum(state, sum, threads * kRounds)) break;
  }
  state.SetItemsProcessed(state.iterations() * threads * kRounds);
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name) {
  for (const int threads : {1, 2, 4}) {
    row.Case(name, {{"reads", "all"}, {"threads", std::to_string(threads)}},
             [threads](benchmark::State& state) {
               Run<Contender>(state, threads, /*period=*/0);
             });
  }
  for (const int threads : {2, 4}) {
    row.Case(name,
             {{"reads", "90_percent"}, {"threads", std::to_string(threads)}},
             [threads](benchmark::State& state) {
               Run<Contender>(state, threads, /*period=*/10);
             });
  }
}

[[maybe_unused]] const bool registered = [] {
  const Row row(
      "SharedLock",
      "Read 16 numbers with a lock held that readers share and see "
      "that they are equal, or (one time in ten where reads are 90 percent) "
      "add one to all of them with the lock held alone. An item is "
      "one of either.");
  AddCases<SharedLock>(row, "heddle");
  AddCases<std::shared_mutex>(row, "std_shared_mutex");
  AddCases<boost::shared_mutex>(row, "boost_shared_mutex");
  AddCases<AbslMutex>(row, "absl_mutex");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
