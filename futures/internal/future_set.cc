#include "heddle/futures/internal/future_set.h"

#include <stdexcept>
#include <unordered_set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "heddle/futures/internal/completions.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace futures_internal {

States Distinct(const char* caller, States all) {
  std::unordered_set<const pool_internal::ResultState*> seen;
  std::erase_if(all, [&](const pool_internal::ResultState* state) {
    if (state == nullptr) {
      internal::Throw(std::logic_error(absl::StrCat(
          caller, ": one of the futures has no result behind it")));
    }
    return !seen.insert(state).second;
  });
  return all;
}

}  // namespace futures_internal
}  // namespace heddle
