// There is nothing to go over.
//
// EXPECT: they take a range of futures

#include "heddle/futures/as_completed.h"
#include "heddle/futures/future.h"

void Mistake(heddle::Future<int>& future) {
  for (auto& done : heddle::AsCompleted(future)) done.Result();
}
