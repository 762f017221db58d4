// Threads cannot be copied.
//
// EXPECT: deleted

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor) {
  heddle::ThreadPoolExecutor other = executor;
}
