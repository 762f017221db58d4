// Nothing to be done beside it.
//
// EXPECT: no matching function for call to
// EXPECT-CLANG: no matching member function for call to

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool) {
  pool.Invoke([] {});
}
