// SimpleQueue<T>: an unbounded queue, first in first out, between any number of
// threads.
//
// Put() never waits. Get() waits until there is an item, or until its limit.
// Items come out in the order in which they went in, whoever put them there:
// the queue behaves as if each call happened at one moment (it is
// linearizable).
//
// Example:
//
//   SimpleQueue<std::string> lines;
//   lines.Put("hello");                                     // any thread
//   while (std::optional<std::string> line = lines.Get(absl::Seconds(1))) {
//     Print(*line);                                         // any thread
//   }
//
// There is no bound, no counting of unfinished work and no way to shut it down:
// Queue has those. What it has instead: no item is destroyed while a lock is
// held, not even what is left of one that was moved out. So an item's destructor
// may itself use the queue, whichever call it runs in. (Python:
// queue.SimpleQueue, which is reentrant in the same sense; qsize() is Size(),
// get_nowait() TryGet().)
//
// T needs a move or copy constructor. It runs under a lock of the queue's: it
// must be quick, must not wait and must not use the queue. If it throws, the
// call has changed nothing: in Get(), the item stays in the queue.
//
// Memory: an allocation serves 32 items or more, and the memory goes back as the
// queue shrinks. Thread safety: all methods but the destructor. The items left
// in it are destroyed. The receiver of the last item may destroy the queue at
// once, if nobody waits in it or will call it any more: the Put() of that item
// need not have returned. Memory ordering: what came before the Put() of an
// item is visible after the Get() that returns it.

#ifndef HEDDLE_QUEUE_SIMPLE_QUEUE_H_
#define HEDDLE_QUEUE_SIMPLE_QUEUE_H_

#include <cstddef>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include "heddle/queue/queue.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

template <typename T>
class SimpleQueue {
 public:
  SimpleQueue() = default;
  SimpleQueue(const SimpleQueue&) = delete;
  SimpleQueue& operator=(const SimpleQueue&) = delete;
  ~SimpleQueue() { queue_.DropUntilEmpty(); }

  // Appends `item`, and lets a thread that waits for one have it. Never waits.
  // Throws std::bad_alloc, or what T's move (copy) throws.
  void Put(T&& item) { queue_.Put(std::move(item)); }
  void Put(const T& item) { queue_.Put(item); }

  // Appends the items of a range, in its order, as BlockingQueue::PutMany().
  template <std::ranges::input_range Range>
  void PutMany(Range&& range) {
    queue_.PutMany(std::forward<Range>(range));
  }

  // Takes the oldest item, waiting for one within `limit`; nullopt if that
  // passed first. Each item goes to one thread; who has waited longest is woken
  // first.
  [[nodiscard]] std::optional<T> Get(const WaitLimit& limit = {}) {
    return queue_.Get(limit);
  }

  // Takes the oldest item into an object that is there, with one move
  // assignment; false, with that as it was, where the other Get() returns
  // nullopt.
  [[nodiscard]] bool Get(T& into, const WaitLimit& limit = {}) requires(
      !std::is_convertible_v<T&, WaitLimit>) {
    return queue_.Get(into, limit);
  }

  // Takes the oldest item, or nullopt if there is none.
  [[nodiscard]] std::optional<T> TryGet() { return queue_.TryGet(); }

  // Takes up to `most` items at once, as BlockingQueue::GetMany().
  template <typename Output>
  [[nodiscard]] size_t GetMany(Output out, size_t most,
                               const WaitLimit& limit = {}) {
    return queue_.GetMany(std::move(out), most, limit);
  }

  // How many items there are; whether there are none. It was so at some moment
  // of the call; other threads may change it at any time.
  [[nodiscard]] size_t Size() const { return queue_.Size(); }
  [[nodiscard]] bool Empty() const { return queue_.Empty(); }

 private:
  friend struct queue_internal::SelectAccess;

  Queue<T> queue_;
};

}  // namespace heddle

#endif  // HEDDLE_QUEUE_SIMPLE_QUEUE_H_
