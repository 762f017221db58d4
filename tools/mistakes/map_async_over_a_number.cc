// A count where a range is wanted.
//
// EXPECT: what it goes over must be a range

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool) {
  pool.MapAsync([](int x) { return x; }, 10);
}
