// The row `ordered_queues`: items through a queue that gives out the smallest
// first, or the last that came.

#include <tbb/concurrent_priority_queue.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <stack>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender has Put() and Get(), which waits.

template <typename HeddleQueue>
class Heddle {
 public:
  void Put(int64_t item) { queue_.Put(item); }
  int64_t Get() { return *queue_.Get(); }

 private:
  HeddleQueue queue_;
};

// It cannot wait: who gets asks until there is one, and lets others run.
class TbbPriority {
 public:
  void Put(int64_t item) { queue_.push(item); }
  int64_t Get() {
    int64_t item = 0;
    while (!queue_.try_pop(item)) std::this_thread::yield();
    return item;
  }

 private:
  tbb::concurrent_priority_queue<int64_t, std::greater<>> queue_;
};

template <typename Container>
class StdMutex {
 public:
  void Put(int64_t item) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      items_.push(item);
    }
    has_items_.notify_one();
  }
  int64_t Get() {
    std::unique_lock<std::mutex> lock(mutex_);
    has_items_.wait(lock, [this] { return !items_.empty(); });
    const int64_t item = items_.top();
    items_.pop();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_items_;
  Container items_;
};

// `there` items lie in the queue all the time.
template <typename Contender>
void Transfer(benchmark::State& state, int producers, int consumers,
              int64_t there) {
  constexpr int64_t kItems = 100'000;
  Contender queue;
  // Of no order in particular, and the same for all.
  const auto item = [](int64_t i) { return (i * 7919) % 100'003; };
  for (int64_t i = 0; i < there; ++i) queue.Put(item(i));
  struct alignas(64) Count {
    int64_t value = 0;
  };
  std::vector<Count> counts(static_cast<size_t>(consumers));
  Crew crew(producers + consumers, [&](int member) {
    if (member < producers) {
      for (int64_t i = 0; i < kItems / producers; ++i) queue.Put(item(i));
      return;
    }
    int64_t& count = counts[static_cast<size_t>(member - producers)].value;
    for (int64_t i = 0; i < kItems / consumers; ++i) {
      benchmark::DoNotOptimize(queue.Get());
      ++count;
    }
  });
  crew.Round();
  for (auto _ : state) {
    for (Count& count : counts) count.value = 0;
    crew.Round();
    int64_t all = 0;
    for (const Count& count : counts) all += count.value;
    if (!CheckSum(state, all, kItems)) break;
  }
  state.SetItemsProcessed(state.iterations() * kItems);
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name,
              const std::string& order) {
  for (const auto& [producers, consumers] :
       {std::pair(1, 1), {2, 2}, {4, 4}, {1, 4}, {4, 1}}) {
    for (const int64_t there : {0, 1000}) {
      row.Case(name,
               {{"order", order},
                {"there", std::to_string(there)},
                {"threads", std::to_string(producers) + "P" +
                                std::to_string(consumers) + "C"}},
               [producers = producers, consumers = consumers,
                there](benchmark::State& state) {
                 Transfer<Contender>(state, producers, consumers, there);
               });
    }
  }
}

[[maybe_unused]] const bool registered = [] {
  const Row row(
      "OrderedQueues",
      "Numbers through a queue that gives out the smallest first (priority), "
      "or "
      "the last that came (lifo): so many producers (P) and consumers (C), "
      "with "
      "so many items `there` all the time. oneTBB's cannot wait, and is asked "
      "again and again.");
  AddCases<Heddle<PriorityQueue<int64_t>>>(row, "heddle", "priority");
  AddCases<TbbPriority>(row, "tbb", "priority");
  AddCases<StdMutex<
      std::priority_queue<int64_t, std::vector<int64_t>, std::greater<>>>>(
      row, "std_mutex", "priority");
  AddCases<Heddle<LifoQueue<int64_t>>>(row, "heddle", "lifo");
  AddCases<StdMutex<std::stack<int64_t, std::vector<int64_t>>>>(
      row, "std_mutex", "lifo");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
