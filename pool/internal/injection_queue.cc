#include "heddle/pool/internal/injection_queue.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "heddle/pool/internal/block_cache.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace pool_internal {

struct TaskList::Block {
  static constexpr size_t kTasks = 62;  // 512 bytes in all

  Block* next = nullptr;
  size_t end = 0;  // how many have been put in
  Task::Node* tasks[kTasks];
};

TaskList::~TaskList() {
  TaskQueue dropped;
  MoveTo(dropped);
  while (first_ != nullptr) FreeFirst();  // blocks nothing was put into
}

void TaskList::AddBlock() {
  auto* const block = new (AllocateBlock(sizeof(Block))) Block;
  (last_ != nullptr ? last_->next : first_) = block;
  last_ = block;
}

void TaskList::Push(Task& task) {
  if (last_ == nullptr || last_->end == Block::kTasks) AddBlock();
  last_->tasks[last_->end++] = std::move(task).Release();
}

void TaskList::PushAll(TaskQueue& tasks, uint64_t pool) {
  TaskList added;
  // All memory first: nothing may fail once a task has moved.
  for (size_t room = 0; room < tasks.size(); room += Block::kTasks)
    added.AddBlock();
  for (Block* block = added.first_; block != nullptr; block = block->next) {
    while (block->end < Block::kTasks && !tasks.empty()) {
      Task task = tasks.Pop();
      task.set_pool(pool);
      block->tasks[block->end++] = std::move(task).Release();
    }
  }
  Append(added);
}

void TaskList::Append(TaskList& other) {
  if (other.empty()) return;
  // Its first block has places that are taken already: they stay unused, and
  // this list must have no block before it.
  if (empty()) {
    begin_ = other.begin_;
    first_ = other.first_;
  } else {
    for (size_t i = other.begin_; i < other.first_->end; ++i)
      other.first_->tasks[i - other.begin_] = other.first_->tasks[i];
    other.first_->end -= other.begin_;
    last_->next = other.first_;
  }
  last_ = other.last_;
  other.first_ = other.last_ = nullptr;
  other.begin_ = 0;
}

size_t TaskList::Take(size_t count, Task::Node** taken) {
  size_t got = 0;
  while (got < count && first_ != nullptr) {
    const size_t here = std::min(count - got, first_->end - begin_);
    for (size_t i = 0; i < here; ++i) {
      Task::Node* const node = first_->tasks[begin_ + i];
      __builtin_prefetch(node, /*to write*/ 1);
      taken[got + i] = node;
    }
    got += here;
    begin_ += here;
    if (begin_ == first_->end) FreeFirst();
  }
  return got;
}

size_t TaskList::MoveTo(TaskQueue& tasks) {
  size_t moved = 0;
  for (Task::Node* node = nullptr; Take(1, &node) != 0; ++moved)
    tasks.Push(Task(node));
  return moved;
}

void TaskList::FreeFirst() {
  Block* const block = std::exchange(first_, first_->next);
  if (first_ == nullptr) last_ = nullptr;
  begin_ = 0;
  FreeBlock(block, sizeof(Block));
}

void InjectionQueue::Append(Task& task) {
  // relaxed: we hold the lock of its writers.
  const uint64_t pushed = pushed_.load(std::memory_order_relaxed);
  if (pushed % kTimedOneIn == 0) task.set_queued_at(internal::Clock::Now());
  in_.Push(task);
  pushed_.store(pushed + 1, std::memory_order_relaxed);
}

void InjectionQueue::Append(TaskList& list, size_t count) {
  in_.Append(list);
  // relaxed: we hold the lock of its writers.
  pushed_.store(pushed_.load(std::memory_order_relaxed) + count,
                std::memory_order_relaxed);
}

void InjectionQueue::Fetch() {
  if (out_.empty()) FetchMore();
}

void InjectionQueue::FetchAll() {
  LockGuard guard(out_lock_);
  FetchMore();
}

void InjectionQueue::FetchMore() {
  LockGuard guard(in_lock_);
  out_.Append(in_);
  // relaxed: we hold the locks of their writers.
  fetched_.store(pushed_.load(std::memory_order_relaxed),
                 std::memory_order_relaxed);
}

size_t InjectionQueue::Share(size_t takers) const {
  size_t there = fetched();
  if (there == 0) there = size();
  return std::clamp<size_t>(there / (2 * takers), 1, kMaxBatch);
}

size_t InjectionQueue::TakeSome(size_t most, Task::Node** batch) {
  Fetch();
  const size_t taken = out_.Take(most, batch);
  // relaxed: we hold the lock of its writers.
  taken_.store(taken_.load(std::memory_order_relaxed) + taken,
               std::memory_order_relaxed);
  return taken;
}

void InjectionQueue::TakeAll(TaskQueue& tasks) {
  LockGuard guard(out_lock_);
  size_t taken = out_.MoveTo(tasks);
  Fetch();
  taken += out_.MoveTo(tasks);
  taken_.store(taken_.load(std::memory_order_relaxed) + taken,
               std::memory_order_relaxed);  // relaxed: as above
}

void InjectionQueue::Close(Source closed_to) {
  LockGuard guard(in_lock_);
  closed_ = true;
  if (closed_to == Source::kOwnTask) closed_to_all_ = true;
}

bool InjectionQueue::HasTasks() {
  LockGuard guard(out_lock_);
  if (!out_.empty()) return true;
  LockGuard in_guard(in_lock_);
  return !in_.empty();
}

size_t InjectionQueue::size() const {
  // relaxed, both: a hint. Taken first, so that it is never negative for long.
  const uint64_t taken = taken_.load(std::memory_order_relaxed);
  const uint64_t pushed = pushed_.load(std::memory_order_relaxed);
  return pushed > taken ? pushed - taken : 0;
}

size_t InjectionQueue::fetched() const {
  // relaxed, both: as above.
  const uint64_t taken = taken_.load(std::memory_order_relaxed);
  const uint64_t fetched = fetched_.load(std::memory_order_relaxed);
  return fetched > taken ? fetched - taken : 0;
}

uint64_t InjectionQueue::pushed() {
  return pushed_.load(std::memory_order_relaxed);  // relaxed: a count
}

}  // namespace pool_internal
}  // namespace heddle
