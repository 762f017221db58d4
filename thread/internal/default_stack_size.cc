#include "heddle/thread/internal/default_stack_size.h"

#include <cstddef>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace internal {
namespace {

// relaxed in all its uses: it orders nothing else.
constinit Atomic<size_t> default_stack_size{0};

}  // namespace

size_t DefaultStackSize() {
  return default_stack_size.load(std::memory_order_relaxed);
}

size_t ExchangeDefaultStackSize(size_t size) {
  return default_stack_size.exchange(size, std::memory_order_relaxed);
}

void CheckStackSize(const char* caller, size_t size) {
  if (size < SmallestStack()) {
    Throw(std::invalid_argument(absl::StrCat(caller, ": a stack has at least ",
                                             SmallestStack(), " bytes, not ",
                                             size)));
  }
  if (SystemRefusesStackSize(size)) {
    Throw(std::invalid_argument(absl::StrCat(
        caller, ": the system refuses a stack of ", size, " bytes")));
  }
}

}  // namespace internal
}  // namespace heddle
