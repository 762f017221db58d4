// Exhibit(): a bug of another library beside what mends it. The faulty twin must
// be found, as a failure of the kind that is said, and the right twin must pass;
// each within 20 CPU-seconds. A strategy that no longer finds one is a failing
// test.
//
// The twins are small algorithms of our own after the published descriptions of
// the bugs; no code of those libraries is here.

#ifndef HEDDLE_TOOLS_EXPLORE_MUSEUM_MUSEUM_H_
#define HEDDLE_TOOLS_EXPLORE_MUSEUM_MUSEUM_H_

#include <atomic>
#include <cstdint>

#include "gtest/gtest.h"
#include "heddle/tools/explore/atomic.h"
#include "heddle/tools/explore/explore.h"
#include "heddle/tools/explore/model.h"
#include "heddle/tools/explore/var.h"

namespace heddle {
namespace explore {
namespace museum {

inline constexpr auto kRelaxed = std::memory_order_relaxed;
inline constexpr auto kAcquire = std::memory_order_acquire;
inline constexpr auto kRelease = std::memory_order_release;
inline constexpr auto kAcqRel = std::memory_order_acq_rel;
inline constexpr auto kSeqCst = std::memory_order_seq_cst;

// A sleep on a futex without a deadline, and the wake-ups.
inline void Sleep(const Atomic<uint32_t>& word, uint32_t expected) {
  FutexSleep(&word, expected, /*timed=*/false, 0);
}
inline void WakeOne(const void* word) { FutexWake(word, /*all=*/false); }
inline void WakeAll(const void* word) { FutexWake(word, /*all=*/true); }

// A lock for what the exhibits need one for: the three states of RawLock.
class SmallLock {
 public:
  void lock() {
    uint32_t seen = 0;
    if (word_.compare_exchange_strong(seen, 1, kAcquire, kRelaxed)) return;
    while (word_.exchange(2, kAcquire) != 0) Sleep(word_, 2);
  }
  void unlock() {
    if (word_.exchange(0, kRelease) == 2) WakeOne(&word_);
  }

 private:
  Atomic<uint32_t> word_{0};
};

class Guard {
 public:
  explicit Guard(SmallLock& lock) : lock_(lock) { lock_.lock(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { lock_.unlock(); }

 private:
  SmallLock& lock_;
};

inline void Exhibit(FailureKind kind, const Body& faulty, const Body& right,
                    Options options = {}) {
  options.max_executions = 20'000'000;
  options.max_cpu_seconds = 10;
  EXPECT_TRUE(Finds(kind, options, faulty));
  options.max_cpu_seconds = 5;
  EXPECT_TRUE(Explore(options, right));
}

}  // namespace museum
}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_MUSEUM_MUSEUM_H_
