// What tests of pools have in common. Test-only.

#ifndef HEDDLE_POOL_INTERNAL_TESTING_H_
#define HEDDLE_POOL_INTERNAL_TESTING_H_

#include <cstddef>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/fork_child.h"

namespace heddle {
namespace pool_internal {

// Shuts `pool` down without waiting; returns how many tasks that dropped.
inline size_t Close(WorkerPool& pool, WorkerPool::ShutdownMode mode =
                                          WorkerPool::ShutdownMode::kDrain) {
  return pool.Shutdown(mode, absl::ZeroDuration()).dropped;
}

using internal::ExitCodeOfChild;

template <typename Function>
void MustSchedule(WorkerPool& pool, Function function) {
  Task task(std::move(function));
  ASSERT_TRUE(pool.Schedule(task));
  ASSERT_FALSE(task);
}

// Waits for what no event tells of; the test's own limit ends a wait in vain.
template <typename Condition>
void WaitUntil(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_TESTING_H_
