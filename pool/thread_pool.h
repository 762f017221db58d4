// ThreadPool: threads that call functions, for many elements or for one.
//
// Example (this is examples/thread_pool.cc, shortened):
//
//   ThreadPool pool(4);
//   std::vector<int> squares = pool.Map([](int x) { return x * x; }, numbers);
//   AsyncResult<std::string> page = pool.ApplyAsync(Fetch, url);
//   for (const Digest& digest : pool.IMap(Hash, paths)) Print(digest);
//   pool.ForEach(images, [](Image& image) { image.Sharpen(); });
//   std::cout << page.Get() << "\n";
//
// The destructor runs what was accepted and joins. (Python:
// multiprocessing.pool.ThreadPool, whose `with` block drops what is left.) What
// a call throws, of whatever type, comes out where its result is asked for. A
// call that waits without a limit for the result of another of the same pool
// does not wedge it; of other waits see `max_spares`, and worker_pool.h.
//
// Number and order: of ThreadPool(n) at most n calls have begun and not ended at
// any moment, and of ThreadPool(1) the next begins when the last has ended. Calls
// begin in the order in which they were given to the pool, a map's chunks in
// theirs: worker_pool.h says how exactly.
//
// Functions and arguments are moved or copied in and destroyed when the call has
// ended; pass std::ref(x) to share x. The one function of a map is called by
// several threads at once, as a const object.
//
// A call, a callback or the initializer must not end its thread by
// pthread_exit(), and nobody cancel it there by pthread_cancel(): that ends the
// program, with a message on stderr. A call may be what calls exit(): see
// worker_pool.h.
//
// Thread safety: all methods but the destructor.
// Memory ordering: what came before a call of a method is visible to the
// functions it has called; what they did is visible when their result is there.
// Errors: all that give work to the pool throw ShutdownError after Close(),
// except in its own tasks, or Terminate() (Python: ValueError "Pool not
// running"), BrokenPool after the
// initializer threw, and std::bad_alloc; then nothing was accepted.

#ifndef HEDDLE_POOL_THREAD_POOL_H_
#define HEDDLE_POOL_THREAD_POOL_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "heddle/pool/async_result.h"
#include "heddle/pool/imap_results.h"
#include "heddle/pool/internal/call_task.h"
#include "heddle/pool/internal/loop.h"
#include "heddle/pool/internal/loop_board.h"
#include "heddle/pool/internal/map_checks.h"
#include "heddle/pool/internal/map_input.h"
#include "heddle/pool/internal/map_job.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/pool_stats.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/bind_call.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

// Functions to be called, in the worker, with what a call came to, before its
// result is ready; a slow one holds up that result and no other. What they throw
// goes to the except hook. A call that is dropped calls neither.
//
//   pool.ApplyAsync(Callbacks{[](int n) { Show(n); }}, Count, path);
template <typename OnResult, typename OnError = pool_internal::Ignore>
struct Callbacks {
  OnResult on_result;     // (const R&), or (T&) if R is T&, () if it is void
  OnError on_error = {};  // (std::exception_ptr)
};
template <typename OnResult>
Callbacks(OnResult) -> Callbacks<OnResult>;
template <typename OnResult, typename OnError>
Callbacks(OnResult, OnError) -> Callbacks<OnResult, OnError>;

struct MapOptions {
  // How many elements one task takes. None: a quarter of each worker's share,
  // ceil(elements / (4 * workers)).
  std::optional<int64_t> chunksize = {};
};

class ThreadPool {
 public:
  struct Options {
    // 0: as many as this process may use CPUs. With max_spares no more than
    // 65535.
    int workers = 0;
    // Called first in each worker; if it throws, the pool is broken.
    std::function<void()> initializer = {};
    // Workers are called "PREFIX_0", ... Empty: "ThreadPool-N".
    std::string name_prefix = {};
    // How many threads there may be, over `workers`, in the place of blocked
    // ones. None: 0 where `workers` is given, 256 where not.
    std::optional<int> max_spares = std::nullopt;
  };

  // All workers start here. Throws std::invalid_argument if an option is
  // negative or too large, or `workers` is not greater than 0 where it is given
  // alone, and std::system_error or std::bad_alloc if a thread cannot be had.
  ThreadPool() : ThreadPool(Options()) {}
  explicit ThreadPool(int workers);
  explicit ThreadPool(const Options& options);

