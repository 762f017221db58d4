// A map over nothing, which would have no end.
//
// EXPECT: there must be a range

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor) {
  executor.Map([] { return 1; }).Wait();
}
