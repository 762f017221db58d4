// A body that does not take the number.
//
// EXPECT: the body must take the number

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool) {
  pool.ForRange(0, 10, [] {});
}
