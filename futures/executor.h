// Executor: something that runs tasks, seen by those who have tasks to run.
//
// Submit() gives back a Future for one call, Map() the results of many, in
// order. Both are built, once and for every executor, on the one function that
// an executor implements: Schedule(). ThreadPoolExecutor
// (thread_pool_executor.h) is the one to start with; InlineExecutor runs a task
// where it is submitted, and ManualExecutor when it is told to.
//
// Example:
//
//   Future<int> answer = executor.Submit([](int x) { return x * x; }, 7);
//   std::cout << answer.Result() << "\n";
//
//   for (const Thumbnail& t : executor.Map(MakeThumbnail, paths)) album.Add(t);
//
// (Python: concurrent.futures.Executor. `submit`, `map` and `shutdown` are
// these.) Who writes an executor finds its test in executor_conformance.h.
//
// A task, a done callback or an executor's initializer must not end its thread
// by pthread_exit(), and nobody cancel it there by pthread_cancel(): with every
// executor here that ends the program, with a message on stderr.
//
// Thread safety: Submit(), Map(), Schedule() and Shutdown() may be called from
// any thread, tasks included.
// Errors: the first three throw ShutdownError (heddle/pool/errors.h) when the
// executor accepts no more work, std::bad_alloc, and what the executor at hand
// adds. Then nothing was accepted, except that elements of Map() before the one
// that failed may have begun; the others are cancelled.

#ifndef HEDDLE_FUTURES_EXECUTOR_H_
#define HEDDLE_FUTURES_EXECUTOR_H_

#include <atomic>
#include <iterator>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "heddle/futures/future.h"
#include "heddle/futures/internal/submit_call.h"
#include "heddle/futures/map_results.h"
#include "heddle/pool/internal/map_checks.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/bind_call.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

struct ShutdownOptions {
  bool wait = true;             // until what was accepted has ended
  bool cancel_futures = false;  // what has not begun is cancelled, not run
  WaitLimit limit = {};         // of that wait
};

class Executor {
 public:
  Executor() : self_(std::make_shared<internal::Atomic<Executor*>>(this)) {}
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() { self_->store(nullptr, std::memory_order_release); }

  // Accepts `task`, to run it once, later or now, here or elsewhere. A task
  // that was accepted and will not run is destroyed. Throws if it is refused.
  // This is all that an executor has to implement; users call the functions
  // below.
  virtual void Schedule(Task task) = 0;

  // Ends the acceptance of work. What was accepted is still run, or cancelled if
  // `cancel_futures` says so and it has not begun, however long ago it was
  // submitted, the first task too; then nothing begins any more when this
  // returns. Waits, unless `wait` is false, until all of it has
  // ended, and returns whether it has seen that. May be called again. (An
  // executor that can be used until it is destroyed does nothing and returns
  // true.)
  bool Shutdown(const ShutdownOptions& options = {}) {
    return DoShutdown(options);
  }

  // Schedules `function(arguments...)` and returns a future for its result. All
  // are moved or copied in now and destroyed when the call has ended or was
  // cancelled. Pass std::ref(x) to share x instead. A function that can only be
  // called with a std::stop_token before the arguments is given one, by which
  // Future::RequestStop() reaches it.
  template <typename Function, typename... Arguments>
  requires(
      std::is_invocable_v<std::decay_t<Function>, std::decay_t<Arguments>...> ||
      std::is_invocable_v<std::decay_t<Function>, std::stop_token,
                          std::decay_t<Arguments>...>)  //
      auto Submit(Function&& function, Arguments&&... arguments) {
    return futures_internal::SubmitCall(
        *this, internal::BindCall(std::forward<Function>(function),
                                  std::forward<Arguments>(arguments)...));
  }
  // Any other call does not compile, and says why: before anything else, because
  // the compiler looks here for the type that it returns.
  template <typename Function, typename... Arguments>
  auto Submit(Function&& /*function*/, Arguments&&... /*arguments*/) {
    return futures_internal::ExplainBadCall<std::decay_t<Function>,
                                            std::decay_t<Arguments>...>();
  }

  // Schedules `function(element)` for each element of a range, or
  // `function(a, b, ...)` for the elements of several side by side, up to the
  // end of the shortest; and returns the results in their order, as a range to
  // be gone through once. See map_results.h for its rules: exceptions, limits,
  // early ends, `buffersize` and `chunksize`.
  //
  // Elements are copied or moved out of the ranges as their iterators give
  // them, and moved out of a container that is an rvalue. The one `function` is
  // called by several threads at once, as a const object. A range passed as an
  // lvalue must outlive the results. Throws std::invalid_argument if the
  // chunksize is 0.
  template <typename Function, MapRange... Ranges>
  [[nodiscard]] auto Map(Function&& function, Ranges&&... ranges) {
    return MapWith({}, std::forward<Function>(function),
                   std::forward<Ranges>(ranges)...);
  }
  template <typename Function, MapRange Range>
  [[nodiscard]] auto Map(Function&& function, Range&& range,
                         const ExecutorMapOptions& options) {
    return MapWith(options, std::forward<Function>(function),
                   std::forward<Range>(range));
  }
  template <typename Function, MapRange A, MapRange B>
  [[nodiscard]] auto Map(Function&& function, A&& a, B&& b,
                         const ExecutorMapOptions& options) {
    return MapWith(options, std::forward<Function>(function),
                   std::forward<A>(a), std::forward<B>(b));
  }

  // A call that is none of these says what it lacks.
  template <typename Function, typename... Ranges>
  requires(!(MapRange<Ranges> && ...) &&
           !(std::is_same_v<std::remove_cvref_t<Ranges>, ExecutorMapOptions> ||
             ...)) auto Map(Function&& /*function*/, Ranges&&... /*ranges*/) {
    if constexpr ((pool_internal::CheckRange<Ranges>() && ...)) return;
  }

  // As Map(), with options for however many ranges.
  template <typename Function, MapRange... Ranges>
  [[nodiscard]] auto MapWith(const ExecutorMapOptions& options,
                             Function&& function, Ranges&&... ranges) {
    static_assert(sizeof...(Ranges) > 0, "Map: there must be a range");
    using F = std::decay_t<Function>;
    if constexpr (pool_internal::CheckMapFunction<
                      F, std::iter_value_t<
                             pool_internal::IteratorOf<Ranges>>...>()) {
      return MapResults<F, Ranges...>(self_, options,
                                      std::forward<Function>(function),
                                      std::forward<Ranges>(ranges)...);
    }
  }

 private:
  // What Shutdown() does, for an executor that can end before it is destroyed.
  virtual bool DoShutdown(const ShutdownOptions& options);

  // For results of maps, which may outlive it: null when it has ended.
  const std::shared_ptr<internal::Atomic<Executor*>> self_;
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_EXECUTOR_H_
