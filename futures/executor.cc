#include "heddle/futures/executor.h"

#include <utility>

#include "heddle/futures/internal/submit_call.h"
#include "heddle/pool/task.h"

namespace heddle {
namespace futures_internal {

void ScheduleOn(Executor& executor, Task task) {
  executor.Schedule(std::move(task));
}

}  // namespace futures_internal

bool Executor::DoShutdown(const ShutdownOptions& /*options*/) { return true; }

}  // namespace heddle
