// A body of something else than the elements.
//
// EXPECT: the body cannot be called with an element

#include <string>
#include <vector>

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool, std::vector<int>& numbers) {
  pool.ForEach(numbers, [](const std::string&) {});
}
