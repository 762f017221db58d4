// Each thread would need an object of its own.
//
// EXPECT: for a reference take a pointer

#include "heddle/thread/local.h"

void Mistake(heddle::Local<int&>& local) { static_cast<void>(local.Find()); }
