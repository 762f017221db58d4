// The row `queue`: items through a first-in-first-out queue, with and without a
// bound, between several producers and consumers.

#include "heddle/queue/queue.h"

#include <concurrentqueue/blockingconcurrentqueue.h>
#include <glib.h>
#include <tbb/concurrent_queue.h>

#include <array>
#include <boost/thread/concurrent_queues/sync_bounded_queue.hpp>
#include <boost/thread/concurrent_queues/sync_queue.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender is made with its bound, 0 if it has none, and has Put() and Get(),
// which wait. A token is what a thread uses all the time, if the contender has
// such a thing.
struct NoToken {
  template <typename Contender>
  explicit NoToken(Contender&) {}
};

template <typename T>
class Heddle {
 public:
  using Token = NoToken;
  explicit Heddle(int bound) : queue_(bound) {}
  void Put(T item, Token&) { queue_.Put(std::move(item)); }
  T Get(Token&) { return *queue_.Get(); }

 private:
  Queue<T> queue_;
};

template <typename T>
class HeddleSimple {
 public:
  using Token = NoToken;
  explicit HeddleSimple(int /*bound*/) {}
  void Put(T item, Token&) { queue_.Put(std::move(item)); }
  T Get(Token&) { return *queue_.Get(); }

 private:
  SimpleQueue<T> queue_;
};

template <typename T>
class ConcurrentQueue {
 public:
  using Token = NoToken;
  explicit ConcurrentQueue(int /*bound*/) {}
  void Put(T item, Token&) { queue_.enqueue(std::move(item)); }
  T Get(Token&) {
    T item;
    queue_.wait_dequeue(item);
    return item;
  }

 private:
  moodycamel::BlockingConcurrentQueue<T> queue_;
};

template <typename T>
class ConcurrentQueueTokens {
 public:
  struct Token {
    explicit Token(ConcurrentQueueTokens& contender)
        : producer(contender.queue_), consumer(contender.queue_) {}
    moodycamel::ProducerToken producer;
    moodycamel::ConsumerToken consumer;
  };
  explicit ConcurrentQueueTokens(int /*bound*/) {}
  void Put(T item, Token& token) {
    queue_.enqueue(token.producer, std::move(item));
  }
  T Get(Token& token) {
    T item;
    queue_.wait_dequeue(token.consumer, item);
    return item;
  }

 private:
  moodycamel::BlockingConcurrentQueue<T> queue_;
};

template <typename T>
class Tbb {
 public:
  using Token = NoToken;
  explicit Tbb(int bound) {
    if (bound != 0) queue_.set_capacity(bound);
  }
  void Put(T item, Token&) { queue_.push(std::move(item)); }
  T Get(Token&) {
    T item;
    queue_.pop(item);
    return item;
  }

 private:
  tbb::concurrent_bounded_queue<T> queue_;
};

template <typename T>
class BoostSyncQueue {
 public:
  using Token = NoToken;
  explicit BoostSyncQueue(int /*bound*/) {}
  void Put(T item, Token&) { queue_.push(std::move(item)); }
  T Get(Token&) { return queue_.pull(); }

 private:
  boost::concurrent::sync_queue<T> queue_;
};

template <typename T>
class BoostSyncBoundedQueue {
 public:
  using Token = NoToken;
  explicit BoostSyncBoundedQueue(int bound)
      : queue_(static_cast<size_t>(bound)) {}
  void Put(T item, Token&) { queue_.push_back(std::move(item)); }
  T Get(Token&) {
    T item;
    queue_.pull_front(item);
    return item;
  }

 private:
  boost::concurrent::sync_bounded_queue<T> queue_;
};

// It holds pointers, so an item takes an allocation.
template <typename T>
class Glib {
 public:
  using Token = NoToken;
  explicit Glib(int /*bound*/) : queue_(g_async_queue_new()) {}
  Glib(const Glib&) = delete;
  Glib& operator=(const Glib&) = delete;
  ~Glib() { g_async_queue_unref(queue_); }
  void Put(T item, Token&) {
    g_async_queue_push(queue_, new T(std::move(item)));
  }
  T Get(Token&) {
    const std::unique_ptr<T> item(static_cast<T*>(g_async_queue_pop(queue_)));
    return std::move(*item);
  }

 private:
  GAsyncQueue* queue_;
};

template <typename T>
class StdMutexDeque {
 public:
  using Token = NoToken;
  explicit StdMutexDeque(int bound) : bound_(static_cast<size_t>(bound)) {}
  void Put(T item, Token&) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (bound_ != 0) {
        has_room_.wait(lock, [this] { return items_.size() < bound_; });
      }
      items_.push_back(std::move(item));
    }
    has_items_.notify_one();
  }
  T Get(Token&) {
    std::unique_lock<std::mutex> lock(mutex_);
    has_items_.wait(lock, [this] { return !items_.empty(); });
    T item = std::move(items_.front());
    items_.pop_front();
    lock.unlock();
    if (bound_ != 0) has_room_.notify_one();
    return item;
  }

 private:
  const size_t bound_;
  std::mutex mutex_;
  std::condition_variable has_items_;
  std::condition_variable has_room_;
  std::deque<T> items_;
};

// The items: 8 bytes, 64 bytes, and a string of 40 characters, which takes an
// allocation. Each counts as one.
struct Bytes64 {
  int64_t value;
  std::array<int64_t, 7> rest;
};

