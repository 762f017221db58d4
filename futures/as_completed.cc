#include "heddle/futures/as_completed.h"

#include <cstddef>

#include "absl/strings/str_format.h"
#include "heddle/pool/errors.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace futures_internal {

void ThrowUnfinished(size_t unfinished, size_t all) {
  internal::Throw(TimeoutError(absl::StrFormat(
      "AsCompleted: the limit passed; %d of %d futures are unfinished",
      unfinished, all)));
}

}  // namespace futures_internal
}  // namespace heddle
