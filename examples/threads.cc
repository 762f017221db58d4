// Threads with names, a timer that is cancelled and a counter for each thread;
// prints "a-m: 13 letters, n-z: 13 letters, not late".
// Run: bazel run //examples:threads
#include <atomic>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "heddle/thread/local.h"
#include "heddle/thread/this_thread.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/timer.h"

int main() {
  std::atomic<bool> late{false};
  heddle::Timer alarm({.name = "alarm"}, absl::Hours(1),
                      [&late] { late.store(true); });
  alarm.Start();

  // Each thread counts in an int of its own, and says what it found.
  heddle::Local<int> letters;
  const auto count = [&letters](char first, char last, std::string& result) {
    for (char c = first; c <= last; ++c) ++*letters;
    result = heddle::CurrentThread().name() + ": " + std::to_string(*letters) +
             " letters";
  };
  std::string results[2];
  std::vector<heddle::Thread> threads;
  threads.push_back(
      heddle::Thread({.name = "a-m"}, count, 'a', 'm', std::ref(results[0])));
  threads.push_back(heddle::Thread({.name = "n-z", .stack_size = 256 << 10},
                                   count, 'n', 'z', std::ref(results[1])));
  for (heddle::Thread& thread : threads) thread.Start();
  for (heddle::Thread& thread : threads) thread.Join();

  alarm.Cancel();  // its thread ends at once
  alarm.Join();
  std::cout << results[0] << ", " << results[1]
            << (late.load() ? ", late\n" : ", not late\n");
}