template <typename T>
T MakeItem() {
  return T(1);
}
template <>
Bytes64 MakeItem<Bytes64>() {
  return {1, {}};
}
template <>
std::string MakeItem<std::string>() {
  return std::string(40, 'x');
}

int64_t Value(int64_t item) { return item; }
int64_t Value(const Bytes64& item) { return item.value; }
int64_t Value(const std::string& item) { return item.size() == 40 ? 1 : 0; }

template <typename T, template <typename> typename Contender>
void Transfer(benchmark::State& state, int producers, int consumers, int bound,
              int64_t items) {
  Contender<T> queue(bound);
  struct alignas(64) Sum {
    int64_t value = 0;
  };
  std::vector<Sum> sums(static_cast<size_t>(consumers));
  Crew crew(producers + consumers, [&](int member) {
    typename Contender<T>::Token token(queue);
    if (member < producers) {
      for (int64_t i = 0; i < items / producers; ++i) {
        queue.Put(MakeItem<T>(), token);
      }
      return;
    }
    int64_t& sum = sums[static_cast<size_t>(member - producers)].value;
    for (int64_t i = 0; i < items / consumers; ++i) {
      sum += Value(queue.Get(token));
    }
  });
  crew.Round();
  for (auto _ : state) {
    for (Sum& sum : sums) sum.value = 0;
    crew.Round();
    int64_t all = 0;
    for (const Sum& sum : sums) all += sum.value;
    if (!CheckSum(state, all, items)) break;
  }
  state.SetItemsProcessed(state.iterations() * items);
}

// How long it takes from Put() until a consumer that slept has the item.
template <template <typename> typename Contender>
void HandOff(benchmark::State& state, int bound) {
  using Clock = std::chrono::steady_clock;
  Contender<int64_t> there(bound);
  Contender<int64_t> back(bound);
  Clock::time_point arrived;
  std::thread consumer([&] {
    typename Contender<int64_t>::Token there_token(there);
    typename Contender<int64_t>::Token back_token(back);
    while (there.Get(there_token) != 0) {
      arrived = Clock::now();
      back.Put(1, back_token);
    }
  });
  {
    typename Contender<int64_t>::Token there_token(there);
    typename Contender<int64_t>::Token back_token(back);
    for (auto _ : state) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const Clock::time_point put = Clock::now();
      there.Put(1, there_token);
      if (!CheckSum(state, back.Get(back_token), 1)) break;
      state.SetIterationTime(
          std::chrono::duration<double>(arrived - put).count());
    }
    there.Put(0, there_token);
  }
  consumer.join();
  state.SetItemsProcessed(state.iterations());
}

constexpr int kBound = 1024;

template <typename T, template <typename> typename Contender>
void AddTransfers(const Row& row, const std::string& name, bool bounded,
                  const std::string& item) {
  // Items are a multiple of every number of threads. Fewer for strings.
  const int64_t items = item == "8" ? 400'000 : 200'000;
  std::vector<std::pair<int, int>> threads = {{1, 1}, {2, 2}, {4, 4}};
  if (item == "8") threads.insert(threads.end(), {{1, 4}, {4, 1}, {8, 8}});
  for (const auto& [producers, consumers] : threads) {
    row.Case(name,
             {{"bound", bounded ? "1024" : "none"},
              {"item", item},
              {"threads", std::to_string(producers) + "P" +
                              std::to_string(consumers) + "C"}},
             [producers = producers, consumers = consumers, bounded,
              items](benchmark::State& state) {
               Transfer<T, Contender>(state, producers, consumers,
                                      bounded ? kBound : 0, items);
             });
  }
}

template <template <typename> typename Contender>
void AddCases(const Row& row, const std::string& name, bool bounded) {
  AddTransfers<int64_t, Contender>(row, name, bounded, "8");
  AddTransfers<Bytes64, Contender>(row, name, bounded, "64");
  AddTransfers<std::string, Contender>(row, name, bounded, "string");
  // Each takes a millisecond more than is measured.
  constexpr int64_t kHandOffs = 200;
  row.TimedCase(name,
                {{"bound", bounded ? "1024" : "none"},
                 {"item", "8"},
                 {"threads", "hand_off"}},
                [bounded](benchmark::State& state) {
                  HandOff<Contender>(state, bounded ? kBound : 0);
                })
      ->Iterations(kHandOffs);
}

[[maybe_unused]] const bool registered = [] {
  const Row row(
      "Queue",
      "Items through a queue that is first in, first out, with calls that "
      "wait: "
      "so many producers (P) and consumers (C), with items of 8 and 64 bytes "
      "and "
      "strings of 40 characters, without a bound and with one of 1024. "
      "moodycamel's is in order for each producer only. hand_off: from Put "
      "until "
      "a consumer that slept has the item.");
  AddCases<Heddle>(row, "heddle", false);
  AddCases<HeddleSimple>(row, "heddle_simple", false);
  AddCases<ConcurrentQueue>(row, "concurrentqueue", false);
  AddCases<ConcurrentQueueTokens>(row, "concurrentqueue_tokens", false);
  AddCases<Tbb>(row, "tbb", false);
  AddCases<BoostSyncQueue>(row, "boost_sync_queue", false);
  AddCases<Glib>(row, "glib", false);
  AddCases<StdMutexDeque>(row, "std_mutex_deque", false);
  AddCases<Heddle>(row, "heddle", true);
  AddCases<Tbb>(row, "tbb", true);
  AddCases<BoostSyncBoundedQueue>(row, "boost_sync_bounded_queue", true);
  AddCases<StdMutexDeque>(row, "std_mutex_deque", true);
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
