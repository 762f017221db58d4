// A function with a state that several threads would change.
//
// EXPECT: it is called as a const object, because several threads share it

#include <vector>

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool, std::vector<int>& numbers) {
  int n = 0;
  pool.MapAsync([n](int x) mutable { return n += x; }, numbers);
}
