// How those who wait fare while other threads compute on every processor, beside
// the same made of a mutex and a condition variable, which sleep at once; prints
// what it measured and, last, how many of the targets are met.
// Run: bazel run -c opt //tools/abuse:busy

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "heddle/queue/queue.h"
#include "heddle/sync/barrier.h"

namespace {

using SteadyClock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

class PlainQueue {
 public:
  void Put(int item) {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      items_.push_back(item);
    }
    changed_.notify_one();
  }
  int Get() {
    std::unique_lock<std::mutex> guard(mutex_);
    changed_.wait(guard, [this] { return !items_.empty(); });
    const int item = items_.front();
    items_.pop_front();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int> items_;
};

class HeddleQueue {
 public:
  void Put(int item) { queue_.Put(item); }
  int Get() { return queue_.Get().value_or(0); }

 private:
  heddle::Queue<int> queue_;
};

class PlainBarrier {
 public:
  explicit PlainBarrier(int parties) : parties_(parties) {}
  void Wait() {
    std::unique_lock<std::mutex> guard(mutex_);
    const int meeting = meeting_;
    if (++waiting_ == parties_) {
      waiting_ = 0;
      ++meeting_;
      met_.notify_all();
      return;
    }
    met_.wait(guard, [&] { return meeting_ != meeting; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable met_;
  const int parties_;
  int waiting_ = 0;
  int meeting_ = 0;
};

// Until a thread that waits has an item: the median, in microseconds.
template <typename Queue>
double HandOff() {
  Queue queue;
  Queue back;
  SteadyClock::time_point arrived;
  std::thread consumer([&] {
    while (queue.Get() != 0) {
      arrived = SteadyClock::now();
      back.Put(1);
    }
  });
  std::vector<double> took;
  for (int i = 0; i < 300; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto put = SteadyClock::now();
    queue.Put(1);
    static_cast<void>(back.Get());
    took.push_back(Microseconds(arrived - put).count());
  }
  queue.Put(0);
  consumer.join();
  const auto middle =
      took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2);
  std::nth_element(took.begin(), middle, took.end());
  return *middle;
}

// A meeting of four threads, in microseconds.
template <typename Barrier>
double Meeting() {
  constexpr int kParties = 4;
  constexpr int kMeetings = 500;
  Barrier barrier(kParties);
  std::vector<std::thread> threads;
  const auto begin = SteadyClock::now();
  for (int i = 0; i < kParties; ++i) {
    threads.emplace_back([&] {
      for (int meeting = 0; meeting < kMeetings; ++meeting) barrier.Wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return Microseconds(SteadyClock::now() - begin).count() / kMeetings;
}

int met = 0;
int targets = 0;

// In turns, because the machine has other things to do.
template <typename Ours, typename Theirs>
void Compare(const char* what, Ours ours, Theirs theirs) {
  constexpr double kTimes = 2;
  double best_ratio = 0;
  for (int round = 0; round < 3; ++round) {
    const double our = ours();
    const double their = theirs();
    best_ratio = round == 0 ? our / their : std::min(best_ratio, our / their);
    absl::PrintF("%s: %.0f us, with a condition variable %.0f us, %.2f\n", what,
                 our, their, our / their);
  }
  const bool is_met = best_ratio <= kTimes;
  ++targets;
  if (is_met) ++met;
  absl::PrintF("  %s: %s in %.0f times as long, or less\n",
               is_met ? "met" : "MISSED", what, kTimes);
}

}  // namespace

int main() {
  std::atomic<bool> over{false};
  std::vector<std::thread> computing(
      std::max(1u, std::thread::hardware_concurrency()));
  for (std::thread& thread : computing) {
    thread = std::thread([&over] {
      while (!over.load(std::memory_order_relaxed)) {
      }
    });
  }
  Compare("a hand-off through a Queue", HandOff<HeddleQueue>,
          HandOff<PlainQueue>);
  Compare("a meeting in a Barrier", Meeting<heddle::Barrier>,
          Meeting<PlainBarrier>);
  over = true;
  for (std::thread& thread : computing) thread.join();
  absl::PrintF("%d of %d\n", met, targets);
  return met == targets ? 0 : 1;
}
