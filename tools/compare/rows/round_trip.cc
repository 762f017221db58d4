// The row `round_trip`: one task submitted, its result waited for.

#include <algorithm>
#include <boost/asio/packaged_task.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <string>
#include <thread>
#include <tuple>
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

constexpr int kWorkers = 2;

int64_t Now() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

// A contender has Run(), which returns the time at which its task ran, when
// that has come back.

class Heddle {
 public:
  int64_t Run() { return executor_.Submit(Now).Result(); }

 private:
  ThreadPoolExecutor executor_{kWorkers};
};

class BoostPackagedTask {
 public:
  int64_t Run() {
    return boost::asio::post(pool_, std::packaged_task<int64_t()>(Now)).get();
  }

 private:
  boost::asio::thread_pool pool_{kWorkers};
};

class TbbEnqueue {
 public:
  int64_t Run() {
    std::packaged_task<int64_t()> task(Now);
    std::future<int64_t> future = task.get_future();
    arena_->enqueue(TbbPackagedTask{std::move(task)});
    return future.get();
  }

 private:
  TbbArena arena_{kWorkers, TbbArena::Caller::kHandsIn};
};

struct StdAsync {
  static int64_t Run() { return std::async(std::launch::async, Now).get(); }
};

double Percentile(std::vector<int64_t>& nanos, size_t percent) {
  const auto at =
      nanos.begin() + static_cast<ptrdiff_t>(nanos.size() * percent / 100);
  std::nth_element(nanos.begin(), at, nanos.end());
  return static_cast<double>(*at) / 1000;
}

// Times n tasks, one at a time, with `pause` before each.
template <typename Contender>
void RoundTrips(benchmark::State& state, int64_t n,
                std::chrono::microseconds pause) {
  Contender contender;
  for (int i = 0; i < 100; ++i) contender.Run();
  std::vector<int64_t> starts;
  std::vector<int64_t> ends;
  for (auto _ : state) {
    int64_t sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      if (pause.count() > 0) std::this_thread::sleep_for(pause);
      const int64_t submitted = Now();
      const int64_t started = contender.Run();
      const int64_t ended = Now();
      starts.push_back(started - submitted);
      ends.push_back(ended - submitted);
      sum += ended - submitted;
      if (!CheckSum(state, submitted <= started && started <= ended, 1)) return;
    }
    state.SetIterationTime(static_cast<double>(sum) / 1e9);
  }
  state.counters["start_p50_us"] = Percentile(starts, 50);
  state.counters["start_p99_us"] = Percentile(starts, 99);
  state.counters["p50_us"] = Percentile(ends, 50);
  state.counters["p99_us"] = Percentile(ends, 99);
  state.SetItemsProcessed(state.iterations() * n);
}

[[maybe_unused]] const bool registered = [] {
  const Row row("RoundTrip",
                "One task at a time is submitted and its result waited for: "
                "back to back, or after two milliseconds in which the workers "
                "fall asleep. start: until the task runs.");
  for (const auto& [name, pause, n] :
       {std::tuple("back_to_back", std::chrono::microseconds(0), 20'000),
        std::tuple("asleep", std::chrono::microseconds(2000), 300)}) {
    const Parameters parameters{{"workers", std::to_string(kWorkers)},
                                {"mode", name},
                                {"n", std::to_string(n)}};
    const auto add = [&, pause = pause, n = n](const std::string& contender,
                                               auto run) {
      row.TimedCase(contender, parameters,
                    [=](benchmark::State& state) { run(state, n, pause); });
    };
    add("heddle", RoundTrips<Heddle>);
    add("boost_asio_packaged_task", RoundTrips<BoostPackagedTask>);
    add("tbb_arena_packaged_task", RoundTrips<TbbEnqueue>);
    add("std_async", RoundTrips<StdAsync>);
    row.PythonCase("cpython_thread_pool_executor", parameters, "round_trip.py");
  }
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
