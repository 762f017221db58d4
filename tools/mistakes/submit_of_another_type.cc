// Arguments that the function does not take.
//
// EXPECT: Submit

#include <vector>

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor) {
  executor.Submit([](std::vector<int> v) { return v; }, 1);
}
