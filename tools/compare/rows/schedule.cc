// The row `schedule`: a million trivial tasks without a result, each queued.

#include <glib.h>
#include <omp.h>
#include <tbb/task_group.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/tbb_arena.h"

namespace heddle {
namespace compare {
namespace {

// What a task does: its thread counts it, in a counter of its own.
class Tally {
 public:
  static void Count() {
    thread_local Slot slot;
    slot.count.store(slot.count.load(std::memory_order_relaxed) + 1,
                     std::memory_order_relaxed);
  }
  // Of all threads, those that have ended too.
  static int64_t Sum() {
    const std::lock_guard<std::mutex> guard(lock);
    int64_t sum = ended;
    for (const Slot* slot : slots) sum += slot->count.load();
    return sum;
  }
  static void WaitFor(int64_t sum) {
    while (Sum() < sum)
      std::this_thread::sleep_for(std::chrono::microseconds(20));
  }

 private:
  struct Slot {
    Slot() {
      const std::lock_guard<std::mutex> guard(lock);
      slots.push_back(this);
    }
    ~Slot() {
      const std::lock_guard<std::mutex> guard(lock);
      std::erase(slots, this);
      ended += count.load();
    }
    std::atomic<int64_t> count{0};
    char apart[120];
  };
  static inline std::mutex lock;
  static inline std::vector<Slot*> slots;
  static inline int64_t ended = 0;
};

// A contender has Schedule(), for one task.

class Heddle {
 public:
  explicit Heddle(int workers)
      : pool_({.max_workers = workers,
               .start = WorkerPool::StartPolicy::kAtOnce}) {}
  void Schedule() {
    Task task([] { Tally::Count(); });
    benchmark::DoNotOptimize(pool_.Schedule(task));
  }

 private:
  WorkerPool pool_;
};

class BoostPost {
 public:
  explicit BoostPost(int workers) : pool_(static_cast<size_t>(workers)) {}
  void Schedule() {
    boost::asio::post(pool_, [] { Tally::Count(); });
  }

 private:
  boost::asio::thread_pool pool_;
};

class TbbEnqueue {
 public:
  explicit TbbEnqueue(int workers)
      : arena_(workers, TbbArena::Caller::kHandsIn) {}
  void Schedule() {
    arena_->enqueue([] { Tally::Count(); });
  }

 private:
  TbbArena arena_;
};

class GLib {
 public:
  explicit GLib(int workers)
      : pool_(g_thread_pool_new([](gpointer, gpointer) { Tally::Count(); },
                                nullptr, workers, /*exclusive=*/TRUE,
                                nullptr)) {}
  GLib(const GLib&) = delete;
  GLib& operator=(const GLib&) = delete;
  ~GLib() { g_thread_pool_free(pool_, /*immediate=*/FALSE, /*wait_=*/TRUE); }
  void Schedule() { g_thread_pool_push(pool_, this, nullptr); }

 private:
  GThreadPool* const pool_;
};

class StdQueue {
 public:
  explicit StdQueue(int workers) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { Work(); });
  }
  StdQueue(const StdQueue&) = delete;
  StdQueue& operator=(const StdQueue&) = delete;
  ~StdQueue() {
    {
      const std::lock_guard<std::mutex> guard(lock_);
      stopped_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  void Schedule() {
    {
      const std::lock_guard<std::mutex> guard(lock_);
      tasks_.emplace_back([] { Tally::Count(); });
    }
    wake_.notify_one();
  }

 private:
  void Work() {
    for (;;) {
      std::unique_lock<std::mutex> guard(lock_);
      wake_.wait(guard, [this] { return stopped_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      guard.unlock();
      task();
    }
  }

  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

// Times `round()`, which returns how many tasks it has run, of `n`.
template <typename Round>
void Measure(benchmark::State& state, int64_t n, const Round& round) {
  round();  // untimed: threads start, memory comes from the system
  for (auto _ : state) {
    if (!CheckSum(state, round(), n)) break;
  }
  state.SetItemsProcessed(state.iterations() * n);
}

template <typename Contender>
void ScheduleAll(benchmark::State& state, int workers, int producers,
                 int64_t n) {
  Contender contender(workers);
  const auto produce = [&] {
    for (int64_t i = 0; i < n / producers; ++i) contender.Schedule();
  };
  const auto round = [&] {
    const int64_t before = Tally::Sum();
    std::vector<std::thread> others;
    for (int i = 1; i < producers; ++i) others.emplace_back(produce);
    produce();
    for (std::thread& other : others) other.join();
    Tally::WaitFor(before + n);
    return Tally::Sum() - before;
  };
  Measure(state, n, round);
}

// All at once, from one producer.
void HeddleMany(benchmark::State& state, int workers, int64_t n) {
  WorkerPool pool(
      {.max_workers = workers, .start = WorkerPool::StartPolicy::kAtOnce});
  const auto round = [&] {
    const int64_t before = Tally::Sum();
    TaskQueue tasks;
    for (int64_t i = 0; i < n; ++i) tasks.Push(Task([] { Tally::Count(); }));
    benchmark::DoNotOptimize(pool.ScheduleMany(tasks));
    Tally::WaitFor(before + n);
    return Tally::Sum() - before;
  };
  Measure(state, n, round);
}

// The ways that oneTBB and OpenMP are made for: the producer is one of the
// threads that work as soon as it waits.
void TbbGroup(benchmark::State& state, int workers, int64_t n) {
  TbbArena arena(workers + 1, TbbArena::Caller::kWorks);
  const auto round = [&] {
    const int64_t before = Tally::Sum();
    arena->execute([n] {
      tbb::task_group group;
      for (int64_t i = 0; i < n; ++i) group.run([] { Tally::Count(); });
      group.wait();
    });
    return Tally::Sum() - before;
  };
  Measure(state, n, round);
}

void GompTasks(benchmark::State& state, int workers, int64_t n) {
  const auto round = [&] {
    const int64_t before = Tally::Sum();
#pragma omp parallel num_threads(workers + 1)
#pragma omp single
    for (int64_t i = 0; i < n; ++i) {
#pragma omp task
      Tally::Count();
    }
    return Tally::Sum() - before;
  };
  Measure(state, n, round);
}

constexpr int64_t kTasks = 1'000'000;

[[maybe_unused]] const bool registered = [] {
  const Row row("Schedule",
                "A million tasks that do next to nothing, without a result: "
                "until all have run, per task. OpenMP runs tasks at once, "
                "unqueued, when 64 a thread are waiting.");
  for (const int workers : {2, 4}) {
    for (const int producers : {1, 4}) {
      const Parameters parameters{{"workers", std::to_string(workers)},
                                  {"producers", std::to_string(producers)}};
      const auto add = [&](const std::string& name, auto run) {
        row.Case(name, parameters, [=](benchmark::State& state) {
          run(state, workers, producers, kTasks);
        });
      };
      add("heddle", ScheduleAll<Heddle>);
      add("boost_asio_post", ScheduleAll<BoostPost>);
      add("tbb_arena_enqueue", ScheduleAll<TbbEnqueue>);
      add("glib_thread_pool", ScheduleAll<GLib>);
      add("std_mutex_deque_function", ScheduleAll<StdQueue>);
      if (producers != 1) continue;
      const auto add_one = [&](const std::string& name, auto run) {
        row.Case(name, parameters,
                 [=](benchmark::State& state) { run(state, workers, kTasks); });
      };
      add_one("heddle_schedule_many", HeddleMany);
      add_one("tbb_task_group", TbbGroup);
      add_one("gomp_task", GompTasks);
    }
  }
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
