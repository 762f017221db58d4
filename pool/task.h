// Task: one unit of work, to be run once or dropped.
//
// A move-only handle to a single allocation that holds the link of a queue, the
// callable and whatever its maker adds (a future adds its result). Nothing else
// is allocated for it, and the memory is reused through a per-thread cache.
//
// Example:
//
//   Task task([socket = std::move(socket)]() mutable { Serve(socket); });
//   if (!pool.Schedule(task)) std::move(task).Run();   // refused: ours still
//
// A task that is destroyed without having run drops its callable; what is built
// on tasks gives that a meaning (a future becomes cancelled). What the callable
// throws goes to the except hook (heddle/thread/except_hook.h), because nobody
// else asks for it: use Executor::Submit() for work with a result.
//
// Thread safety: as for any object; handing it to another thread through a pool
// or a queue orders what came before.

#ifndef HEDDLE_POOL_TASK_H_
#define HEDDLE_POOL_TASK_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "heddle/pool/internal/block_cache.h"
#include "heddle/pool/internal/callable_cell.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/call_reporting.h"

namespace heddle {

class Task;

namespace pool_internal {

// What a task can be made of: something to be called, and no task itself.
template <typename Function>
concept TaskFunction =
    std::is_invocable_v<std::add_lvalue_reference_t<std::decay_t<Function>>> &&
    !std::is_same_v<std::decay_t<Function>, Task>;

}  // namespace pool_internal

class Task {
 public:
  // What a task consists of. Derive from it to give a task more than a
  // callable; everybody else uses Task.
  class Node {
   public:
    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

   protected:
    virtual ~Node() = default;

    // The number of the pool that accepted it, 0 if none has.
    uint64_t pool() const {
      // relaxed: it only tells whether the reader is one of the pool's workers,
      // and what those read was written before the task came to them.
      return pool_.load(std::memory_order_relaxed);
    }
    void set_pool(uint64_t number) {
      pool_.store(number, std::memory_order_relaxed);  // see pool()
    }

   private:
    friend class Task;
    friend class TaskQueue;

    // Exactly one of the two is called, once; it gives the node's memory back,
    // or passes it to others who share it. Neither throws. Run() returns false
    // if the callable threw. Drop() is told why the task does not run; null: it
    // was cancelled.
    virtual bool Run() noexcept = 0;
    virtual void Drop(std::exception_ptr why) noexcept = 0;

    // All for the pool or queue that holds it:
    Node* next_ = nullptr;
    int64_t queued_at_ = 0;  // on Clock; 0: not noted
    internal::Atomic<uint64_t> pool_{0};
  };

  // No task.
  Task() = default;

  // A task that calls `function()`, whose result is ignored. The callable is
  // moved or copied in, and destroyed as soon as it has run.
  template <pool_internal::TaskFunction Function>
  explicit Task(Function&& function);

  // The task of `node`, which it owns from now on.
  explicit Task(Node* node) : node_(node) {}

  Task(Task&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    Task old(std::exchange(node_, std::exchange(other.node_, nullptr)));
    return *this;
  }
  ~Task() {
    if (node_ != nullptr) node_->Drop(nullptr);
  }

  // False if there is no task: default-made, moved from, or run.
  explicit operator bool() const { return node_ != nullptr; }

  // Runs the task, here and now; throws nothing. False if the callable threw,
  // which is reported or kept for who asks. REQUIRES: there is one.
  bool Run() && noexcept { return std::exchange(node_, nullptr)->Run(); }

  // Destroys the task unrun. Where something waits for its result, that fails
  // with `why`; null: it is cancelled. REQUIRES: there is one.
  void Drop(std::exception_ptr why) && noexcept {
    std::exchange(node_, nullptr)->Drop(std::move(why));
  }

  // For pools: gives the node out of hand, for a Task to take it up again; and
  // what they note in it.
  [[nodiscard]] Node* Release() && { return std::exchange(node_, nullptr); }
  void set_pool(uint64_t number) { node_->set_pool(number); }
  int64_t queued_at() const { return node_->queued_at_; }
  void set_queued_at(int64_t nanos) { node_->queued_at_ = nanos; }

 private:
  friend class TaskQueue;

  Node* node_ = nullptr;
};

namespace pool_internal {

// Makes a T in a block of the cache; DestroyInBlock() is its end.
template <typename T, typename... Arguments>
T* MakeInBlock(Arguments&&... arguments) {
  if constexpr (alignof(T) > alignof(std::max_align_t)) {
    return new T(std::forward<Arguments>(arguments)...);
  } else {
    struct Block {
      ~Block() {
        if (memory != nullptr) FreeBlock(memory, sizeof(T));
      }
      void* memory = AllocateBlock(sizeof(T));
    } block;
    T* const made = new (block.memory) T(std::forward<Arguments>(arguments)...);
    block.memory = nullptr;
    return made;
  }
}

template <typename T>
void DestroyInBlock(T* object) noexcept {
  if constexpr (alignof(T) > alignof(std::max_align_t)) {
    delete object;
  } else {
    object->~T();
    FreeBlock(object, sizeof(T));
  }
}

template <typename Function>
class FunctionNode final : public Task::Node {
 public:
  template <typename Source>
  explicit FunctionNode(Source&& function)
      : function_(std::forward<Source>(function)) {}

 private:
  bool Run() noexcept override {
    const bool ok = internal::CallReporting(
        [this] { static_cast<void>(std::invoke(function_.get())); });
    Drop(nullptr);
    return ok;
  }
  void Drop(std::exception_ptr /*why*/) noexcept override {
    function_.Destroy();
    DestroyInBlock(this);
  }

  CallableCell<Function> function_;
};

}  // namespace pool_internal

template <pool_internal::TaskFunction Function>
Task::Task(Function&& function)
    : node_(pool_internal::MakeInBlock<
            pool_internal::FunctionNode<std::decay_t<Function>>>(
          std::forward<Function>(function))) {}

}  // namespace heddle

#endif  // HEDDLE_POOL_TASK_H_
