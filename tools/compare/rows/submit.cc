// The row `submit`: a future for each of n trivial tasks, all collected.

#include <tbb/task_group.h>

#include <algorithm>
#include <boost/asio/packaged_task.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <cstddef>
#include <cstdint>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/futures/future.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/tbb_arena.h"

namespace heddle {
namespace compare {
namespace {

// A contender has Submit(i), which gives a future of i, and Get(future). Where
// it also has Inside(f), all of it happens in there, and where it has Finish(),
// that comes between the submits and the gets.

template <int kWorkers>
class Heddle {
 public:
  Future<int64_t> Submit(int64_t i) {
    return executor_.Submit([i] { return i; });
  }
  static int64_t Get(Future<int64_t>& future) { return future.Result(); }

 private:
  ThreadPoolExecutor executor_{kWorkers};
};

struct StdFutures {
  static int64_t Get(std::future<int64_t>& future) { return future.get(); }
};

// A thread for each task: there is no pool to be had in libstdc++.
struct StdAsync : StdFutures {
  static std::future<int64_t> Submit(int64_t i) {
    return std::async(std::launch::async, [i] { return i; });
  }
};

template <int kWorkers>
class BoostPackagedTask : public StdFutures {
 public:
  std::future<int64_t> Submit(int64_t i) {
    return boost::asio::post(pool_,
                             std::packaged_task<int64_t()>([i] { return i; }));
  }

 private:
  boost::asio::thread_pool pool_{kWorkers};
};

template <int kWorkers>
class BoostUseFuture : public StdFutures {
 public:
  std::future<int64_t> Submit(int64_t i) {
    return boost::asio::post(pool_, boost::asio::use_future([i] { return i; }));
  }

 private:
  boost::asio::thread_pool pool_{kWorkers};
};

// The workers take what the main thread enqueues.
template <int kWorkers>
class TbbEnqueue : public StdFutures {
 public:
  std::future<int64_t> Submit(int64_t i) {
    std::packaged_task<int64_t()> task([i] { return i; });
    std::future<int64_t> future = task.get_future();
    arena_->enqueue(TbbPackagedTask{std::move(task)});
    return future;
  }

 private:
  TbbArena arena_{kWorkers, TbbArena::Caller::kHandsIn};
};

// The way oneTBB is made for: the main thread is one of the workers as soon
// as it waits for the group.
template <int kWorkers>
class TbbTaskGroup : public StdFutures {
 public:
  template <typename F>
  void Inside(F f) {
    arena_->execute(f);
  }
  std::future<int64_t> Submit(int64_t i) {
    std::packaged_task<int64_t()> task([i] { return i; });
    std::future<int64_t> future = task.get_future();
    group_.run(TbbPackagedTask{std::move(task)});
    return future;
  }
  void Finish() { group_.wait(); }

 private:
  TbbArena arena_{kWorkers, TbbArena::Caller::kWorks};
  tbb::task_group group_;
};

template <typename Contender>
int64_t SubmitAndCollect(Contender& contender, int64_t n, int64_t window) {
  std::vector<decltype(contender.Submit(0))> futures;
  futures.reserve(static_cast<size_t>(std::min(n, window)));
  int64_t sum = 0;
  for (int64_t i = 0; i < n;) {
    for (const int64_t end = std::min(n, i + window); i < end; ++i) {
      futures.push_back(contender.Submit(i));
    }
    if constexpr (requires { contender.Finish(); }) contender.Finish();
    for (auto& future : futures) sum += contender.Get(future);
    futures.clear();
  }
  return sum;
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name, int workers, int64_t n) {
  for (const auto& [window_name, window] :
       {std::pair("all", n), std::pair("1000", int64_t{1000})}) {
    auto body = [n, window = window](benchmark::State& state) {
      Contender contender;
      auto run = [&] {
        // Once untimed: threads start, memory comes from the system.
        SubmitAndCollect(contender, n, window);
        for (auto _ : state) {
          const int64_t sum = SubmitAndCollect(contender, n, window);
          if (!CheckSum(state, sum, n * (n - 1) / 2)) break;
        }
      };
      if constexpr (requires { contender.Inside(run); }) {
        contender.Inside(run);
      } else {
        run();
      }
      state.SetItemsProcessed(state.iterations() * n);
    };
    row.Case(name,
             {{"workers", std::to_string(workers)},
              {"window", window_name},
              {"n", std::to_string(n)}},
             body);
  }
}

constexpr int64_t kTasks = 1'000'000;

template <int kWorkers>
void AddAll(const Row& row) {
  AddCases<Heddle<kWorkers>>(row, "heddle", kWorkers, kTasks);
  AddCases<BoostPackagedTask<kWorkers>>(row, "boost_asio_packaged_task",
                                        kWorkers, kTasks);
  AddCases<BoostUseFuture<kWorkers>>(row, "boost_asio_use_future", kWorkers,
                                     kTasks);
  AddCases<TbbEnqueue<kWorkers>>(row, "tbb_arena_packaged_task", kWorkers,
                                 kTasks);
  AddCases<TbbTaskGroup<kWorkers>>(row, "tbb_group_packaged_task", kWorkers,
                                   kTasks);
  AddCases<StdAsync>(row, "std_async", kWorkers, 1000);  // they run all at once
  for (const char* window : {"all", "1000"}) {
    row.PythonCase("cpython_thread_pool_executor",
                   {{"workers", std::to_string(kWorkers)},
                    {"window", window},
                    {"n", "100000"}},
                   "submit.py");
  }
}

[[maybe_unused]] const bool registered = [] {
  const Row row("Submit",
                "Submit n tasks that return their number, with a future each, "
                "and add up all results; a window is how many are submitted "
                "before they are collected.");
  AddAll<2>(row);
  AddAll<4>(row);
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
