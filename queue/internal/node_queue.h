// NodeQueue: an unbounded FIFO of intrusive nodes that threads can wait on.
//
// What the queues of this folder share when items live in nodes of their own:
// it moves pointers, never items, so no code of a user's runs under its lock.

#ifndef HEDDLE_QUEUE_INTERNAL_NODE_QUEUE_H_
#define HEDDLE_QUEUE_INTERNAL_NODE_QUEUE_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {

class NodeQueue {
 public:
  struct Node {
    Node* next = nullptr;
  };

  NodeQueue() = default;
  NodeQueue(const NodeQueue&) = delete;
  NodeQueue& operator=(const NodeQueue&) = delete;

  // Appends `node` and wakes one thread that waits in Pop(), if any does.
  void Push(Node* node);

  // Takes the oldest node, waiting for one within `limit`; null if that passed.
  [[nodiscard]] Node* Pop(const WaitLimit& limit);

  // Takes the oldest node, or null if there is none. Never waits for one.
  [[nodiscard]] Node* TryPop();

  // How many nodes are queued. Advisory: it may change at any time.
  size_t Size() const {
    return size_.load(std::memory_order_relaxed);  // relaxed: no promise
  }

 private:
  //   (N1) first_, last_ and the links change only under lock_.
  //   (N2) while anybody is parked on key(), may_wait_ is true: a waiter sets
  //   it
  //        before it parks, under lock_, having found no node; only a pusher
  //        clears it, under lock_, having found nobody parked.
  //   (N3) each Push() that finds may_wait_ wakes one waiter. A waiter that was
  //        woken and finds no node has lost it to another Pop(), so nothing is
  //        owed to those who still wait.
  //
  // The key is not the address of the queue: that is lock_'s address too, and
  // what is meant for a thread in Pop() would wake one that waits for lock_.
  const void* key() const { return &size_; }

  Node* Unlink() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  Lock lock_;
  bool may_wait_ ABSL_GUARDED_BY(lock_) = false;
  Node* first_ ABSL_GUARDED_BY(lock_) = nullptr;
  Node* last_ ABSL_GUARDED_BY(lock_) = nullptr;
  internal::Atomic<size_t> size_{0};  // written under lock_
};

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_NODE_QUEUE_H_
