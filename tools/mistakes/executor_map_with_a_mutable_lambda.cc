// A function with a state that several threads would change.
//
// EXPECT: it is called as a const object, because several threads share it

#include <vector>

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor, std::vector<int>& numbers) {
  int n = 0;
  executor.Map([n](int x) mutable { return n += x; }, numbers).Wait();
}
