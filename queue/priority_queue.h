// PriorityQueue<T, Compare>: a queue between threads that gives out the smallest
// item first.
//
// Example: the job with the lowest number first.
//
//   struct Job {
//     int priority;
//     std::function<void()> work;
//     bool operator<(const Job& other) const { return priority < other.priority; }
//   };
//   PriorityQueue<Job> jobs;
//   jobs.Put({2, tidy_up});
//   jobs.Put({1, save});
//   jobs.Get()->work();  // saves
//
// "Smallest" is by Compare, as std::less<T>: note that std::priority_queue gives
// out the largest. Equal items come out in no particular order. Compare runs
// under a lock of the queue's: it must not use the queue. If it throws, the call
// has changed nothing, and Put() leaves the item with the caller. (Python leaves
// an item that cannot be compared half in the queue.)
//
// Its methods, limits and promises are those of every queue with a bound: see
// blocking_queue.h; but an item whose move constructor or move assignment may
// throw, or that has none, takes an allocation of its own. It is linearizable:
// each call happens at one moment. (Python: queue.PriorityQueue.)

#ifndef HEDDLE_QUEUE_PRIORITY_QUEUE_H_
#define HEDDLE_QUEUE_PRIORITY_QUEUE_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "heddle/queue/blocking_queue.h"
#include "heddle/queue/internal/heap.h"

namespace heddle {

template <typename T, typename Compare = std::less<T>>
class PriorityQueue final
    : public BlockingQueue<T, queue_internal::Heap<T, Compare>> {
 public:
  // As Queue's; `compare(a, b)` is true if `a` comes out before `b`.
  explicit PriorityQueue(int64_t maxsize = 0, Compare compare = Compare())
      : BlockingQueue<T, queue_internal::Heap<T, Compare>>(
            "PriorityQueue", maxsize, std::move(compare)) {}
};

}  // namespace heddle

#endif  // HEDDLE_QUEUE_PRIORITY_QUEUE_H_
