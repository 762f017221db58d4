// RunConcurrently: runs functions against each other, many times. Test-only.
//
//   RunConcurrently(1000, [&] { lock.lock(); ... }, [&] { lock.lock(); ... });
//
// Each function has a thread of its own for all iterations. All threads begin
// each iteration together and wait for each other at its end, so that races
// between the first steps of each are hit often.

#ifndef HEDDLE_THREAD_INTERNAL_RUN_CONCURRENTLY_H_
#define HEDDLE_THREAD_INTERNAL_RUN_CONCURRENTLY_H_

#include <functional>
#include <vector>

namespace heddle {
namespace internal {

void RunConcurrently(int iterations,
                     const std::vector<std::function<void()>>& functions);

template <typename... Functions>
void RunConcurrently(int iterations, Functions... functions) {
  RunConcurrently(iterations, std::vector<std::function<void()>>{functions...});
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_RUN_CONCURRENTLY_H_
