// The row `lock_contended`: a lock that all threads want all the time.

#include <tbb/mutex.h>
#include <tbb/spin_mutex.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <boost/thread/mutex.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "benchmark/benchmark.h"
#include "heddle/sync/lock.h"
#include "heddle/tools/compare/busy.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/rows/locks.h"

namespace heddle {
namespace compare {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::milliseconds kWarmUp{50};
constexpr std::chrono::seconds kWindow{1};

// Threads that take one lock in turn for as long as it is open; who gets it how
// often is up to the lock.
template <typename Mutex>
class Contest {
 public:
  Contest(size_t threads, Busy outside)
      : outside_(outside),
        gate_(static_cast<std::ptrdiff_t>(threads) + 1),
        shares_(threads) {
    for (int64_t& share : shares_) {
      threads_.emplace_back([this, &share] { Compete(share); });
    }
  }
  ~Contest() {
    ended_ = true;
    gate_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
  }

  void Run(nanoseconds time) {
    closed_ = false;
    guarded_.count = 0;
    gate_.arrive_and_wait();
    std::this_thread::sleep_for(time);
    closed_ = true;
    gate_.arrive_and_wait();
  }

  // In the last Run(): what was counted with the lock held, how often all
  // threads together had it, and how often the one that had it least did.
  int64_t count() const { return guarded_.count; }
  int64_t sum() const {
    return std::accumulate(shares_.begin(), shares_.end(), int64_t{0});
  }
  int64_t least() const {
    return *std::min_element(shares_.begin(), shares_.end());
  }

 private:
  void Compete(int64_t& share) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (;;) {
      gate_.arrive_and_wait();
      if (ended_) return;
      int64_t mine = 0;
      // relaxed: only a flag; the gate orders the rest.
      while (!closed_.load(std::memory_order_relaxed)) {
        guarded_.mutex.lock();
        ++guarded_.count;
        guarded_.mutex.unlock();
        ++mine;
        outside_();
      }
      share = mine;
      gate_.arrive_and_wait();
    }
  }

  // A lock and what it guards, which is as a rule on one cache line with it.
  struct alignas(128) Guarded {
    Mutex mutex;
    int64_t count = 0;
  };

  Guarded guarded_;
  alignas(128) std::atomic<bool> closed_{false};
  bool ended_ = false;  // written before the gate
  const Busy outside_;
  std::barrier<> gate_;
  std::vector<int64_t> shares_;
  std::vector<std::thread> threads_;
};

template <typename Mutex>
void AddCases(const Row& row, const std::string& name) {
  for (const size_t threads : {2, 4}) {
    for (const auto& [outside_name, outside] :
         {std::pair("none", nanoseconds(0)), std::pair("50ns", nanoseconds(50)),
          std::pair("1us", nanoseconds(1000))}) {
      auto body = [threads, outside = outside](benchmark::State& state) {
        Contest<Mutex> contest(threads, Busy(outside));
        contest.Run(kWarmUp);
        int64_t sum = 0;
        double worst = 1;
        for (auto _ : state) {
          contest.Run(kWindow);
          sum += contest.sum();
          worst = std::min(worst, static_cast<double>(contest.least()) *
                                      static_cast<double>(threads) /
                                      static_cast<double>(contest.sum()));
          if (!CheckSum(state, contest.count(), contest.sum())) break;
        }
        state.SetItemsProcessed(sum);
        state.counters["worst_share"] = worst;
      };
      row.Case(
             name,
             {{"threads", std::to_string(threads)}, {"outside", outside_name}},
             body)
          ->Iterations(1);
    }
  }
}

[[maybe_unused]] const bool registered = [] {
  const Row row("LockContended",
                "For one second all threads take one lock again and again, "
                "count up, release it, and work `outside` for that long. An "
                "item is one time that any thread had the lock; worst_share is "
                "how often the thread that had it least did, where 1 would be "
                "its fair share.");
  AddCases<Lock>(row, "heddle");
  AddCases<std::mutex>(row, "std_mutex");
  AddCases<boost::mutex>(row, "boost_mutex");
  AddCases<NsyncMutex>(row, "nsync_mu");
  AddCases<AbslMutex>(row, "absl_mutex");
  AddCases<tbb::mutex>(row, "tbb_mutex");
  AddCases<tbb::spin_mutex>(row, "tbb_spin_mutex");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
