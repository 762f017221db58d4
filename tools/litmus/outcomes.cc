// Reads litmus tests, a line each, and prints every outcome that the engine of
// tools/explore sees of each. See compare; the form of a line is
//
//   NAME|OPERATION;OPERATION|OPERATION        a thread between bars
//
// where an operation is "W x 1 release", "R x acquire", "X x 1 acq_rel" (an
// exchange) or "A x 1 relaxed" (an addition). An outcome is what each R, X and A
// read, in order, and then the last values of x and y.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "heddle/tools/explore/atomic.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace explore {
namespace {

struct Operation {
  char kind = 'R';
  size_t location = 0;
  int value = 0;
  std::memory_order order = std::memory_order_relaxed;
};
using Thread = std::vector<Operation>;

[[noreturn]] void Refuse(const std::string& what) {
  std::cerr << "outcomes: " << what << "\n";
  std::exit(2);
}

std::memory_order ToOrder(const std::string& word) {
  static const std::pair<const char*, std::memory_order> kOrders[] = {
      {"relaxed", std::memory_order_relaxed},
      {"acquire", std::memory_order_acquire},
      {"release", std::memory_order_release},
      {"acq_rel", std::memory_order_acq_rel},
      {"seq_cst", std::memory_order_seq_cst},
  };
  for (const auto& [name, order] : kOrders) {
    if (word == name) return order;
  }
  Refuse(absl::StrCat("'", word, "' is no memory order"));
}

Operation ToOperation(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  const bool reads_only = words[0] == "R";
  if (words.size() != (reads_only ? 3u : 4u) ||
      (words[1] != "x" && words[1] != "y")) {
    Refuse(absl::StrCat("'", text, "' is no operation"));
  }
  Operation operation;
  operation.kind = words[0][0];
  operation.location = words[1] == "x" ? 0 : 1;
  if (!reads_only && !absl::SimpleAtoi(words[2], &operation.value))
    Refuse(absl::StrCat("'", words[2], "' is no number"));
  operation.order = ToOrder(words.back());
  return operation;
}

// What a thread read, in order.
using Reads = std::array<int, 4>;

void RunThread(const Thread& thread, std::array<Atomic<int>, 2>& memory,
               Reads& reads) {
  size_t count = 0;
  for (const Operation& operation : thread) {
    Atomic<int>& location = memory[operation.location];
    switch (operation.kind) {
      case 'W':
        location.store(operation.value, operation.order);
        break;
      case 'R':
        reads[count++] = location.load(operation.order);
        break;
      case 'X':
        reads[count++] = location.exchange(operation.value, operation.order);
        break;
      default:
        reads[count++] = location.fetch_add(operation.value, operation.order);
    }
  }
}

size_t CountReads(const Thread& thread) {
  size_t count = 0;
  for (const Operation& operation : thread) count += operation.kind != 'W';
  return count;
}

// Everything, however many deviations it takes.
std::set<std::string> Outcomes(const std::vector<Thread>& threads) {
  std::set<std::string> outcomes;
  Options options;
  options.bound = 100;
  options.spurious = 0;
  options.stale_reads = 8;
  options.max_executions = 50'000'000;
  options.max_cpu_seconds = 60;
  const Result result = Explore(options, [&](Execution& run) {
    std::array<Atomic<int>, 2> memory{};
    std::array<Reads, 3> reads{};
    std::array<int, 3> running{};
    for (size_t i = 0; i < threads.size(); ++i) {
      running[i] =
          run.Start([&, i] { RunThread(threads[i], memory, reads[i]); });
    }
    for (size_t i = 0; i < threads.size(); ++i) run.Join(running[i]);
    const int x = memory[0].load();
    const int y = memory[1].load();
    const Outside outside;
    std::string outcome;
    for (size_t i = 0; i < threads.size(); ++i) {
      for (size_t j = 0; j < CountReads(threads[i]); ++j)
        absl::StrAppend(&outcome, reads[i][j], " ");
    }
    absl::StrAppend(&outcome, x, " ", y);
    outcomes.insert(outcome);
  });
  if (!result.passed()) Refuse(result.report);
  if (!result.complete) Refuse("a test is too large to be seen whole");
  return outcomes;
}

void PrintOutcomes(std::istream& in, std::ostream& out) {
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, '|');
    std::vector<Thread> threads;
    for (size_t i = 1; i < parts.size(); ++i) {
      Thread thread;
      for (const std::string& text :
           std::vector<std::string>(absl::StrSplit(parts[i], ';')))
        thread.push_back(ToOperation(text));
      if (CountReads(thread) > Reads().size())
        Refuse("too many reads: " + line);
      threads.push_back(thread);
    }
    if (threads.size() > 3) Refuse("more than three threads: " + line);
    // Explore() has prints of its own, which are not to come in between.
    const std::set<std::string> outcomes = Outcomes(threads);
    out << parts[0] << '|' << absl::StrJoin(outcomes, ";") << std::endl;
  }
}

}  // namespace
}  // namespace explore
}  // namespace heddle

int main() { heddle::explore::PrintOutcomes(std::cin, std::cout); }
