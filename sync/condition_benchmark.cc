// Condition beside std::condition_variable.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

void BM_Condition_NotifyNobody(benchmark::State& state) {
  Condition condition;
  LockGuard guard(condition);
  for (auto _ : state) condition.Notify();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Condition_NotifyNobody);

void BM_StdConditionVariable_NotifyNobody(benchmark::State& state) {
  std::condition_variable condition;
  for (auto _ : state) condition.notify_one();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_StdConditionVariable_NotifyNobody);

void BM_Condition_WaitOfNoTime(benchmark::State& state) {
  Condition condition;
  LockGuard guard(condition);
  for (auto _ : state) {
    benchmark::DoNotOptimize(condition.Wait(absl::ZeroDuration()));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Condition_WaitOfNoTime);

// A number that threads wait for.
class HeddleNumber {
 public:
  void Add(int64_t n) {
    LockGuard guard(lock_);
    value_ += n;
    changed_.NotifyAll();
  }
  void WaitFor(int64_t value) {
    LockGuard guard(lock_);
    changed_.WaitFor(
        [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return value_ >= value; });
  }

 private:
  Lock lock_;
  Condition changed_{lock_};
  int64_t value_ ABSL_GUARDED_BY(lock_) = 0;
};

class StdNumber {
 public:
  void Add(int64_t n) {
    std::lock_guard<std::mutex> guard(mutex_);
    value_ += n;
    changed_.notify_all();
  }
  void WaitFor(int64_t value) {
    std::unique_lock<std::mutex> hold(mutex_);
    changed_.wait(hold, [&] { return value_ >= value; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t value_ = 0;
};

// One thread notifies `waiters` that wait, and goes on when all have come back;
// an item is one waiter's wake-up.
template <typename Number>
void NotifyAll(benchmark::State& state) {
  const int64_t waiters = state.range(0);
  Number begun;
  Number done;
  bool stopped = false;  // written before the last begun.Add()
  std::deque<Thread> threads;
  for (int64_t i = 0; i < waiters; ++i) {
    threads.emplace_back([&] {
      for (int64_t round = 1;; ++round) {
        begun.WaitFor(round);
        if (stopped) return;
        done.Add(1);
      }
    });
    threads.back().Start();
  }
  int64_t all = 0;
  for (auto _ : state) {
    begun.Add(1);
    done.WaitFor(all += waiters);
  }
  stopped = true;
  begun.Add(1);
  threads.clear();
  state.SetItemsProcessed(state.iterations() * waiters);
}

void BM_Condition_NotifyAll(benchmark::State& state) {
  NotifyAll<HeddleNumber>(state);
}
BENCHMARK(BM_Condition_NotifyAll)
    ->ArgName("waiters")
    ->Arg(1)
    ->Arg(8)
    ->UseRealTime();

void BM_StdConditionVariable_NotifyAll(benchmark::State& state) {
  NotifyAll<StdNumber>(state);
}
BENCHMARK(BM_StdConditionVariable_NotifyAll)
    ->ArgName("waiters")
    ->Arg(1)
    ->Arg(8)
    ->UseRealTime();

}  // namespace
}  // namespace heddle
