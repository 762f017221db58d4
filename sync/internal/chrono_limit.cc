#include "heddle/sync/internal/chrono_limit.h"

#include <cmath>

#include "absl/time/time.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace sync_internal {

WaitLimit LimitForSeconds(double seconds) {
  return std::isnan(seconds) ? absl::ZeroDuration() : absl::Seconds(seconds);
}

}  // namespace sync_internal
}  // namespace heddle
