#include "heddle/pool/pool_stats.h"

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "heddle/pool/internal/worker_counters.h"

namespace heddle {

uint64_t TimeHistogram::count() const {
  uint64_t sum = 0;
  for (const uint64_t bucket : buckets_) sum += bucket;
  return sum;
}

absl::Duration TimeHistogram::Percentile(double percent) const {
  const uint64_t all = count();
  if (all == 0) return absl::ZeroDuration();
  const double wanted = std::ceil(static_cast<double>(all) * percent / 100);
  double seen = 0;
  size_t bucket = 0;
  for (;; ++bucket) {
    seen += static_cast<double>(buckets_[bucket]);
    if ((seen >= wanted && seen > 0) || bucket + 1 == buckets_.size()) break;
  }
  return bucket == 0 ? absl::ZeroDuration()
                     : absl::Nanoseconds((int64_t{1} << bucket) - 1);
}

void TimeHistogram::Add(const pool_internal::TimeCounters& counters) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += counters.count(i);
}

}  // namespace heddle
