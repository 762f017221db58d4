// A count where a range is wanted.
//
// EXPECT: what it goes over must be a range

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool) {
  for (int x : pool.IMap([](int i) { return i; }, 10)) static_cast<void>(x);
}
