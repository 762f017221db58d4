// The row `condition`: waiting for a condition variable and being notified.

#include "heddle/sync/condition.h"

#include <boost/thread/condition_variable.hpp>
#include <boost/thread/mutex.hpp>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <type_traits>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "heddle/sync/lock.h"
#include "heddle/tools/compare/compare.h"
#include "heddle/tools/compare/crew.h"

namespace heddle {
namespace compare {
namespace {

// A contender is a Monitor: a lock with two conditions. Locked(f) calls f with
// the lock held; there, Wait(which, predicate), NotifyOne(which) and
// NotifyAll(which) can be called, of which the last two come just before it ends.

class Heddle {
 public:
  template <typename F>
  void Locked(F f) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock_.lock();
    f();
    lock_.unlock();
  }
  template <typename Predicate>
  void Wait(int which, Predicate predicate) {
    conditions_[which].WaitFor(predicate);
  }
  void NotifyOne(int which) { conditions_[which].Notify(); }
  void NotifyAll(int which) { conditions_[which].NotifyAll(); }

 private:
  Lock lock_;
  Condition conditions_[2] = {Condition(lock_), Condition(lock_)};
};

template <typename Mutex, typename UniqueLock, typename ConditionVariable>
class Standard {
 public:
  template <typename F>
  void Locked(F f) {
    const UniqueLock hold(mutex_);
    f();
  }
  template <typename Predicate>
  void Wait(int which, Predicate predicate) {
    UniqueLock hold = Adopt();
    conditions_[which].wait(hold, predicate);
    hold.release();
  }
  void NotifyOne(int which) { conditions_[which].notify_one(); }
  void NotifyAll(int which) { conditions_[which].notify_all(); }

 private:
  UniqueLock Adopt() {
    if constexpr (std::is_same_v<Mutex, std::mutex>) {
      return UniqueLock(mutex_, std::adopt_lock);
    } else {
      return UniqueLock(mutex_, boost::adopt_lock);
    }
  }

  Mutex mutex_;
  ConditionVariable conditions_[2];
};

using StdConditionVariable =
    Standard<std::mutex, std::unique_lock<std::mutex>, std::condition_variable>;
using BoostConditionVariable =
    Standard<boost::mutex, boost::unique_lock<boost::mutex>,
             boost::condition_variable>;

class AbslCondVar {
 public:
  template <typename F>
  void Locked(F f) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    mutex_.Lock();
    f();
    mutex_.Unlock();
  }
  template <typename Predicate>
  void Wait(int which, Predicate predicate) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    while (!predicate()) conditions_[which].Wait(&mutex_);
  }
  void NotifyOne(int which) { conditions_[which].Signal(); }
  void NotifyAll(int which) { conditions_[which].SignalAll(); }

 private:
  absl::Mutex mutex_;
  absl::CondVar conditions_[2];
};

// Two threads take turns, each with a condition of its own. An item is one turn.
template <typename Contender>
void PingPong(benchmark::State& state) {
  constexpr int64_t kTurns = 1000;  // of each
  Contender monitor;
  int64_t turns = 0;  // the member whose turn it is: turns % 2
  int64_t sum = 0;
  Crew crew(/*size=*/2, [&](int member) {
    for (int64_t i = 0; i < kTurns; ++i) {
      monitor.Locked([&] {
        monitor.Wait(member, [&] { return turns % 2 == member; });
        sum += member;
        ++turns;
        monitor.NotifyOne(1 - member);
      });
    }
  });
  crew.Round();
  for (auto _ : state) {
    sum = 0;
    crew.Round();
    if (!CheckSum(state, sum, kTurns)) break;
  }
  state.SetItemsProcessed(state.iterations() * 2 * kTurns);
}

// One thread notifies eight that wait, all of which must come by before it does
// so again. An item is one time that all were notified.
template <typename Contender>
void NotifyAllOf8(benchmark::State& state) {
  constexpr int64_t kTimes = 200;
  constexpr int kWaiters = 8;
  enum { kBegun, kAllThere };
  Contender monitor;
  int64_t begun = 0;
  int64_t there = kWaiters;
  int64_t sum = 0;
  Crew crew(/*size=*/1 + kWaiters, [&](int member) {
    int64_t seen = 0;
    for (int64_t i = 0; i < kTimes; ++i) {
      monitor.Locked([&] {
        if (member == 0) {
          monitor.Wait(kAllThere, [&] { return there == kWaiters; });
          there = 0;
          ++begun;
          monitor.NotifyAll(kBegun);
        } else {
          monitor.Wait(kBegun, [&] { return begun > seen; });
          seen = begun;
          ++sum;
          if (++there == kWaiters) monitor.NotifyOne(kAllThere);
        }
      });
    }
  });
  auto round = [&] {
    begun = 0;
    there = kWaiters;
    sum = 0;
    crew.Round();
  };
  round();
  for (auto _ : state) {
    round();
    if (!CheckSum(state, sum, kTimes * kWaiters)) break;
  }
  state.SetItemsProcessed(state.iterations() * kTimes);
}

template <typename Contender>
void AddCases(const Row& row, const std::string& name) {
  row.Case(name, {{"scene", "ping_pong"}}, PingPong<Contender>);
  row.Case(name, {{"scene", "notify_all_of_8"}}, NotifyAllOf8<Contender>);
}

[[maybe_unused]] const bool registered = [] {
  const Row row(
      "Condition",
      "Wait for a condition variable until another thread notifies, which it "
      "does while it holds the lock. ping_pong: two threads take turns; an "
      "item is one turn. notify_all_of_8: one thread notifies eight, and again "
      "as soon as all of them had the lock; an item is one such time.");
  AddCases<Heddle>(row, "heddle");
  AddCases<StdConditionVariable>(row, "std_condition_variable");
  AddCases<BoostConditionVariable>(row, "boost_condition_variable");
  AddCases<AbslCondVar>(row, "absl_cond_var");
  return true;
}();

}  // namespace
}  // namespace compare
}  // namespace heddle
