// Two producers, three consumers, and room for ten; prints
// "2000 orders, 1999000 in all".
// Run: bazel run //examples:producer_consumer
#include <array>
#include <iostream>
#include <vector>

#include "heddle/queue/queue.h"
#include "heddle/thread/thread.h"

int main() {
  heddle::Queue<int> orders(/*maxsize=*/10);  // producers wait when it is full
  std::array<int, 3> counts = {};
  std::array<int, 3> sums = {};

  std::vector<heddle::Thread> consumers;
  for (size_t i = 0; i < 3; ++i) {
    consumers.emplace_back([&orders, &count = counts[i], &sum = sums[i]] {
      for (const int order : orders) {  // until it is shut down and empty
        ++count;
        sum += order;
        orders.TaskDone();
      }
    });
  }
  std::vector<heddle::Thread> producers;
  for (int first = 0; first < 2; ++first) {
    producers.emplace_back([&orders, first] {
      for (int order = first; order < 2000; order += 2) orders.Put(order);
    });
  }
  for (heddle::Thread& thread : consumers) thread.Start();
  for (heddle::Thread& thread : producers) thread.Start();

  for (heddle::Thread& thread : producers) thread.Join();
  orders.Join();      // each order was dealt with
  orders.Shutdown();  // the consumers' loops end
  for (heddle::Thread& thread : consumers) thread.Join();
  std::cout << counts[0] + counts[1] + counts[2] << " orders, "
            << sums[0] + sums[1] + sums[2] << " in all\n";
}
