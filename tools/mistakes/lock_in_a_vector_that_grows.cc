// A lock stays where it is; a deque or a vector made in its size can hold them.
//
// EXPECT: heddle::Lock
// EXPECT-CLANG: no matching function for call to 'construct_at'

#include <vector>

#include "heddle/sync/lock.h"

void Mistake() {
  std::vector<heddle::Lock> locks;
  locks.push_back(heddle::Lock());
}
