// A result is set once, by one.
//
// EXPECT: deleted

#include "heddle/futures/promise.h"

void Mistake() {
  heddle::Promise<int> promise;
  heddle::Promise<int> other = promise;
}
