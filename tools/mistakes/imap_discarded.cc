// Results that nobody takes: most of the calls would never begin.
//
// EXPECT: ignoring return value

#include <vector>

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool, std::vector<int>& numbers) {
  pool.IMap([](int x) { return x; }, numbers);
}
