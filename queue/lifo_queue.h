// LifoQueue<T>: a queue between threads, last in first out: a stack.
//
// Example: a walk in depth, by several threads.
//
//   LifoQueue<Folder> folders;
//   folders.Put(root);
//   ...
//   for (Folder& folder : folders) {                        // each worker
//     for (Folder& child : folder.Children()) folders.Put(std::move(child));
//     folders.TaskDone();
//   }
//   ...
//   folders.Join();                                          // all were seen
//   folders.Shutdown();                                      // the loops end
//
// Its methods, limits and promises are those of every queue with a bound: see
// blocking_queue.h. It is linearizable: each call happens at one moment.
// (Python: queue.LifoQueue.)

#ifndef HEDDLE_QUEUE_LIFO_QUEUE_H_
#define HEDDLE_QUEUE_LIFO_QUEUE_H_

#include <cstdint>

#include "heddle/queue/blocking_queue.h"
#include "heddle/queue/internal/stack.h"

namespace heddle {

template <typename T>
class LifoQueue final : public BlockingQueue<T, queue_internal::Stack<T>> {
 public:
  // As Queue's.
  explicit LifoQueue(int64_t maxsize = 0)
      : BlockingQueue<T, queue_internal::Stack<T>>("LifoQueue", maxsize) {}
};

}  // namespace heddle

#endif  // HEDDLE_QUEUE_LIFO_QUEUE_H_
