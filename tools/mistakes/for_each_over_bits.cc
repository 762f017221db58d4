// Bits share words, which threads cannot write at the same time.
//
// EXPECT: the elements of a vector<bool> are bits that share words

#include <vector>

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool) {
  std::vector<bool> bits(100);
  pool.ForEach(bits, [](auto bit) { bit = true; });
}
