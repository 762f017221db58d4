// The row `barrier`: threads that meet again and again.

#include "heddle/sync/barrier.h"

#include <pthread.h>

#include <atomic>
#include <barrier>
#include <boost/thread/barrier.hpp>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender is made for so many threads and has Wait().

class Heddle {
 public:
  explicit Heddle(int threads) : barrier_(threads) {}
  void Wait() { barrier_.Wait(); }

 private:
  Barrier barrier_;
};

class StdBarrier {
 public:
  explicit StdBarrier(int threads) : barrier_(threads) {}
  void Wait() { barrier_.arrive_and_wait(); }

 private:
  std::barrier<> barrier_;
};

class BoostBarrier {
 public:
  explicit BoostBarrier(int threads)
      : barrier_(static_cast<unsigned>(threads)) {}
  void Wait() { barrier_.count_down_and_wait(); }

 private:
  boost::barrier barrier_;
};

class PosixBarrier {
 public:
  explicit PosixBarrier(int threads) {
    pthread_barrier_init(&barrier_, nullptr, static_cast<unsigned>(threads));
  }
  PosixBarrier(const PosixBarrier&) = delete;
  PosixBarrier& operator=(const PosixBarrier&) = delete;
  ~PosixBarrier() { pthread_barrier_destroy(&barrier_); }
  void Wait() { pthread_barrier_wait(&barrier_); }

 private:
  pthread_barrier_t barrier_;
};

// In each meeting a thread must find that its neighbour came at least as far.
// An item is one meeting of all.
template <typename Contender>
void Meet(benchmark::State& state, int threads) {
  constexpr int64_t kMeetings = 1000;
  struct alignas(64) Place {
    std::atomic<int64_t> meeting{0};
    int64_t seen = 0;
  };
  std::vector<Place> places(static_cast<size_t>(threads));
  Contender barrier(threads);
  Crew crew(threads, [&](int member) {
    Place& mine = places[static_cast<size_t>(member)];
    const Place& next = places[static_cast<size_t>((member + 1) % threads)];
    int64_t seen = 0;
    for (int64_t i = 1; i <= kMeetings; ++i) {
      // relaxed: it is the barrier that must order them.
      mine.meeting.store(i, std::memory_order_relaxed);
      barrier.Wait();
      const int64_t there = next.meeting.load(std::memory_order_relaxed);
      if (there == i || there == i + 1) ++seen;
    }
    mine.seen = seen;
  });
  crew.Round();
  for (auto _ : state) {
    crew.Round();
    const int64_t sum = std::accumulate(
        places.begin(), places.end(), int64_t{0},
        [](int64_t before, const Place& place) { return before + place.seen; });
    if (!CheckSum(state, sum, threads * kMeetings)) break;
  }
  state.SetItemsProcessed(state.iterations() * kMeetings);
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name) {
  for (const int threads : {2, 4}) {
    row.Case(name, {{"threads", std::to_string(threads)}},
             [threads](benchmark::State& state) {
               Meet<Contender>(state, threads);
             });
  }
}

[[maybe_unused]] const bool registered = [] {
  const Row row("Barrier",
                "Threads meet at a barrier, again and again, with no work in "
                "between but to look whether a neighbour has come as far; an "
                "item is one meeting of all.");
  AddCases<Heddle>(row, "heddle");
  AddCases<StdBarrier>(row, "std_barrier");
  AddCases<BoostBarrier>(row, "boost_barrier");
  AddCases<PosixBarrier>(row, "posix_barrier");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