  // Closes the pool and joins it. In one of its own workers it waits for
  // nothing: the workers run what was accepted and end by themselves.
  ~ThreadPool() = default;

  // Calls `function(arguments...)` in a worker, waits, and returns or throws
  // what it does.
  template <typename Function, typename... Arguments>
  requires std::is_invocable_v<std::decay_t<Function>,
                               std::decay_t<Arguments>...>
  auto Apply(Function&& function, Arguments&&... arguments)
      -> internal::CallResult<Function, Arguments...> {
    return ApplyAsync(std::forward<Function>(function),
                      std::forward<Arguments>(arguments)...)
        .Get();
  }

  // The same without waiting.
  template <typename Function, typename... Arguments>
  requires std::is_invocable_v<std::decay_t<Function>,
                               std::decay_t<Arguments>...>
  auto ApplyAsync(Function&& function, Arguments&&... arguments)
      -> AsyncResult<internal::CallResult<Function, Arguments...>> {
    return Submit(pool_internal::TellNobody(),
                  internal::BindCall(std::forward<Function>(function),
                                     std::forward<Arguments>(arguments)...));
  }
  template <typename OnResult, typename OnError, typename Function,
            typename... Arguments>
  requires std::is_invocable_v<std::decay_t<Function>,
                               std::decay_t<Arguments>...>
  auto ApplyAsync(Callbacks<OnResult, OnError> callbacks, Function&& function,
                  Arguments&&... arguments)
      -> AsyncResult<internal::CallResult<Function, Arguments...>> {
    return Submit(Tell(std::move(callbacks)),
                  internal::BindCall(std::forward<Function>(function),
                                     std::forward<Arguments>(arguments)...));
  }

  // Calls `function(element)` for each element of `range`, in workers, waits for
  // all, and returns the results in the order of the elements, as a
  // std::vector; or nothing, if the function returns nothing. If calls threw,
  // the chunk of each has ended with it, and when all have ended the exception
  // of the lowest element is rethrown. A range that can only be gone through
  // once, or does not know its size, is listed first, here. The elements of a
  // container that is an rvalue may be moved from. Throws std::invalid_argument
  // if the chunksize is less than 1.
  template <typename Function, typename Range>
  auto Map(const Function& function, Range&& range,
           const MapOptions& options = {}) {
    if constexpr (pool_internal::CheckRange<Range>()) {
      pool_internal::CallRef<Function> call(function);
      if constexpr (pool_internal::CanView<Range>) {
        return pool_internal::GetAtEnd(
            StartMap(call, pool_internal::View<Function, Range>(range), options,
                     pool_internal::TellNobody()));
      } else {
        return pool_internal::GetAtEnd(
            StartMap(call, pool_internal::List(std::forward<Range>(range)),
                     options, pool_internal::TellNobody()));
      }
    }
  }

  // The same without waiting. Elements of an lvalue are copied, here; a
  // container that is an rvalue is moved in. With callbacks: they are told of
  // all results together, once; not if there are no elements.
  template <typename Function, typename Range>
  auto MapAsync(Function&& function, Range&& range,
                const MapOptions& options = {}) {
    if constexpr (pool_internal::CheckRange<Range>()) {
      return StartMap<std::decay_t<Function>>(
          std::forward<Function>(function),
          pool_internal::Own(std::forward<Range>(range)), options,
          pool_internal::TellNobody());
    }
  }
  template <typename OnResult, typename OnError, typename Function,
            typename Range>
  auto MapAsync(Callbacks<OnResult, OnError> callbacks, Function&& function,
                Range&& range, const MapOptions& options = {}) {
    if constexpr (pool_internal::CheckRange<Range>()) {
      return StartMap<std::decay_t<Function>>(
          std::forward<Function>(function),
          pool_internal::Own(std::forward<Range>(range)), options,
          Tell(std::move(callbacks)));
    }
  }

