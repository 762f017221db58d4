// The row `lock`: taking and releasing a lock, alone and against others.

#include "heddle/sync/lock.h"

#include <nsync_cpp.h>
#include <nsync_mu.h>
#include <tbb/spin_mutex.h>

#include <atomic>
#include <boost/thread/mutex.hpp>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender has lock() and unlock().

// The least that a lock can be: one exchange that may fail, and one that may
// not, to see whether anybody waits. It cannot wait itself.
class Bare {
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

class AbslMutex {
 public:
  void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

 private:
  absl::Mutex mutex_;
};

class NsyncMu {
 public:
  NsyncMu() { nsync::nsync_mu_init(&mu_); }
  void lock() { nsync::nsync_mu_lock(&mu_); }
  void unlock() { nsync::nsync_mu_unlock(&mu_); }

 private:
  nsync::nsync_mu mu_;
};

constexpr int64_t kPairs = 1000;

template <typename Contender>
void Uncontended(benchmark::State& state) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const OtherThread other;
  Contender lock;
  int64_t count = 0;
  for (auto _ : state) {
    const int64_t before = count;
    for (int64_t i = 0; i < kPairs; ++i) {
      lock.lock();
      benchmark::DoNotOptimize(++count);
      lock.unlock();
    }
    if (!CheckSum(state, count - before, kPairs)) break;
  }
  state.SetItemsProcessed(state.iterations() * kPairs);
}

// What the threads of a contended case share. The locks and what they guard are
// on a cache line of their own, as in a program that has thought of it.
template <typename Contender>
struct Shared {
  alignas(64) Contender lock;
  alignas(64) int64_t taken = 0;
};

// All take the lock until it was taken `n` times.
template <typename Contender>
int64_t TakeTurns(Shared<Contender>& shared, int64_t n,
                  const Work& outside) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (int64_t mine = 0;; ++mine) {
    shared.lock.lock();
    const bool done = shared.taken == n;
    if (!done) ++shared.taken;
    shared.lock.unlock();
    if (done) return mine;
    outside();
  }
}

template <typename Contender>
void Contended(benchmark::State& state, int threads, int64_t n,
               absl::Duration work) {
  const Work outside(work);
  Shared<Contender> shared;
  std::vector<int64_t> shares(static_cast<size_t>(threads));
  std::vector<int64_t> all_shares(shares.size());
  Crew crew(threads, [&](int member) {
    shares[static_cast<size_t>(member)] = TakeTurns(shared, n, outside);
  });
  crew.Round();  // once untimed: the threads have started
  for (auto _ : state) {
    shared.taken = 0;
    crew.Round();
    int64_t sum = 0;
    for (size_t i = 0; i < shares.size(); ++i) {
      sum += shares[i];
      all_shares[i] += shares[i];
    }
    if (!CheckSum(state, sum, n)) break;
  }
  state.SetItemsProcessed(state.iterations() * n);
  state.counters["worst share"] = WorstShare(all_shares);
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name) {
  row.Case(name, {{"threads", "1"}}, Uncontended<Contender>);
  for (const int threads : {2, 4}) {
    for (const auto& [outside, work] :
         {std::pair("none", absl::ZeroDuration()),
          std::pair("50ns", absl::Nanoseconds(50)),
          std::pair("1us", absl::Microseconds(1))}) {
      constexpr int64_t kTurns = 100'000;
      row.Case(name,
               {{"threads", std::to_string(threads)}, {"outside", outside}},
               [threads = threads, work = work](benchmark::State& state) {
                 Contended<Contender>(state, threads, kTurns, work);
               });
    }
  }
}

[[maybe_unused]] const bool registered = [] {
  const Row row(
      "Lock",
      "Take a lock, add to what it guards, release it. With one thread nobody "
      "else wants it, but another thread is there, asleep: in a process that "
      "has only one, glibc does without atomic instructions. With more threads "
      "all want the same lock until it was taken 100,000 times, and each does "
      "some work of its own (outside: none, 50 ns, 1 us) between two turns. "
      "worst share: how often the thread that got the fewest turns had one, as "
      "a part of what is fair. bare is a compare-exchange and an exchange, "
      "which cannot wait; tbb_spin_mutex never sleeps.");
  row.Case("bare", {{"threads", "1"}}, Uncontended<Bare>);
  AddCases<Lock>(row, "heddle");
  AddCases<std::mutex>(row, "std_mutex");
  AddCases<boost::mutex>(row, "boost_mutex");
  AddCases<tbb::spin_mutex>(row, "tbb_spin_mutex");
  AddCases<AbslMutex>(row, "absl_mutex");
  AddCases<NsyncMu>(row, "nsync_mu");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
