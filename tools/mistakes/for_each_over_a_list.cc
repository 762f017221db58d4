// Elements that cannot be reached by their numbers.
//
// EXPECT: the range must have random access

#include <list>

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool) {
  std::list<int> list;
  pool.ForEach(list, [](int) {});
}
