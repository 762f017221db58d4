// A value of a function that returns none.
//
// EXPECT: void value not ignored
// EXPECT-CLANG: with an rvalue of type 'void'

#include "heddle/futures/thread_pool_executor.h"

void Mistake(heddle::ThreadPoolExecutor& executor) {
  int x = executor.Submit([] {}).Result();
  static_cast<void>(x);
}
