// The row `semaphore`: units of a semaphore, alone and between threads.

#include "heddle/sync/semaphore.h"

// By way of the queue, whose macros lightweightsemaphore.h needs.
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <semaphore.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <semaphore>
#include <string>

#include "benchmark/benchmark.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender is made with its units and has Acquire() and Release().

class Heddle {
 public:
  explicit Heddle(int units) : semaphore_(units) {}
  void Acquire() { semaphore_.Acquire(); }
  void Release() { semaphore_.Release(); }

 private:
  Semaphore semaphore_;
};

class StdCountingSemaphore {
 public:
  explicit StdCountingSemaphore(int units) : semaphore_(units) {}
  void Acquire() { semaphore_.acquire(); }
  void Release() { semaphore_.release(); }

 private:
  std::counting_semaphore<> semaphore_;
};

class PosixSem {
 public:
  explicit PosixSem(int units) {
    sem_init(&semaphore_, /*pshared=*/0, static_cast<unsigned>(units));
  }
  PosixSem(const PosixSem&) = delete;
  PosixSem& operator=(const PosixSem&) = delete;
  ~PosixSem() { sem_destroy(&semaphore_); }
  void Acquire() {
    while (sem_wait(&semaphore_) != 0 && errno == EINTR) continue;
  }
  void Release() { sem_post(&semaphore_); }

 private:
  sem_t semaphore_;
};

class ConcurrentQueueLightweight {
 public:
  explicit ConcurrentQueueLightweight(int units) : semaphore_(units) {}
  void Acquire() {
    while (!semaphore_.wait()) continue;
  }
  void Release() { semaphore_.signal(); }

 private:
  moodycamel::LightweightSemaphore semaphore_;
};

constexpr int64_t kPairs = 1000;

template <typename Contender>
void Uncontended(benchmark::State& state) {
  const OtherThread other;
  Contender semaphore(/*units=*/1);
  for (auto _ : state) {
    int64_t sum = 0;
    for (int64_t i = 0; i < kPairs; ++i) {
      semaphore.Acquire();
      benchmark::DoNotOptimize(++sum);
      semaphore.Release();
    }
    if (!CheckSum(state, sum, kPairs)) break;
  }
  state.SetItemsProcessed(state.iterations() * kPairs);
}

// Two threads let each other go on in turn. An item is one time that a thread
// let the other go.
template <typename Contender>
void PingPong(benchmark::State& state) {
  constexpr int64_t kRounds = 1000;
  Contender ping(0);
  Contender pong(0);
  int64_t sum = 0;  // of both: the semaphores say whose turn it is
  Crew crew(/*size=*/2, [&](int member) {
    Contender& mine = member == 0 ? ping : pong;
    Contender& other = member == 0 ? pong : ping;
    for (int64_t i = 0; i < kRounds; ++i) {
      if (member == 0) mine.Release();
      other.Acquire();
      ++sum;
      if (member == 1) mine.Release();
    }
  });
  crew.Round();
  for (auto _ : state) {
    sum = 0;
    crew.Round();
    if (!CheckSum(state, sum, 2 * kRounds)) break;
  }
  state.SetItemsProcessed(state.iterations() * 2 * kRounds);
}

// Two producers and two consumers with room for a few items between them. An
// item takes four operations: of `room` and of `items`, one for each side.
template <typename Contender>
void ProduceConsume(benchmark::State& state) {
  constexpr int64_t kItems = 50'000;  // of each
  constexpr int kRoom = 64;
  Contender room(kRoom);
  Contender items(0);
  struct alignas(64) Count {
    int64_t consumed = 0;
  };
  std::array<Count, 2> counts;
  Crew crew(/*size=*/4, [&](int member) {
    if (member < 2) {
      for (int64_t i = 0; i < kItems; ++i) room.Acquire(), items.Release();
      return;
    }
    Count& count = counts[static_cast<size_t>(member - 2)];
    for (int64_t i = 0; i < kItems; ++i) {
      items.Acquire();
      benchmark::DoNotOptimize(++count.consumed);
      room.Release();
    }
  });
  crew.Round();
  for (auto _ : state) {
    counts = {};
    crew.Round();
    const int64_t sum = counts[0].consumed + counts[1].consumed;
    if (!CheckSum(state, sum, 2 * kItems)) break;
  }
  state.SetItemsProcessed(state.iterations() * 2 * kItems);
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name) {
  row.Case(name, {{"scene", "uncontended"}}, Uncontended<Contender>);
  row.Case(name, {{"scene", "ping_pong"}}, PingPong<Contender>);
  row.Case(name, {{"scene", "2_producers_2_consumers"}},
           ProduceConsume<Contender>);
}

[[maybe_unused]] const bool registered = [] {
  const Row row(
      "Semaphore",
      "Take units of a semaphore and give them back. uncontended: one thread "
      "takes the only unit and gives it back, while another thread is there, "
      "asleep (in a process that has only one, glibc does without atomic "
      "instructions). ping_pong: two threads let each other go on in turn, "
      "with a semaphore each; an item is one time that one let the other go. "
      "2_producers_2_consumers: items pass through a room for 64, which two "
      "semaphores count.");
  AddCases<Heddle>(row, "heddle");
  AddCases<StdCountingSemaphore>(row, "std_counting_semaphore");
  AddCases<PosixSem>(row, "posix_sem");
  AddCases<ConcurrentQueueLightweight>(row, "concurrentqueue_lightweight");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
