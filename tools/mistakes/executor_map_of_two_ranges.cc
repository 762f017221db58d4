// A function of one element, and two ranges.
//
// EXPECT: the function cannot be called with an element of each

#include <vector>

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor, std::vector<int>& numbers) {
  executor.Map([](int x) { return x; }, numbers, numbers).Wait();
}
