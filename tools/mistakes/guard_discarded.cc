// A guard without a name is gone at once, and guards nothing.
//
// EXPECT: ignoring return value
// EXPECT-CLANG: ignoring temporary created by a constructor

#include "heddle/sync/shared_lock.h"

void Mistake(heddle::SharedLock& lock) { heddle::ReaderGuard{lock}; }
