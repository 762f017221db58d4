#include "heddle/thread/this_thread.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "heddle/thread/internal/default_stack_size.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/internal/thread_registry.h"
#include "heddle/thread/thread_handle.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

using internal::RefPtr;
using internal::ThreadRecord;
using internal::ThreadRegistry;

ThreadHandle CurrentThread() {
  return ThreadHandle(RefPtr<ThreadRecord>(&ThreadRegistry::Current()));
}

ThreadHandle MainThread() {
  return ThreadHandle(RefPtr<ThreadRecord>(&ThreadRegistry::Main()));
}

std::vector<ThreadHandle> Enumerate() {
  std::vector<RefPtr<ThreadRecord>> alive = ThreadRegistry::Alive();
  std::vector<ThreadHandle> threads;
  threads.reserve(alive.size());
  for (RefPtr<ThreadRecord>& record : alive)
    threads.emplace_back(std::move(record));
  return threads;
}

size_t ActiveCount() { return ThreadRegistry::CountAlive(); }

bool SleepFor(const WaitLimit& limit) {
  const WaitLimit started = limit.Started();
  if (!started.Passed()) {
    internal::Waiter waiter;
    internal::ParkingSpot(&waiter).Add(waiter);  // where nobody wakes it
    waiter.Sleep(started, /*has_looked=*/true);
  }
  return started.deadline().HasPassed();
}

size_t StackSize() { return internal::DefaultStackSize(); }

size_t StackSize(size_t size) {
  if (size != 0) internal::CheckStackSize("StackSize", size);
  return internal::ExchangeDefaultStackSize(size);
}

}  // namespace heddle
