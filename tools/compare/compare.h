// What every row of tools/compare is made of.
//
// A row is one piece of work; a case is one contender that does it. All cases
// of a row are in one binary, so that Google Benchmark can shuffle their
// repetitions, and are named BM_<work>/<contender>/<name>:<value>/..., which is
// what table.py reads: the contender up to its first underscore is its name in
// peers.txt, and cases that differ in no parameter but `n` are compared.
//
// Example:
//
//   void LockUnlock(benchmark::State& state) {
//     Lock lock;
//     for (auto _ : state) lock.lock(), lock.unlock();
//     state.SetItemsProcessed(state.iterations());
//   }
//   [[maybe_unused]] const bool registered = [] {
//     const Row row("Lock", "Takes and releases a lock that nobody wants.");
//     row.Case("heddle", {{"outside", "none"}}, LockUnlock);
//     row.Case("std_mutex", {{"outside", "none"}}, StdLockUnlock);
//     return true;
//   }();
//
// Thread safety: made for the initialization of a row's statics.

#ifndef HEDDLE_TOOLS_COMPARE_COMPARE_H_
#define HEDDLE_TOOLS_COMPARE_COMPARE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

namespace heddle {
namespace compare {

// Names and values, in the order in which they are shown. `n` is the number of
// items in one iteration; contenders may differ in it, and the table says so.
// Neither has a slash, a colon or a blank.
using Parameters = std::vector<std::pair<std::string, std::string>>;

class Row {
 public:
  // `work` in CamelCase. `description`: a sentence or two, for the table.
  Row(std::string work, const std::string& description);

  // Adds a case, timed by the clock on the wall. `body` sets the items that it
  // processed; the table has the time of one. What Google Benchmark offers
  // (threads, counters) is there on the returned object.
  benchmark::internal::Benchmark* Case(
      const std::string& contender, const Parameters& parameters,
      std::function<void(benchmark::State&)> body) const;

  // As Case(), but `body` times itself, with SetIterationTime().
  benchmark::internal::Benchmark* TimedCase(
      const std::string& contender, const Parameters& parameters,
      std::function<void(benchmark::State&)> body) const;

  // Adds a case that runs rows/<script> in Debian's CPython, with
  // --<name>=<value> for each parameter, once per iteration. The script does
  // the work, checks it, times it without its own start, and prints the seconds
  // and the number of items.
  benchmark::internal::Benchmark* PythonCase(const std::string& contender,
                                             const Parameters& parameters,
                                             const std::string& script) const;

 private:
  benchmark::internal::Benchmark* Add(
      const std::string& contender, const Parameters& parameters,
      std::function<void(benchmark::State&)> body) const;

  const std::string work_;
};

// Call it in the loop, with what the work came to: each contender must have
// done all of it. After a false, leave the loop: the case has failed, and with
// it the run.
[[nodiscard]] bool CheckSum(benchmark::State& state, int64_t sum,
                            int64_t expected);

}  // namespace compare
}  // namespace heddle

#endif  // HEDDLE_TOOLS_COMPARE_COMPARE_H_
