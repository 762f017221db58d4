// Lock beside std::mutex and beside the least that a lock can be: one
// compare-exchange to take it and one exchange to release it.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

// No lock: it cannot wait.
class BarePair {
 public:
  void lock() {
    uint32_t expected = 0;
    benchmark::DoNotOptimize(word_.compare_exchange_strong(
        expected, 1, std::memory_order_acquire, std::memory_order_relaxed));
  }
  void unlock() {
    benchmark::DoNotOptimize(word_.exchange(0, std::memory_order_release));
  }

 private:
  std::atomic<uint32_t> word_{0};
};

template <typename Lockable>
void LockUnlock(benchmark::State& state) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lockable lock;
  for (auto _ : state) {
    lock.lock();
    benchmark::ClobberMemory();
    lock.unlock();
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Lock_LockUnlock(benchmark::State& state) { LockUnlock<Lock>(state); }
BENCHMARK(BM_Lock_LockUnlock);

void BM_StdMutex_LockUnlock(benchmark::State& state) {
  LockUnlock<std::mutex>(state);
}
BENCHMARK(BM_StdMutex_LockUnlock);

void BM_BarePair_LockUnlock(benchmark::State& state) {
  LockUnlock<BarePair>(state);
}
BENCHMARK(BM_BarePair_LockUnlock);

void BM_Lock_TryLockUnlock(benchmark::State& state)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lock lock;
  for (auto _ : state) {
    benchmark::DoNotOptimize(lock.try_lock());
    lock.unlock();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Lock_TryLockUnlock);

void BM_Lock_TryLockOfAHeldLock(benchmark::State& state)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lock lock;
  lock.lock();
  for (auto _ : state) benchmark::DoNotOptimize(lock.try_lock());
  lock.unlock();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Lock_TryLockOfAHeldLock);

void BM_Lock_TryLockForUnlock(benchmark::State& state)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lock lock;
  for (auto _ : state) {
    benchmark::DoNotOptimize(lock.try_lock_for(absl::Seconds(1)));
    lock.unlock();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Lock_TryLockForUnlock);

void BM_Lock_TryLockForChronoUnlock(benchmark::State& state)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lock lock;
  for (auto _ : state) {
    benchmark::DoNotOptimize(lock.try_lock_for(std::chrono::seconds(1)));
    lock.unlock();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Lock_TryLockForChronoUnlock);

// All threads take one lock; `work` is what each does while it holds it, in
// increments of a variable. An item is one time that the lock was held.
template <typename Lockable>
void Contended(benchmark::State& state) {
  static Lockable lock;
  static int64_t count = 0;
  for (auto _ : state) {
    LockGuard guard(lock);
    for (int64_t i = 0; i < state.range(0); ++i)
      benchmark::DoNotOptimize(++count);
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Lock_Contended(benchmark::State& state) { Contended<Lock>(state); }
BENCHMARK(BM_Lock_Contended)
    ->ArgName("work")
    ->Arg(1)
    ->Arg(100)
    ->ThreadRange(1, 64)
    ->UseRealTime();

void BM_StdMutex_Contended(benchmark::State& state) {
  Contended<std::mutex>(state);
}
BENCHMARK(BM_StdMutex_Contended)
    ->ArgName("work")
    ->Arg(1)
    ->Arg(100)
    ->ThreadRange(1, 64)
    ->UseRealTime();

}  // namespace
}  // namespace heddle
