#include "heddle/pool/internal/in_place.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "heddle/thread/internal/block_listener.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/thread.h"

#ifdef __linux__
#include <pthread.h>
#endif

namespace heddle {
namespace pool_internal {
namespace {

// The least that a new thread gets: fewer of them for a long chain.
constexpr size_t kLeastStack = size_t{1} << 20;

// Where the calling thread's stack is; both 1: nobody knows.
void FindStack(internal::PerThread& thread) {
  thread.stack_low = thread.stack_high = 1;
#if defined(__linux__) && !defined(HEDDLE_MODEL)
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* low = nullptr;
  size_t size = 0;
  if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
    thread.stack_low = reinterpret_cast<uintptr_t>(low);
    thread.stack_high = thread.stack_low + size;
  }
  pthread_attr_destroy(&attributes);
#endif
}

}  // namespace

bool HasHalfOfItsStack() {
  internal::PerThread& thread = internal::ThisThread();
  if (thread.stack_high == 0) FindStack(thread);
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (here < thread.stack_low || here >= thread.stack_high) return true;
  return here - thread.stack_low >= (thread.stack_high - thread.stack_low) / 2;
}

void RunOnNewStack(void (*run)(void* context) noexcept, void* context) {
  internal::PerThread& here = internal::ThisThread();
  // This wait is none: the worker goes on in the other thread.
  struct NoListener {
    ~NoListener() { thread.block_listener = listener; }
    internal::PerThread& thread;
    internal::BlockListener* const listener;
  } own{here, std::exchange(here.block_listener, nullptr)};
  const auto stand_in = [&here, &own, run, context, pool = here.pool,
                         worker = here.worker, calls = here.running_call] {
    internal::PerThread& there = internal::ThisThread();
    there.stands_in_for = &here;
    there.pool = pool;
    there.worker = worker;
    there.running_call = calls;
    there.block_listener = own.listener;
    run(context);
    // From here on only what is this thread's own: (I1).
    there.block_listener = nullptr;
    there.running_call = nullptr;
    there.worker = nullptr;
    there.stands_in_for = nullptr;
  };
  Thread thread(
      {.name = here.record != nullptr ? here.record->name() : "",
       .daemon = false,
       .stack_size = std::max(kLeastStack, here.stack_high - here.stack_low)},
      stand_in);
  thread.Start();
  thread.Join();
}

}  // namespace pool_internal
}  // namespace heddle
