#include "heddle/queue/internal/node_queue.h"

#include "heddle/thread/internal/parking.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {

using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

NodeQueue::Node* NodeQueue::Unlink() {
  Node* const node = first_;
  if (node == nullptr) return nullptr;
  first_ = node->next;
  if (first_ == nullptr) last_ = nullptr;
  size_.fetch_sub(1, std::memory_order_relaxed);
  return node;
}

void NodeQueue::Push(Node* node) {
  WakeList woken;  // carried out after lock_ is free: the woken thread needs it
  LockGuard guard(lock_);
  node->next = nullptr;
  (last_ != nullptr ? last_->next : first_) = node;
  last_ = node;
  size_.fetch_add(1, std::memory_order_relaxed);
  if (may_wait_) {
    ParkingSpot spot(key());
    spot.Wake(1, woken);            // (N3)
    may_wait_ = spot.HasWaiters();  // (N2)
  }
}

NodeQueue::Node* NodeQueue::TryPop() {
  LockGuard guard(lock_);
  return Unlink();
}

NodeQueue::Node* NodeQueue::Pop(const WaitLimit& limit) {
  if (Node* const node = TryPop(); node != nullptr) return node;
  const WaitLimit started = limit.Started();
  for (;;) {
    Waiter waiter;
    {
      LockGuard guard(lock_);
      if (Node* const node = Unlink(); node != nullptr) return node;
      may_wait_ = true;  // (N2)
      ParkingSpot spot(key());
      spot.Add(waiter);
    }
    if (!waiter.Sleep(started)) return TryPop();
  }
}

}  // namespace queue_internal
}  // namespace heddle
