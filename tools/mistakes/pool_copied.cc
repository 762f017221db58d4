// Threads cannot be copied.
//
// EXPECT: deleted

#include "heddle/pool/thread_pool.h"

void Mistake(heddle::ThreadPool& pool) { heddle::ThreadPool other = pool; }
