// The function would change a copy of the argument.
//
// EXPECT: pass std::ref(x) to share x

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor) {
  int count = 0;
  const auto add = [](int& x) { ++x; };
  static_cast<void>(executor.Submit(add, count));
}
