// A count where a range is wanted.
//
// EXPECT: what it goes over must be a range

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor) {
  for (int x : executor.Map([](int i) { return i; }, 10)) static_cast<void>(x);
}