  // Map() and MapAsync() for elements that are tuples (or pairs, or arrays) of
  // arguments.
  template <typename Function, typename Range>
  auto StarMap(const Function& function, Range&& range,
               const MapOptions& options = {}) {
    using Call = pool_internal::CallRef<Function>;
    return Map(pool_internal::Star<Call>(Call(function)),
               std::forward<Range>(range), options);
  }
  template <typename Function, typename Range>
  auto StarMapAsync(Function&& function, Range&& range,
                    const MapOptions& options = {}) {
    return MapAsync(pool_internal::Star<std::decay_t<Function>>(
                        std::forward<Function>(function)),
                    std::forward<Range>(range), options);
  }
  template <typename OnResult, typename OnError, typename Function,
            typename Range>
  auto StarMapAsync(Callbacks<OnResult, OnError> callbacks, Function&& function,
                    Range&& range, const MapOptions& options = {}) {
    return MapAsync(std::move(callbacks),
                    pool_internal::Star<std::decay_t<Function>>(
                        std::forward<Function>(function)),
                    std::forward<Range>(range), options);
  }

  // The results as a range, in the order of the elements or as they come, while
  // the input is read only a bounded number of elements ahead: see
  // imap_results.h. A `range` passed as an lvalue must outlive the results.
  // Throws std::invalid_argument if the chunksize is 0.
  template <typename Function, typename Range>
  [[nodiscard]] auto IMap(Function&& function, Range&& range,
                          const IMapOptions& options = {}) {
    return StartIMap(std::forward<Function>(function),
                     std::forward<Range>(range), /*ordered=*/true, options);
  }
  template <typename Function, typename Range>
  [[nodiscard]] auto IMapUnordered(Function&& function, Range&& range,
                                   const IMapOptions& options = {}) {
    return StartIMap(std::forward<Function>(function),
                     std::forward<Range>(range), /*ordered=*/false, options);
  }

  // Calls `body(i)` for all i from `begin` to `end` - 1, in the caller and in as
  // many workers as come in time, and waits for all. Pieces of at least `grain`
  // elements grow smaller towards the end, so that uneven work is evened out. A
  // loop that takes some microseconds the caller does alone; or, where many come
  // one behind the other, with one worker that stays awake for them. If elements
  // threw, no further pieces are begun, and the exception of the lowest of them is
  // rethrown. Nothing happens if `end` <= `begin`. Throws std::invalid_argument
  // if `grain` is less than 1.
  template <typename Body>
  void ForRange(int64_t begin, int64_t end, Body&& body, int64_t grain = 1) {
    if constexpr (pool_internal::CheckRangeBody<Body>()) {
      CheckLoop(grain);
      if (begin >= end) return;
      if constexpr (std::is_function_v<std::remove_reference_t<Body>>) {
        auto* function = body;  // an object, as the loop needs one
        pool_internal::ParallelLoop(pool_, *board_, begin, end, grain,
                                    function);
      } else {
        pool_internal::ParallelLoop(pool_, *board_, begin, end, grain, body);
      }
    }
  }

  // The same with `body(element)` for the elements of a range with random
  // access, which may change them: not those of a std::vector<bool>, which are
  // bits that share words.
  template <typename Range, typename Body>
  void ForEach(Range&& range, Body&& body, int64_t grain = 1) {
    if constexpr (pool_internal::CheckEachBody<Range, Body>()) {
      CheckLoop(grain);
      const auto first = std::begin(range);
      auto call = [&](int64_t i) {
        std::invoke(
            body,
            first[static_cast<std::iter_difference_t<decltype(first)>>(i)]);
      };
      const auto size = static_cast<int64_t>(std::end(range) - first);
      if (size > 0)
        pool_internal::ParallelLoop(pool_, *board_, 0, size, grain, call);
    }
  }

  // Calls all of the functions, at the same time as far as workers are free, and
  // returns when all have ended; see WorkerPool::Invoke().
  template <typename F, typename G, typename... More>
  void Invoke(F&& f, G&& g, More&&... more) {
    if constexpr (sizeof...(More) == 0) {
      pool_.Invoke(f, g);
    } else {
      pool_.Invoke(f, [&] { Invoke(g, more...); });
    }
  }

  // Accepts no more work from outside; what was accepted is done, and what that
  // gives to this pool. May be called again, and after Terminate(), without
  // effect.
  void Close();

