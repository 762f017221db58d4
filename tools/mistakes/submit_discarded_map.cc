// Results that nobody takes: the calls would be cancelled.
//
// EXPECT: ignoring return value

#include <vector>

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor, std::vector<int>& numbers) {
  executor.Map([](int x) { return x; }, numbers);
}
