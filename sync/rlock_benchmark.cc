// RLock beside std::recursive_mutex and beside the Lock that is in it.

#include <cstdint>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/rlock.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace {

// An item is one lock() and its unlock(), of `depth` that are nested.
template <typename Lockable>
void LockUnlock(benchmark::State& state) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const int64_t depth = state.range(0);
  Lockable lock;
  for (auto _ : state) {
    for (int64_t i = 0; i < depth; ++i) lock.lock();
    benchmark::ClobberMemory();
    for (int64_t i = 0; i < depth; ++i) lock.unlock();
  }
  state.SetItemsProcessed(state.iterations() * depth);
}

void BM_RLock_LockUnlock(benchmark::State& state) { LockUnlock<RLock>(state); }
BENCHMARK(BM_RLock_LockUnlock)->ArgName("depth")->Arg(1)->Arg(3)->Arg(10);

void BM_StdRecursiveMutex_LockUnlock(benchmark::State& state) {
  LockUnlock<std::recursive_mutex>(state);
}
BENCHMARK(BM_StdRecursiveMutex_LockUnlock)
    ->ArgName("depth")
    ->Arg(1)
    ->Arg(3)
    ->Arg(10);

void BM_Lock_LockUnlock(benchmark::State& state) { LockUnlock<Lock>(state); }
BENCHMARK(BM_Lock_LockUnlock)->ArgName("depth")->Arg(1);

void BM_RLock_TryLockForUnlock(benchmark::State& state)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  RLock lock;
  for (auto _ : state) {
    benchmark::DoNotOptimize(lock.try_lock_for(absl::Seconds(1)));
    lock.unlock();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_RLock_TryLockForUnlock);

void BM_RLock_IsOwned(benchmark::State& state) {
  RLock lock;
  LockGuard guard(lock);
  for (auto _ : state) benchmark::DoNotOptimize(lock.is_owned());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_RLock_IsOwned);

// All threads take one lock twice; an item is one time that it was held.
template <typename Lockable>
void Contended(benchmark::State& state) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  static Lockable lock;
  static int64_t count = 0;
  for (auto _ : state) {
    lock.lock();
    lock.lock();
    benchmark::DoNotOptimize(++count);
    lock.unlock();
    lock.unlock();
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_RLock_Contended(benchmark::State& state) { Contended<RLock>(state); }
BENCHMARK(BM_RLock_Contended)->ThreadRange(1, 64)->UseRealTime();

void BM_StdRecursiveMutex_Contended(benchmark::State& state) {
  Contended<std::recursive_mutex>(state);
}
BENCHMARK(BM_StdRecursiveMutex_Contended)->ThreadRange(1, 64)->UseRealTime();

}  // namespace
}  // namespace heddle
