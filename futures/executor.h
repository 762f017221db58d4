// Executor: something that runs tasks, seen by those who have tasks to run.
//
// Submit() gives back a Future for one call, Map() the results of many, in
// order. Both are built, once and for every executor, on the one function that
// an executor implements: Schedule(). ThreadPoolExecutor
// (thread_pool_executor.h) is the one to start with.
//
// Example:
//
//   Future<int> answer = executor.Submit([](int x) { return x * x; }, 7);
//   std::cout << answer.Result() << "\n";
//
//   for (const Thumbnail& t : executor.Map(MakeThumbnail, paths)) album.Add(t);
//
// (Python: concurrent.futures.Executor. `submit` and `map` are these.)
//
// Thread safety: Submit(), Map() and Schedule() may be called from any thread,
// tasks included.
// Errors: all three throw ShutdownError (heddle/pool/errors.h) when the
// executor accepts no more work, std::bad_alloc, and what the executor at hand
// adds. Then nothing was accepted, except that elements of Map() before the one
// that failed may have begun; the others are cancelled.

#ifndef HEDDLE_FUTURES_EXECUTOR_H_
#define HEDDLE_FUTURES_EXECUTOR_H_

#include <type_traits>
#include <utility>

#include "heddle/futures/future.h"
#include "heddle/futures/internal/submit_call.h"
#include "heddle/futures/map_results.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/bind_call.h"

namespace heddle {

class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  // Accepts `task`, to run it once, later or now, here or elsewhere. A task
  // that was accepted and will not run is destroyed. Throws if it is refused.
  // This is all that an executor has to implement; users call the functions
  // below.
  virtual void Schedule(Task task) = 0;

  // Schedules `function(arguments...)` and returns a future for its result. All
  // are moved or copied in now and destroyed when the call has ended or was
  // cancelled. Pass std::ref(x) to share x instead.
  template <typename Function, typename... Arguments>
  requires std::is_invocable_v<std::decay_t<Function>,
                               std::decay_t<Arguments>...>
      Future<internal::CallResult<Function, Arguments...>> Submit(
          Function&& function, Arguments&&... arguments) {
    return futures_internal::SubmitCall(
        *this, internal::BindCall(std::forward<Function>(function),
                                  std::forward<Arguments>(arguments)...));
  }

  // Schedules `function(element)` for each element of `range` and returns the
  // results in the order of the elements, as a range to be gone through once.
  // See map_results.h for its rules: exceptions, limits, early ends,
  // `buffersize`.
  //
  // Elements are copied or moved out of the range as its iterator gives them.
  // The one `function` is called by several threads at once, as a const object.
  // A `range` passed as an lvalue must outlive the results.
  template <typename Function, typename Range>
  [[nodiscard]] MapResults<std::decay_t<Function>, Range> Map(
      Function&& function, Range&& range, const MapOptions& options = {}) {
    return MapResults<std::decay_t<Function>, Range>(
        *this, std::forward<Function>(function), std::forward<Range>(range),
        options);
  }
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_EXECUTOR_H_
