// The stack size of threads that do not choose one, and which sizes there are.

#ifndef HEDDLE_THREAD_INTERNAL_DEFAULT_STACK_SIZE_H_
#define HEDDLE_THREAD_INTERNAL_DEFAULT_STACK_SIZE_H_

#include <cstddef>

namespace heddle {
namespace internal {

// In bytes; 0: the system's own default.
size_t DefaultStackSize();
// Returns the old one. REQUIRES: `size` is 0 or has passed the check below.
size_t ExchangeDefaultStackSize(size_t size);

// Throws std::invalid_argument, on behalf of `caller`, if no thread can have a
// stack of `size` bytes.
void CheckStackSize(const char* caller, size_t size);

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_DEFAULT_STACK_SIZE_H_
