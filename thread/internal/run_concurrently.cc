#include "heddle/thread/internal/run_concurrently.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace heddle {
namespace internal {

// With the standard's threads and a counter that is spun on, because this tests
// our own; and a spinning start brings the first steps closer together than a
// wake-up would.
void RunConcurrently(int iterations,
                     const std::vector<std::function<void()>>& functions) {
  std::atomic<size_t> arrived{0};
  std::vector<std::thread> threads;
  threads.reserve(functions.size());
  for (const std::function<void()>& function : functions) {
    threads.emplace_back(
        [&arrived, &function, iterations, count = functions.size()] {
          for (int i = 1; i <= iterations; ++i) {
            arrived.fetch_add(1);
            while (arrived.load() < static_cast<size_t>(i) * count)
              std::this_thread::yield();
            function();
          }
        });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace internal
}  // namespace heddle
