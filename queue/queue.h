// Queue<T>: a queue between threads, first in first out, with or without a bound.
//
// Items come out in the order in which they went in, whoever put them there: it
// behaves as if each call happened at one moment (it is linearizable). Putting
// and getting have a lock each, so that producers and consumers do not meet.
//
// Example: three workers, and a producer that never runs ahead by more than 100
// lines.
//
//   Queue<std::string> lines(/*maxsize=*/100);
//   ...
//   for (std::string& line : lines) Handle(line);            // each worker
//   ...
//   while (ReadLine(line)) lines.Put(std::move(line));       // the producer
//   lines.Shutdown();                                        // the loops end
//   lines.Join();
//
// Its methods, limits and promises are those of every queue with a bound: see
// blocking_queue.h. Prefer SimpleQueue where there is neither bound nor end.
// (Python: queue.Queue.)

#ifndef HEDDLE_QUEUE_QUEUE_H_
#define HEDDLE_QUEUE_QUEUE_H_

#include <cstdint>

#include "heddle/queue/blocking_queue.h"
#include "heddle/queue/internal/fifo.h"

namespace heddle {

template <typename T>
class Queue final : public BlockingQueue<T, queue_internal::Fifo<T>> {
 public:
  // For at most `maxsize` items. ZERO OR NEGATIVE MEANS NO BOUND, as in Python:
  // a size that was computed and came out as 0 makes a queue that never is
  // full. Throws std::length_error or std::bad_alloc if memory does not hold as
  // many.
  explicit Queue(int64_t maxsize = 0)
      : BlockingQueue<T, queue_internal::Fifo<T>>("Queue", maxsize) {}
};

}  // namespace heddle

#endif  // HEDDLE_QUEUE_QUEUE_H_
