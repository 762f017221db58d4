// Squares ten numbers on a pool of threads; prints 285, the sum.
// Run: tools/bazel run //examples:hello
#include <iostream>
#include <vector>

#include "heddle/futures/thread_pool_executor.h"

int main() {
  heddle::ThreadPoolExecutor executor;
  std::vector<heddle::Future<int>> squares;
  for (int i = 0; i < 10; ++i) {
    squares.push_back(executor.Submit([i] { return i * i; }));
  }
  int sum = 0;
  for (const auto& square : squares) sum += square.Result();
  std::cout << sum << "\n";
}
