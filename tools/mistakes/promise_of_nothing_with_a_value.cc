// A value for a result of void.
//
// EXPECT: void has no arguments

#include "heddle/futures/promise.h"

void Mistake() {
  heddle::Promise<void> promise;
  promise.SetResult(1);
}
