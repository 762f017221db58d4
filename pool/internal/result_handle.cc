#include "heddle/pool/internal/result_handle.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace pool_internal {

void ThrowInvalid(const char* handle) {
  internal::Throw(std::logic_error(
      absl::StrCat(handle, ": this handle has no result behind it")));
}

}  // namespace pool_internal
}  // namespace heddle
