// WorkerCounters: what one worker counts, for others to read.
//
// Thread safety: one thread counts, any may read; what it reads may be a moment
// old, each number for itself.

#ifndef HEDDLE_POOL_INTERNAL_WORKER_COUNTERS_H_
#define HEDDLE_POOL_INTERNAL_WORKER_COUNTERS_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "heddle/thread/internal/atomic.h"

namespace heddle {
namespace pool_internal {

// A number that one thread raises.
class Counter {
 public:
  void Add(uint64_t more) {
    // relaxed: one writer, and a number that orders nothing.
    value_.store(value_.load(std::memory_order_relaxed) + more,
                 std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  internal::Atomic<uint64_t> value_{0};
};

// How often times of each order of magnitude occurred: bucket n counts those of
// 2^(n-1) to 2^n - 1 nanoseconds, bucket 0 those of none.
inline constexpr size_t kTimeBuckets = 48;  // the last one: 39 hours and more

inline size_t TimeBucket(int64_t nanos) {
  if (nanos <= 0) return 0;
  const auto bits =
      static_cast<size_t>(std::bit_width(static_cast<uint64_t>(nanos)));
  return std::min(bits, kTimeBuckets - 1);
}

class TimeCounters {
 public:
  void Add(int64_t nanos) { buckets_[TimeBucket(nanos)].Add(1); }
  uint64_t count(size_t bucket) const { return buckets_[bucket].value(); }

 private:
  std::array<Counter, kTimeBuckets> buckets_;
};

struct WorkerCounters {
  Counter submitted;  // from its own tasks, to its own deque; forks it took
  Counter done;
  Counter failed;  // of those done
  Counter steals;
  Counter parks;
  TimeCounters waits;  // from queued to begun, of those that were timed
  TimeCounters runs;   // of the same
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_WORKER_COUNTERS_H_
