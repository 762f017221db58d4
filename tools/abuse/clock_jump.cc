// Whether waits keep to their time while the wall clock jumps and signals come
// in; prints the largest error and, last, how many of the waits were right.
// tools/abuse/clock runs it under a wall clock that jumps.

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLimit{100};
// Twenty milliseconds are the target; a machine that has others to serve may
// run a thread late by as much again.
constexpr double kToleratedMs = 20;

// Waits in vain, each for kLimit.
std::vector<std::pair<const char*, std::function<bool()>>> Waits() {
  const heddle::WaitLimit limit(absl::FromChrono(kLimit));
  return {
      {"Event", [limit] { return heddle::Event().Wait(limit); }},
      {"Semaphore", [limit] { return heddle::Semaphore(0).Acquire(limit); }},
      {"Condition",
       [limit] {
         heddle::Condition condition;
         heddle::LockGuard guard(condition);
         return condition.Wait(limit);
       }},
      {"Lock::try_lock_for",
       []() ABSL_NO_THREAD_SAFETY_ANALYSIS {
         heddle::Lock lock;
         lock.lock();
         return lock.try_lock_for(kLimit);
       }},
      {"Lock::try_lock_until",
       []() ABSL_NO_THREAD_SAFETY_ANALYSIS {
         heddle::Lock lock;
         lock.lock();
         return lock.try_lock_until(SteadyClock::now() + kLimit);
       }},
  };
}

}  // namespace

int main() {
  // Ten thousand signals a second, or as many as get through.
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);  // without SA_RESTART
  const pthread_t waiter = pthread_self();
  std::atomic<bool> over{false};
  std::thread storm([&] {
    while (!over.load()) {
      pthread_kill(waiter, SIGUSR1);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });

  int right = 0;
  int waits = 0;
  int jumps = 0;
  double worst = 0;
  for (int round = 0; round < 20; ++round) {
    for (const auto& [name, wait] : Waits()) {
      const auto wall_begun = std::chrono::system_clock::now();
      const auto begun = SteadyClock::now();
      const bool woken = wait();
      const std::chrono::duration<double, std::milli> taken =
          SteadyClock::now() - begun;
      const double error = taken.count() - static_cast<double>(kLimit.count());
      const auto wall_taken = std::chrono::system_clock::now() - wall_begun;
      if (std::chrono::abs(wall_taken) > std::chrono::minutes(1)) ++jumps;
      worst = std::max(worst, std::abs(error));
      ++waits;
      if (!woken && error >= 0 && error <= kToleratedMs) {
        ++right;
      } else {
        absl::PrintF("%s: %s after %.1f ms\n", name, woken ? "woken" : "ended",
                     taken.count());
      }
    }
  }
  over = true;
  storm.join();
  absl::PrintF("the wall clock jumped in %d waits; largest error %.1f ms\n",
               jumps, worst);
  absl::PrintF("%d of %d\n", right, waits);
  return right == waits ? 0 : 1;
}
