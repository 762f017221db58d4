// Futures of two types in one list.
//
// EXPECT: Wait

#include "heddle/futures/thread_pool_executor.h"
#include "heddle/futures/wait.h"

void Mistake() {
  heddle::Future<int> a;
  heddle::Future<double> b;
  heddle::Wait({a, b});
}
