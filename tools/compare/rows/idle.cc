// The row `idle`: what a pool costs that has nothing to do.

#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <fstream>
#include <latch>
#include <string>
#include <thread>

#include "benchmark/benchmark.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/tbb_arena.h"

namespace heddle {
namespace compare {
namespace {

constexpr int kWorkers = 32;

// A contender has Post(f), which has f called in a worker.

class Heddle {
 public:
  template <typename F>
  void Post(const F& f) {
    Task task(f);
    benchmark::DoNotOptimize(pool_.Schedule(task));
  }

 private:
  WorkerPool pool_{
      {.max_workers = kWorkers, .start = WorkerPool::StartPolicy::kAtOnce}};
};

class Boost {
 public:
  template <typename F>
  void Post(const F& f) {
    boost::asio::post(pool_, f);
  }

 private:
  boost::asio::thread_pool pool_{kWorkers};
};

class Tbb {
 public:
  template <typename F>
  void Post(const F& f) {
    arena_->enqueue(f);
  }

 private:
  TbbArena arena_{kWorkers, TbbArena::Caller::kHandsIn};
};

double CpuMicroseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 +
           static_cast<double>(time.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

double ResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    double kib = 0;
    status >> kib;
    return kib;
  }
  return 0;
}

// A second in which nothing is to be done, after each worker had a task.
template <typename Contender>
void Idle(benchmark::State& state) {
  for (auto _ : state) {
    const double before_kib = ResidentKib();
    Contender contender;
    std::latch all_run(kWorkers);
    for (int i = 0; i < kWorkers; ++i)
      contender.Post([&all_run] { all_run.arrive_and_wait(); });
    all_run.wait();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const double kib = ResidentKib() - before_kib;
    const double before = CpuMicroseconds();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const double micros = CpuMicroseconds() - before;
    state.SetIterationTime((micros + 1e-3) / 1e6);
    state.counters["cpu_us_per_s"] = micros;
    state.counters["kib_per_worker"] = kib / kWorkers;
  }
  state.SetItemsProcessed(state.iterations());
}

[[maybe_unused]] const bool registered = [] {
  const Row row("Idle",
                "A pool of 32 workers that has nothing to do for a second: its "
                "CPU time, which is the time shown, and the memory that it "
                "holds for each worker (of the first in its process it is "
                "the highest: later ones use freed stacks again).");
  const Parameters parameters{{"workers", std::to_string(kWorkers)}};
  for (auto* added : {row.TimedCase("heddle", parameters, Idle<Heddle>),
                      row.TimedCase("boost_asio_pool", parameters, Idle<Boost>),
                      row.TimedCase("tbb_arena", parameters, Idle<Tbb>)}) {
    added->Iterations(1);
  }
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
