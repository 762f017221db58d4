// ManualExecutor: runs tasks when a test says so, in the test's own thread.
// Test-only.

#ifndef HEDDLE_FUTURES_INTERNAL_MANUAL_EXECUTOR_H_
#define HEDDLE_FUTURES_INTERNAL_MANUAL_EXECUTOR_H_

#include <cstddef>
#include <utility>

#include "heddle/futures/executor.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"

namespace heddle {
namespace futures_internal {

class ManualExecutor final : public Executor {
 public:
  void Schedule(Task task) override { queue_.Push(std::move(task)); }

  // Runs the oldest task; false if there is none.
  bool RunOne() {
    Task task = queue_.Pop();
    if (!task) return false;
    std::move(task).Run();
    return true;
  }
  void RunAll() {
    while (RunOne()) {
    }
  }
  // Drops the oldest task unrun, as an executor does that shuts down.
  void DropOne() { queue_.Pop(); }

  [[nodiscard]] size_t size() const { return queue_.size(); }

 private:
  TaskQueue queue_;
};

}  // namespace futures_internal
}  // namespace heddle

#endif  // HEDDLE_FUTURES_INTERNAL_MANUAL_EXECUTOR_H_
