// TaskQueue: a FIFO of tasks, linked through the tasks themselves. Not for
// several threads at once: its owner has the lock.

#ifndef HEDDLE_POOL_INTERNAL_TASK_QUEUE_H_
#define HEDDLE_POOL_INTERNAL_TASK_QUEUE_H_

#include <cstddef>
#include <utility>

#include "heddle/pool/task.h"

namespace heddle {

class TaskQueue {
 public:
  TaskQueue() = default;
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;
  // Drops what is left, oldest first.
  ~TaskQueue() {
    while (Pop()) {
    }
  }

  size_t size() const { return size_; }
  bool empty() const { return first_ == nullptr; }

  void swap(TaskQueue& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(size_, other.size_);
  }

  // Appends `task`. REQUIRES: there is one in it.
  void Push(Task task) {
    Task::Node* const node = std::exchange(task.node_, nullptr);
    node->next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = node;
    last_ = node;
    ++size_;
  }

  // Takes the oldest task; an empty Task if there is none.
  Task Pop() {
    if (first_ == nullptr) return Task();
    Task::Node* const node = first_;
    first_ = node->next_;
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return Task(node);
  }

 private:
  Task::Node* first_ = nullptr;
  Task::Node* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_TASK_QUEUE_H_
