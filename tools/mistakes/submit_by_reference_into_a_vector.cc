// The function would change a copy of the argument.
//
// EXPECT: pass std::ref(x) to share x

#include <vector>

#include "heddle/futures/future.h"
#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor) {
  int count = 0;
  const auto add = [](int& x) { ++x; };
  std::vector<heddle::Future<void>> futures;
  futures.push_back(executor.Submit(add, count));
}
