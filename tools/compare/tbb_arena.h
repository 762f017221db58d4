// What the rows that measure oneTBB have in common.

#ifndef HEDDLE_TOOLS_COMPARE_TBB_ARENA_H_
#define HEDDLE_TOOLS_COMPARE_TBB_ARENA_H_

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <cstddef>
#include <cstdint>
#include <future>
#include <utility>

namespace heddle {
namespace compare {

// An arena in which `workers` threads work. oneTBB counts the thread that hands
// work in among those of the process, whether it takes part or not.
class TbbArena {
 public:
  enum class Caller { kWorks, kHandsIn };

  TbbArena(int workers, Caller caller)
      : threads_(tbb::global_control::max_allowed_parallelism,
                 static_cast<size_t>(workers) +
                     (caller == Caller::kHandsIn ? 1 : 0)),
        arena_(workers, /*reserved_for_masters=*/
               caller == Caller::kWorks ? 1 : 0) {}

  tbb::task_arena* operator->() { return &arena_; }

 private:
  tbb::global_control threads_;
  tbb::task_arena arena_;
};

// What oneTBB calls, which it does through a const reference.
struct TbbPackagedTask {
  void operator()() const { task(); }
  mutable std::packaged_task<int64_t()> task;
};

}  // namespace compare
}  // namespace heddle

#endif  // HEDDLE_TOOLS_COMPARE_TBB_ARENA_H_
