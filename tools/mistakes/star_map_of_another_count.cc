// Pairs, and a function of three arguments.
//
// EXPECT: the function cannot be called with an element

#include <utility>
#include <vector>

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool) {
  std::vector<std::pair<int, int>> pairs;
  pool.StarMap([](int a, int b, int c) { return a + b + c; }, pairs);
}
