// A thread cannot be copied; it can be moved.
//
// EXPECT: deleted

#include "heddle/thread/thread.h"

void Mistake() {
  heddle::Thread thread([] {});
  heddle::Thread other = thread;
}
