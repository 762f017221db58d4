// A callback that takes the result and not the future.
//
// EXPECT: AddDoneCallback

#include <vector>

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor) {
  executor.Submit([] { return 1; }).AddDoneCallback([](std::vector<int>) {});
}