  // Accepts no more work, and drops what has not begun, however long ago it was
  // given: its results throw CancelledError. When this returns nothing begins any
  // more. What runs goes on; wait for it by Join().
  void Terminate();

  // Waits within `limit` until all workers have ended; false if that passed
  // first. Throws std::logic_error before Close() or Terminate(), and in a
  // worker of the pool. Without a limit it is always true. (Python: ValueError
  // "Pool is still running".)
  [[nodiscard]] bool Join(const WaitLimit& limit) { return pool_.Join(limit); }
  bool Join() { return pool_.Join(); }

  [[nodiscard]] int workers() const { return pool_.max_workers(); }
  [[nodiscard]] PoolStats Stats() const { return pool_.Stats(); }

 private:
  // Whether Terminate() has been called, for maps that are half done.
  using Terminated = std::shared_ptr<internal::Atomic<bool>>;
  struct IsTerminated {
    bool operator()() const {
      // relaxed: only that it ends soon.
      return terminated->load(std::memory_order_relaxed);
    }
    Terminated terminated;
  };

  template <typename OnResult, typename OnError>
  static auto Tell(Callbacks<OnResult, OnError> callbacks) {
    return pool_internal::TellCallbacks<OnResult, OnError>{
        std::move(callbacks.on_result), std::move(callbacks.on_error)};
  }

  template <typename Tell, typename Call>
  auto Submit(Tell tell, Call call) {
    using R = internal::Kept<std::invoke_result_t<Call&>>;
    using State = pool_internal::ResultTask<R, Call, Tell>;
    auto* const state =
        pool_internal::MakeInBlock<State>(std::move(call), std::move(tell));
    Task task(state);  // has the state's own reference
    AsyncResult<R> result(state);
    if (!pool_.Schedule(task)) ThrowRefused();
    return result;
  }

  template <typename Function, typename Input, typename Tell>
  auto StartMap(Function function, Input input, const MapOptions& options,
                Tell tell) {
    using Element = typename Input::Element;
    if constexpr (pool_internal::CheckMapFunction<Function, Element>()) {
      using Raw = std::invoke_result_t<const Function&, Element>;
      using R = std::remove_cvref_t<Raw>;
      using Job = pool_internal::MapJob<R, Function, Input, Tell, IsTerminated>;
      CheckOpen();
      const size_t chunk_size = ChunkSize(input.size(), options);
      const auto job = internal::RefPtr<Job>::Adopt(
          new Job(std::move(function), std::move(input), chunk_size,
                  std::move(tell), IsTerminated{terminated_}, pool_.number()));
      AsyncResult<typename Job::Result> result(job.get());
      if (job->chunks() == 0) {
        job->EndEmpty();
      } else {
        StartJob(*job, job->chunks());
      }
      return result;
    } else {
      return AsyncResult<void>();  // the error has been said
    }
  }

  template <typename Function, typename Range>
  auto StartIMap(Function&& function, Range&& range, bool ordered,
                 const IMapOptions& options) {
    if constexpr (pool_internal::CheckRange<Range>()) {
      using F = std::decay_t<Function>;
      using Element = std::iter_value_t<pool_internal::IteratorOf<Range>>;
      if constexpr (pool_internal::CheckMapFunction<F, Element>()) {
        CheckIMap(options);
        return IMapResults<F, Range>(pool_, std::forward<Function>(function),
                                     std::forward<Range>(range), ordered,
                                     options);
      }
    }
  }

  // Throws ShutdownError or BrokenPool: for a task that the pool has refused.
  // (It may still pass for open then: its queue is closed first.)
  [[noreturn]] void ThrowRefused() const;
  // The same if the pool accepts nothing.
  void CheckOpen() const;
  void CheckIMap(const IMapOptions& options) const;
  void CheckLoop(int64_t grain) const;
  size_t ChunkSize(size_t elements, const MapOptions& options) const;
  void StartJob(pool_internal::MapJobBase& job, size_t chunks);

  const Terminated terminated_ =
      std::make_shared<internal::Atomic<bool>>(false);
  const std::shared_ptr<pool_internal::LoopBoard> board_ =
      std::make_shared<pool_internal::LoopBoard>();
  WorkerPool pool_;
};

}  // namespace heddle

#endif  // HEDDLE_POOL_THREAD_POOL_H_
