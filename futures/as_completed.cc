#include "heddle/futures/as_completed.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "heddle/pool/errors.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace futures_internal {

void ThrowUnfinished(size_t unfinished, size_t all) {
  internal::Throw(
      TimeoutError(absl::StrCat("AsCompleted: the limit passed; ", unfinished,
                                " of ", all, " futures are unfinished")));
}

}  // namespace futures_internal
}  // namespace heddle
