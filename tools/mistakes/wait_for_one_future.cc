// A future has a Wait() of its own.
//
// EXPECT: one future has its own Wait()

#include "heddle/futures/future.h"
#include "heddle/futures/wait.h"

void Mistake(heddle::Future<int>& future) { heddle::Wait(future); }
