// Tests that no memory is allocated with a bucket of the parking layer locked:
// `operator new` may be a user's, and wait for a lock of that bucket.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/barrier.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/event.h"
#include "heddle/sync/internal/testing.h"
#include "heddle/sync/latch.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/internal/parking.h"

namespace {

// While set, each allocation of this thread takes the bucket of this key, which
// never ends if the thread has it already.
thread_local const void* key_of_allocations = nullptr;
thread_local int allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  if (key_of_allocations != nullptr) {
    ++allocations;
    const heddle::internal::ParkingSpot spot(key_of_allocations);
  }
  void* const memory = std::malloc(size != 0 ? size : 1);
  if (memory == nullptr) std::abort();
  return memory;
}
// Every form that is not aligned: AddressSanitizer's own would not fit these.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return operator new(size);
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return operator new(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}

namespace heddle {
namespace {

// Calls `function`, whose allocations take the bucket of `object`; returns how
// many there were.
template <typename Function>
int AllocationsOf(const void* object, Function function) {
  allocations = 0;
  key_of_allocations = object;
  function();
  key_of_allocations = nullptr;
  return allocations;
}

template <typename T>
void ExpectDebugStringAllocatesOutside(const T& object,
                                       const void* key = nullptr) {
  EXPECT_GT(AllocationsOf(key != nullptr ? key : &object,
                          [&] { (void)object.DebugString(); }),
            0);
}

TEST(AllocatingTest, DebugStringLeavesTheBucketBeforeItAllocates) {
  ExpectDebugStringAllocatesOutside(Lock());
  ExpectDebugStringAllocatesOutside(RLock());
  ExpectDebugStringAllocatesOutside(Semaphore());
  ExpectDebugStringAllocatesOutside(BoundedSemaphore());
  ExpectDebugStringAllocatesOutside(Event());
  ExpectDebugStringAllocatesOutside(Latch(1));
  ExpectDebugStringAllocatesOutside(Barrier(1));
  ExpectDebugStringAllocatesOutside(Condition());
}

#ifdef ABSL_HAVE_EXCEPTIONS
template <typename Call>
void ExpectErrorAllocatesOutside(const void* object, Call call) {
  EXPECT_GT(AllocationsOf(object,
                          [&] {
                            try {
                              call();
                              key_of_allocations = nullptr;
                              ADD_FAILURE() << "no error";
                            } catch (const std::exception&) {
                            }
                          }),
            0);
}

TEST(AllocatingTest, ErrorsLeaveTheBucketBeforeTheyAllocate) HEDDLE_UNCHECKED {
  Lock lock;
  ExpectErrorAllocatesOutside(&lock, [&]() HEDDLE_UNCHECKED { lock.unlock(); });
  Semaphore semaphore;
  ExpectErrorAllocatesOutside(&semaphore,
                              [&] { semaphore.Release(INT64_MAX); });
  BoundedSemaphore bounded;
  ExpectErrorAllocatesOutside(&bounded, [&] { bounded.Release(); });
  Latch latch(1);
  ExpectErrorAllocatesOutside(&latch, [&] { latch.CountDown(2); });
  Barrier broken(2);
  broken.Abort();
  ExpectErrorAllocatesOutside(&broken, [&] { broken.Wait(); });
  Barrier late(2);
  ExpectErrorAllocatesOutside(&late, [&] { late.Wait(absl::ZeroDuration()); });
}
#endif

}  // namespace
}  // namespace heddle
