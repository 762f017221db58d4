// Elements that the calls are to change: they would change their own copies.
//
// EXPECT: takes an element by a reference that is not const

#include <vector>

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor, std::vector<int>& numbers) {
  executor.Map([](int& x) { ++x; }, numbers).Wait();
}
