// How many items came is not known then.
//
// EXPECT: ignoring return value

#include "heddle/queue/queue.h"

void Mistake(heddle::Queue<int>& queue) {
  int items[8];
  queue.GetMany(items, 8);
}
