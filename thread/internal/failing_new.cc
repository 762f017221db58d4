#include "heddle/thread/internal/failing_new.h"

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "absl/base/config.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/internal/window.h"

namespace {

thread_local int64_t allocations = 0;
thread_local int64_t live_bytes = 0;
thread_local int64_t left_until_failure = -1;

bool IsToFail() {
  const bool fails = left_until_failure == 0;
  if (left_until_failure >= 0) --left_until_failure;
  return fails;
}

bool MayAllocate() {
  heddle::internal::CheckNoWindow("operator new");
  ++allocations;
  return !IsToFail();
}

// Memory, or null if the test says so.
void* Allocate(std::size_t size, std::size_t alignment) {
  if (!MayAllocate()) return nullptr;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* const block = alignment <= alignof(std::max_align_t)
                          ? std::malloc(size)
                          : std::aligned_alloc(alignment, rounded);
  if (block != nullptr) {
    live_bytes += static_cast<int64_t>(malloc_usable_size(block));
  }
  return block;
}

void* AllocateOrThrow(std::size_t size, std::size_t alignment) {
  void* const block = Allocate(size, alignment);
  if (block == nullptr) heddle::internal::Throw(std::bad_alloc());
  return block;
}

void Free(void* block) {
  live_bytes -= static_cast<int64_t>(malloc_usable_size(block));
  std::free(block);
}

}  // namespace

// All of them: a sanitizer has its own in place of those that are missing, and
// no memory may come from one and go back to the other.
void* operator new(std::size_t size) { return AllocateOrThrow(size, 1); }
void* operator new[](std::size_t size) { return AllocateOrThrow(size, 1); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return Allocate(size, 1);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return Allocate(size, 1);
}
void operator delete(void* block) noexcept { Free(block); }
void operator delete[](void* block) noexcept { Free(block); }
void operator delete(void* block, std::size_t) noexcept { Free(block); }
void operator delete[](void* block, std::size_t) noexcept { Free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept {
  Free(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  Free(block);
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  return AllocateOrThrow(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return AllocateOrThrow(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment,
                   const std::nothrow_t&) noexcept {
  return Allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment,
                     const std::nothrow_t&) noexcept {
  return Allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block, std::align_val_t) noexcept { Free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { Free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  Free(block);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
  Free(block);
}
void operator delete(void* block, std::align_val_t,
                     const std::nothrow_t&) noexcept {
  Free(block);
}
void operator delete[](void* block, std::align_val_t,
                       const std::nothrow_t&) noexcept {
  Free(block);
}

namespace heddle {
namespace internal {

#ifdef ABSL_HAVE_EXCEPTIONS
void MayFail() {
  if (!MayAllocate()) Throw(std::bad_alloc());
}
#endif

int64_t AllocationsOfThisThread() { return allocations; }
int64_t LiveBytesOfThisThread() { return live_bytes; }
void FailAllocationAfter(int64_t count) { left_until_failure = count; }
bool FailureIsAhead() { return left_until_failure >= 0; }
void FailHereIfDue() {
  if (IsToFail()) Throw(std::bad_alloc());
}

}  // namespace internal
}  // namespace heddle
