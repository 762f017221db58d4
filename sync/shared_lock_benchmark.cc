// SharedLock beside std::shared_mutex.

#include <cstdint>
#include <shared_mutex>

#include "absl/base/thread_annotations.h"
#include "benchmark/benchmark.h"
#include "heddle/sync/shared_lock.h"

namespace heddle {
namespace {

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

void BM_SharedLock_LockUnlock(benchmark::State& state) {
  LockUnlock<SharedLock>(state);
}
BENCHMARK(BM_SharedLock_LockUnlock);

void BM_StdSharedMutex_LockUnlock(benchmark::State& state) {
  LockUnlock<std::shared_mutex>(state);
}
BENCHMARK(BM_StdSharedMutex_LockUnlock);

// All threads read, but of a hundred times `writes` they write; an item is one
// time that the lock was held.
template <typename Lockable>
void ReadAndWrite(benchmark::State& state) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  static Lockable lock;
  static int64_t count = 0;
  const int64_t writes = state.range(0);
  int64_t due = 0;  // in hundredths of a writing
  for (auto _ : state) {
    if ((due += writes) >= 100) {
      due -= 100;
      lock.lock();
      benchmark::DoNotOptimize(++count);
      lock.unlock();
    } else {
      lock.lock_shared();
      int64_t seen = count;
      benchmark::DoNotOptimize(seen);
      lock.unlock_shared();
    }
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_SharedLock_ReadAndWrite(benchmark::State& state) {
  ReadAndWrite<SharedLock>(state);
}
BENCHMARK(BM_SharedLock_ReadAndWrite)
    ->ArgName("writes")
    ->Arg(0)
    ->Arg(10)
    ->ThreadRange(1, 64)
    ->UseRealTime();

void BM_StdSharedMutex_ReadAndWrite(benchmark::State& state) {
  ReadAndWrite<std::shared_mutex>(state);
}
BENCHMARK(BM_StdSharedMutex_ReadAndWrite)
    ->ArgName("writes")
    ->Arg(0)
    ->Arg(10)
    ->ThreadRange(1, 64)
    ->UseRealTime();

}  // namespace
}  // namespace heddle
