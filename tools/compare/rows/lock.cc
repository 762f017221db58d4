// The row `lock`: a lock that nobody else wants, taken and released.

#include "heddle/sync/lock.h"

#include <tbb/mutex.h>
#include <tbb/spin_mutex.h>

#include <atomic>
#include <boost/thread/mutex.hpp>
#include <cstdint>
#include <mutex>
#include <string>

#include "absl/base/thread_annotations.h"
#include "benchmark/benchmark.h"
#include "heddle/tools/compare/company.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/rows/locks.h"

namespace heddle {
namespace compare {
namespace {

// The least that a lock with waiters can be. It cannot wait.
class BarePair {
 public:
  void lock() {
    uint32_t expected = 0;
    benchmark::DoNotOptimize(word_.compare_exchange_strong(
        expected, 1, std::memory_order_acquire, std::memory_order_relaxed));
  }
  void unlock() {
    benchmark::DoNotOptimize(word_.exchange(0, std::memory_order_release));
  }

 private:
  std::atomic<uint32_t> word_{0};
};

template <typename Mutex>
void LockUnlock(benchmark::State& state) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  constexpr int64_t kTimes = 1000;
  const Sleeper sleeper;
  Mutex mutex;
  for (auto _ : state) {
    int64_t count = 0;
    for (int64_t i = 0; i < kTimes; ++i) {
      mutex.lock();
      benchmark::DoNotOptimize(++count);
      mutex.unlock();
    }
    if (!CheckSum(state, count, kTimes)) break;
  }
  state.SetItemsProcessed(state.iterations() * kTimes);
}

[[maybe_unused]] const bool registered = [] {
  const Row row("Lock",
                "Take and release a lock that nobody else wants, and count up "
                "meanwhile, in a process that has a second thread. The bare "
                "pair is a compare-and-swap and an exchange: no lock, but "
                "what one costs at least.");
  row.Case("heddle", {}, LockUnlock<Lock>);
  row.Case("bare_pair", {}, LockUnlock<BarePair>);
  row.Case("std_mutex", {}, LockUnlock<std::mutex>);
  row.Case("boost_mutex", {}, LockUnlock<boost::mutex>);
  row.Case("nsync_mu", {}, LockUnlock<NsyncMutex>);
  row.Case("absl_mutex", {}, LockUnlock<AbslMutex>);
  row.Case("tbb_mutex", {}, LockUnlock<tbb::mutex>);
  row.Case("tbb_spin_mutex", {}, LockUnlock<tbb::spin_mutex>);
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
