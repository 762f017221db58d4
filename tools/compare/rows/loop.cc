// The row `loop`: loops and maps, from a thousand cheap elements to ten million.

#include <omp.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/pool/thread_pool.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/tbb_arena.h"

namespace heddle {
namespace compare {
namespace {

// Loop(n, f) calls f(i) for all i below n. Each contender has it as a template,
// so that f is inlined where its library lets it be.

struct Serial {
  explicit Serial(int /*workers*/) {}
  template <typename F>
  void Loop(int64_t n, const F& f) {
    for (int64_t i = 0; i < n; ++i) f(i);
  }
};

class HeddleForRange {
 public:
  // The caller is one of those who work.
  explicit HeddleForRange(int workers) : pool_(std::max(1, workers - 1)) {}
  template <typename F>
  void Loop(int64_t n, const F& f) {
    pool_.ForRange(0, n, f);
  }

 private:
  ThreadPool pool_;
};

class Tbb {
 public:
  explicit Tbb(int workers) : arena_(workers, TbbArena::Caller::kWorks) {}
  template <typename F>
  void Loop(int64_t n, const F& f) {
    arena_->execute([&] {
      tbb::parallel_for(tbb::blocked_range<int64_t>(0, n),
                        [&](const tbb::blocked_range<int64_t>& range) {
                          for (int64_t i = range.begin(); i < range.end(); ++i)
                            f(i);
                        });
    });
  }

 private:
  TbbArena arena_;
};

class Gomp {
 public:
  explicit Gomp(int workers) : workers_(workers) {}
  template <typename F>
  void Loop(int64_t n, const F& f) {
#pragma omp parallel for num_threads(workers_)
    for (int64_t i = 0; i < n; ++i) f(i);
  }

 private:
  const int workers_;
};

class GompGuided {
 public:
  explicit GompGuided(int workers) : workers_(workers) {}
  template <typename F>
  void Loop(int64_t n, const F& f) {
#pragma omp parallel for num_threads(workers_) schedule(guided)
    for (int64_t i = 0; i < n; ++i) f(i);
  }

 private:
  const int workers_;
};

// Some nanoseconds of work that no compiler takes away.
double Spend(int64_t rounds) {
  double x = 1;
  for (int64_t i = 0; i < rounds; ++i) x = std::sqrt(x + 1);
  return x;
}

template <typename Contender>
void Cheap(benchmark::State& state, int workers) {
  constexpr int64_t kN = 1000;
  Contender contender(workers);
  std::vector<double> out(kN);
  for (auto _ : state) {
    contender.Loop(kN, [&](int64_t i) {
      out[static_cast<size_t>(i)] = std::sqrt(static_cast<double>(i));
    });
    benchmark::ClobberMemory();
  }
  if (!CheckSum(state, static_cast<int64_t>(out[900]), 30)) return;
  state.SetItemsProcessed(state.iterations() * kN);
}

template <typename Contender>
void Roots(benchmark::State& state, int workers) {
  constexpr int64_t kN = 10'000'000;
  Contender contender(workers);
  std::vector<double> in(kN, 16);
  std::vector<double> out(kN);
  for (auto _ : state) {
    contender.Loop(kN, [&](int64_t i) {
      out[static_cast<size_t>(i)] = std::sqrt(in[static_cast<size_t>(i)]);
    });
    benchmark::ClobberMemory();
  }
  if (!CheckSum(state, static_cast<int64_t>(out[kN - 1]), 4)) return;
  state.SetItemsProcessed(state.iterations() * kN);
}

// Element i takes i times as long as the first.
template <typename Contender>
void Skewed(benchmark::State& state, int workers) {
  constexpr int64_t kN = 2000;
  Contender contender(workers);
  std::vector<double> out(kN);
  for (auto _ : state) {
    contender.Loop(kN,
                   [&](int64_t i) { out[static_cast<size_t>(i)] = Spend(i); });
    benchmark::ClobberMemory();
  }
  if (!CheckSum(state, out[kN - 1] > 1 ? 1 : 0, 1)) return;
  state.SetItemsProcessed(state.iterations() * kN);
}

template <typename Contender>
void AddLoops(const Row& row, const std::string& name) {
  for (const int workers : {2, 4}) {
    const auto add = [&](const char* work, auto run) {
      row.Case(name, {{"loop", work}, {"workers", std::to_string(workers)}},
               [=](benchmark::State& state) { run(state, workers); });
    };
    add("1000_cheap", Cheap<Contender>);
    add("10M_roots", Roots<Contender>);
    add("skewed", Skewed<Contender>);
  }
}

// Map: a new vector of results each time. Its chunks are Python's, four for each
// worker, unless it is told otherwise.
void HeddleMap(benchmark::State& state, int workers,
               const MapOptions& options) {
  constexpr int64_t kN = 10'000'000;
  ThreadPool pool(workers);
  const std::vector<double> in(kN, 16);
  for (auto _ : state) {
    const std::vector<double> out =
        pool.Map([](double x) { return std::sqrt(x); }, in, options);
    if (!CheckSum(state, static_cast<int64_t>(out[kN - 1]), 4)) return;
  }
  state.SetItemsProcessed(state.iterations() * kN);
}
void HeddleMapDefault(benchmark::State& state, int workers) {
  HeddleMap(state, workers, {});
}
void HeddleMapSmallChunks(benchmark::State& state, int workers) {
  HeddleMap(state, workers, {.chunksize = 100'000});
}

template <typename Contender>
void MapByLoop(benchmark::State& state, int workers) {
  constexpr int64_t kN = 10'000'000;
  Contender contender(workers);
  const std::vector<double> in(kN, 16);
  for (auto _ : state) {
    std::vector<double> out(kN);
    contender.Loop(kN, [&](int64_t i) {
      out[static_cast<size_t>(i)] = std::sqrt(in[static_cast<size_t>(i)]);
    });
    if (!CheckSum(state, static_cast<int64_t>(out[kN - 1]), 4)) return;
  }
  state.SetItemsProcessed(state.iterations() * kN);
}

[[maybe_unused]] const bool registered = [] {
  const Row row("Loop",
                "Loops over an index with as many threads as there are "
                "workers, the caller among them: a thousand square roots, ten "
                "million, and 2000 elements each of which takes longer than "
                "the one before; map_10M makes a new vector of the ten million "
                "each time, in four chunks for each worker or in smaller ones. "
                "Time per element.");
  AddLoops<HeddleForRange>(row, "heddle_for_range");
  AddLoops<Tbb>(row, "tbb_parallel_for");
  AddLoops<Gomp>(row, "gomp_for");
  AddLoops<GompGuided>(row, "gomp_for_guided");
  AddLoops<Serial>(row, "std_serial");
  for (const int workers : {2, 4}) {
    const auto add = [&](const std::string& name, auto run) {
      row.Case(name,
               {{"loop", "map_10M"}, {"workers", std::to_string(workers)}},
               [=](benchmark::State& state) { run(state, workers); });
    };
    add("heddle_map", HeddleMapDefault);
    add("heddle_map_chunks_of_100k", HeddleMapSmallChunks);
    add("tbb_parallel_for", MapByLoop<Tbb>);
    add("gomp_for", MapByLoop<Gomp>);
    add("std_serial", MapByLoop<Serial>);
  }
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
