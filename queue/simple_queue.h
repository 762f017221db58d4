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
// T needs a move constructor, nothing else. No code of T's runs while a lock is
// held, so an item's destructor or move may itself use the queue. There is no
// bound, no counting of unfinished work and no way to shut it down: queue.h
// will have those. (Python: queue.SimpleQueue; qsize() is Size(), get_nowait()
// TryGet().)
//
// Thread safety: all methods but the destructor. Destroy it when no thread is
// in a call; the items left in it are destroyed. Memory ordering: what came
// before the Put() of an item is visible after the Get() that returns it.
// Errors: Put() throws std::bad_alloc, or what T's move throws, and then the
// queue is as it was. If T's move throws in Get(), that item is destroyed.

#ifndef HEDDLE_QUEUE_SIMPLE_QUEUE_H_
#define HEDDLE_QUEUE_SIMPLE_QUEUE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "heddle/queue/internal/node_queue.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

template <typename T>
class SimpleQueue {
 public:
  SimpleQueue() = default;
  SimpleQueue(const SimpleQueue&) = delete;
  SimpleQueue& operator=(const SimpleQueue&) = delete;
  ~SimpleQueue() {
    // One by one: an item's destructor may put another.
    while (TryTake() != nullptr) {
    }
  }

  // Appends `item` and wakes one thread that waits for one. Never waits.
  void Put(T item) { nodes_.Push(new Node(std::move(item))); }

  // Takes the oldest item, waiting for one within `limit`; nullopt if that
  // passed first. One waiter gets each item; who waited longest is woken first.
  [[nodiscard]] std::optional<T> Get(const WaitLimit& limit = {}) {
    return Open(nodes_.Pop(limit));
  }

  // Takes the oldest item, or nullopt if there is none.
  [[nodiscard]] std::optional<T> TryGet() { return Open(nodes_.TryPop()); }

  // How many items there are; whether there are none. Advisory: other threads
  // may change it at any time.
  [[nodiscard]] size_t Size() const { return nodes_.Size(); }
  [[nodiscard]] bool Empty() const { return Size() == 0; }

 private:
  struct Node : queue_internal::NodeQueue::Node {
    explicit Node(T&& value) : item(std::move(value)) {}
    T item;
  };

  std::unique_ptr<Node> TryTake() {
    return std::unique_ptr<Node>(static_cast<Node*>(nodes_.TryPop()));
  }

  static std::optional<T> Open(queue_internal::NodeQueue::Node* taken) {
    const std::unique_ptr<Node> node(static_cast<Node*>(taken));
    if (node == nullptr) return std::nullopt;
    return std::optional<T>(std::move(node->item));
  }

  queue_internal::NodeQueue nodes_;
};

}  // namespace heddle

#endif  // HEDDLE_QUEUE_SIMPLE_QUEUE_H_
