// Elements that the calls are to change: they would change their own copies.
//
// EXPECT: takes an element by a reference that is not const

#include <vector>

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool, std::vector<int>& numbers) {
  pool.IMap([](int& x) { ++x; }, numbers).Wait();
}
