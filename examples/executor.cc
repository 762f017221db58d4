// The introduction to Python's ThreadPoolExecutor, snippet by snippet; prints
// "pow 1024, copied 4, primes 5 of 6, ring broken, nested 25, first 1, done".
// Run: bazel run //examples:executor
#include "heddle/futures/executor.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "heddle/futures/future.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/futures/wait.h"
#include "heddle/sync/event.h"

namespace {

namespace fs = std::filesystem;

int64_t Pow(int64_t base, int exponent) {
  return exponent == 0 ? 1 : base * Pow(base, exponent - 1);
}

bool IsPrime(int64_t n) {
  if (n < 2) return false;
  for (int64_t i = 2; i * i <= n; ++i) {
    if (n % i == 0) return false;
  }
  return true;
}

// with ThreadPoolExecutor(max_workers=4) as e:
//     e.submit(shutil.copy, 'src1.txt', 'dest1.txt') ...
int CopyFour(const fs::path& folder) {
  std::ofstream(folder / "source") << "text";
  {
    heddle::ThreadPoolExecutor executor(4);
    for (int i = 0; i < 4; ++i) {
      executor.Submit([&folder, i] {
        fs::copy_file(folder / "source", folder / std::to_string(i));
      });
    }
  }  // the end of `with`: all four have been copied
  int copied = 0;
  for (int i = 0; i < 4; ++i)
    copied += fs::exists(folder / std::to_string(i)) ? 1 : 0;
  return copied;
}

// def wait_on_b(): print(b.result())
// def wait_on_a(): print(a.result())
// In Python both wait for ever. Here the wait that closes the ring throws.
bool RingIsBroken() {
  heddle::Event both_are_there;
  std::optional<heddle::Future<int>> a;
  std::optional<heddle::Future<int>> b;
  heddle::ThreadPoolExecutor executor(2);
  a = executor.Submit([&] {
    both_are_there.Wait();
    return b->Result();
  });
  b = executor.Submit([&] {
    both_are_there.Wait();
    return a->Result();
  });
  both_are_there.Set();
  return a->Exception() != nullptr && b->Exception() != nullptr;
}

}  // namespace

int main() {
  // with ThreadPoolExecutor(max_workers=1) as executor:
  //     future = executor.submit(pow, 2, 10); print(future.result())
  heddle::ThreadPoolExecutor executor(1);
  std::cout << "pow " << executor.Submit(Pow, 2, 10).Result();

  const fs::path folder = fs::temp_directory_path() /
                          ("heddle_executor_" + std::to_string(getpid()));
  fs::create_directory(folder);
  std::cout << ", copied " << CopyFour(folder);
  fs::remove_all(folder);

  // for number, prime in zip(PRIMES, executor.map(is_prime, PRIMES)):
  const std::vector<int64_t> numbers = {112272535095293, 112582705942171,
                                        112272535095293, 115280095190773,
                                        115797848077099, 1099726899285419};
  int primes = 0;
  for (const bool prime : executor.Map(IsPrime, numbers)) primes += prime;
  std::cout << ", primes " << primes << " of " << numbers.size();

  std::cout << (RingIsBroken() ? ", ring broken" : ", ring unbroken");

  // def wait_on_future(): f = executor.submit(pow, 5, 2); print(f.result())
  // In Python, in a pool of one, this never ends either.
  const heddle::Future<int64_t> outer = executor.Submit(
      [&executor] { return executor.Submit(Pow, 5, 2).Result(); });
  std::cout << ", nested " << outer.Result();

  // wait(futures, return_when=FIRST_COMPLETED)
  heddle::Event never;
  const std::vector<heddle::Future<int>> futures = {
      executor.Submit([] { return 1; }), executor.Submit([&never] {
        never.Wait();
        return 2;
      })};
  const auto [done, not_done] =
      heddle::Wait(futures, heddle::ReturnWhen::kFirstCompleted);
  std::cout << ", first " << done[0].Result();
  never.Set();

  executor.Shutdown();
  std::cout << ", done\n";
}
