// The introduction to Python's ThreadPool, snippet by snippet; prints
// "apply 100, map 0 1 4 9 16, unordered 0 1 4 9 16, async 400, starmap 2 12,
// callback 81, timeout yes, done".
// Run: bazel run //examples:thread_pool
#include "heddle/pool/thread_pool.h"

#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "heddle/pool/async_result.h"
#include "heddle/sync/event.h"

namespace {

int Square(int x) { return x * x; }

std::string Joined(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += " " + std::to_string(number);
  return text;
}

}  // namespace

int main() {
  heddle::ThreadPool pool(4);                      // Pool(processes=4)
  const std::vector<int> range = {0, 1, 2, 3, 4};  // range(5)

  std::cout << "apply " << pool.Apply(Square, 10);
  std::cout << ", map" << Joined(pool.Map(Square, range));

  std::vector<int> unordered;  // for i in pool.imap_unordered(f, range(5))
  for (const int x : pool.IMapUnordered(Square, range)) unordered.push_back(x);
  std::sort(unordered.begin(), unordered.end());
  std::cout << ", unordered" << Joined(unordered);

  heddle::AsyncResult<int> result = pool.ApplyAsync(Square, 20);
  std::cout << ", async " << result.Get(absl::Seconds(60));

  const std::vector<std::pair<int, int>> pairs = {{1, 2}, {3, 4}};
  std::cout << ", starmap"
            << Joined(pool.StarMap([](int a, int b) { return a * b; }, pairs));

  int told = 0;  // pool.apply_async(f, (9,), callback=...)
  pool.ApplyAsync(heddle::Callbacks{[&told](int value) { told = value; }},
                  Square, 9)
      .Wait();
  std::cout << ", callback " << told;

  heddle::Event wake;  // time.sleep(10), made short
  heddle::AsyncResult<void> slow = pool.ApplyAsync([&wake] { wake.Wait(); });
  // Get() throws TimeoutError when its limit passes; Wait() only says so.
  if (!slow.Wait(absl::Milliseconds(10))) std::cout << ", timeout yes";
  wake.Set();

  pool.Close();
  pool.Join();
  std::cout << ", done\n";
}
