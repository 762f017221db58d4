// The row `rlock`: a lock that its holder may take again.

#include "heddle/sync/rlock.h"

#include <glib.h>

#include <boost/thread/recursive_mutex.hpp>
#include <cstdint>
#include <mutex>
#include <string>

#include "absl/base/thread_annotations.h"
#include "benchmark/benchmark.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender has lock() and unlock().

class GlibRecMutex {
 public:
  GlibRecMutex() { g_rec_mutex_init(&mutex_); }
  GlibRecMutex(const GlibRecMutex&) = delete;
  GlibRecMutex& operator=(const GlibRecMutex&) = delete;
  ~GlibRecMutex() { g_rec_mutex_clear(&mutex_); }
  void lock() { g_rec_mutex_lock(&mutex_); }
  void unlock() { g_rec_mutex_unlock(&mutex_); }

 private:
  GRecMutex mutex_;
};

// Takes the lock `depth` times, as functions do that call each other, and
// releases it as often. An item is one pair.
template <typename Contender>
void Nested(benchmark::State& state, int depth) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  constexpr int64_t kRounds = 1000;
  const OtherThread other;
  Contender lock;
  for (auto _ : state) {
    int64_t sum = 0;
    for (int64_t i = 0; i < kRounds; ++i) {
      for (int level = 0; level < depth; ++level) {
        lock.lock();
        benchmark::DoNotOptimize(++sum);
      }
      for (int level = 0; level < depth; ++level) lock.unlock();
    }
    if (!CheckSum(state, sum, kRounds * depth)) break;
  }
  state.SetItemsProcessed(state.iterations() * kRounds * depth);
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name) {
  for (const int depth : {1, 3}) {
    row.Case(
        name, {{"depth", std::to_string(depth)}},
        [depth](benchmark::State& state) { Nested<Contender>(state, depth); });
  }
}

[[maybe_unused]] const bool registered = [] {
  const Row row(
      "RLock",
      "Take a lock that its holder may take again, once (depth 1) or three "
      "times (depth 3), and release it as often; nobody else wants it. An item "
      "is one taking with its releasing. Another thread is there, asleep: in a "
      "process that has only one, glibc does without atomic instructions.");
  AddCases<RLock>(row, "heddle");
  AddCases<std::recursive_mutex>(row, "std_recursive_mutex");
  AddCases<boost::recursive_mutex>(row, "boost_recursive_mutex");
  AddCases<GlibRecMutex>(row, "glib_rec_mutex");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
