// Patience(): how long a waiter of a lock lets others take it first.
//
// A release that hands the lock over to a sleeper leaves it idle until that one
// runs, longer than many critical sections take. So locks are for whoever comes
// first, and handed over only to a waiter that has waited for so long.

#ifndef HEDDLE_SYNC_INTERNAL_PATIENCE_H_
#define HEDDLE_SYNC_INTERNAL_PATIENCE_H_

#include <cstdint>

namespace heddle {
namespace sync_internal {

#ifdef HEDDLE_MODEL
// Without end, but in a model that is about it: in all others it would mend a
// wake-up that was lost.
inline int64_t patience_nanos = INT64_MAX;
#else
inline constexpr int64_t patience_nanos = 1'000'000;
#endif

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_PATIENCE_H_
