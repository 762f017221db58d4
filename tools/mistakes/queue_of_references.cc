// A queue moves items out: it holds pointers or std::reference_wrappers instead.
//
// EXPECT: a queue holds objects that can be moved out of it

#include "heddle/queue/queue.h"

void Mistake() {
  heddle::Queue<int&> queue;
  static_cast<void>(queue.TryGet());
}
