// A function of something else than the elements.
//
// EXPECT: the function cannot be called with an element

#include <string>
#include <vector>

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool, std::vector<int>& numbers) {
  pool.Map([](const std::string& s) { return s.size(); }, numbers);
}
