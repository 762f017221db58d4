// Semaphore and BoundedSemaphore beside std::counting_semaphore.

#include <cstdint>
#include <semaphore>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

class StdSemaphore {
 public:
  explicit StdSemaphore(int64_t value) : semaphore_(value) {}
  void Acquire() { semaphore_.acquire(); }
  void Release() { semaphore_.release(); }

 private:
  std::counting_semaphore<> semaphore_;
};

// An item is one unit taken and given back, of a semaphore that has `units`.
template <typename SemaphoreType>
void AcquireRelease(benchmark::State& state) {
  SemaphoreType semaphore(state.range(0));
  for (auto _ : state) {
    semaphore.Acquire();
    semaphore.Release();
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Semaphore_AcquireRelease(benchmark::State& state) {
  AcquireRelease<Semaphore>(state);
}
BENCHMARK(BM_Semaphore_AcquireRelease)->ArgName("units")->Arg(1)->Arg(100);

void BM_BoundedSemaphore_AcquireRelease(benchmark::State& state) {
  AcquireRelease<BoundedSemaphore>(state);
}
BENCHMARK(BM_BoundedSemaphore_AcquireRelease)
    ->ArgName("units")
    ->Arg(1)
    ->Arg(100);

void BM_StdSemaphore_AcquireRelease(benchmark::State& state) {
  AcquireRelease<StdSemaphore>(state);
}
BENCHMARK(BM_StdSemaphore_AcquireRelease)->ArgName("units")->Arg(1)->Arg(100);

void BM_Semaphore_AcquireWithLimitRelease(benchmark::State& state) {
  Semaphore semaphore;
  for (auto _ : state) {
    benchmark::DoNotOptimize(semaphore.Acquire(absl::Seconds(1)));
    semaphore.Release();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Semaphore_AcquireWithLimitRelease);

void BM_Semaphore_TryAcquireWithoutUnits(benchmark::State& state) {
  Semaphore semaphore(0);
  for (auto _ : state) benchmark::DoNotOptimize(semaphore.TryAcquire());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Semaphore_TryAcquireWithoutUnits);

// Two threads let each other go on in turn; an item is one Release().
template <typename SemaphoreType>
void RoundTrip(benchmark::State& state) {
  SemaphoreType there(0);
  SemaphoreType back(0);
  bool stopped = false;  // written before `there` is released
  Thread other([&] {
    for (;;) {
      there.Acquire();
      if (stopped) return;
      back.Release();
    }
  });
  other.Start();
  for (auto _ : state) {
    there.Release();
    back.Acquire();
  }
  stopped = true;
  there.Release();
  other.Join();
  state.SetItemsProcessed(2 * state.iterations());
}

void BM_Semaphore_RoundTrip(benchmark::State& state) {
  RoundTrip<Semaphore>(state);
}
BENCHMARK(BM_Semaphore_RoundTrip)->UseRealTime();

void BM_StdSemaphore_RoundTrip(benchmark::State& state) {
  RoundTrip<StdSemaphore>(state);
}
BENCHMARK(BM_StdSemaphore_RoundTrip)->UseRealTime();

// All threads take from two units; an item is one unit taken and given back.
template <typename SemaphoreType>
void Contended(benchmark::State& state) {
  static SemaphoreType semaphore(2);
  for (auto _ : state) {
    semaphore.Acquire();
    semaphore.Release();
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Semaphore_Contended(benchmark::State& state) {
  Contended<Semaphore>(state);
}
BENCHMARK(BM_Semaphore_Contended)->ThreadRange(1, 64)->UseRealTime();

void BM_StdSemaphore_Contended(benchmark::State& state) {
  Contended<StdSemaphore>(state);
}
BENCHMARK(BM_StdSemaphore_Contended)->ThreadRange(1, 64)->UseRealTime();

}  // namespace
}  // namespace heddle
