#include "heddle/thread/internal/failing_new.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "heddle/thread/internal/throw.h"

namespace {

thread_local int64_t allocations = 0;
thread_local int64_t left_until_failure = -1;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  const bool fails = left_until_failure == 0;
  if (left_until_failure >= 0) --left_until_failure;
  void* const block = fails ? nullptr : std::malloc(size);
  if (block == nullptr) heddle::internal::Throw(std::bad_alloc());
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace heddle {
namespace internal {

int64_t AllocationsOfThisThread() { return allocations; }
void FailAllocationAfter(int64_t count) { left_until_failure = count; }
bool FailureIsAhead() { return left_until_failure >= 0; }

}  // namespace internal
}  // namespace heddle
