#include "heddle/thread/internal/throw.h"

#include <cstdio>
#include <cstdlib>

namespace heddle {
namespace internal {

void Fatal(const char* what) {
  std::fprintf(stderr, "heddle: fatal: %s\n", what);
  std::abort();
}

}  // namespace internal
}  // namespace heddle
