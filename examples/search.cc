// Finds a word in the files of whole trees on all CPUs: a parallel grep -rnFI.
// Run: tools/bazel run -c opt //examples:search -- mutex /usr/include
//
// A lazy walk of the trees goes into Executor::Map(), and what was found comes
// out in the same order while the search goes on. `buffersize` bounds how far
// the search gets ahead of the printing, and thereby the memory: nothing grows
// with the trees.
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "heddle/examples/search_console.h"
#include "heddle/examples/search_file.h"
#include "heddle/examples/search_walk.h"
#include "heddle/futures/executor.h"
#include "heddle/futures/thread_pool_executor.h"

ABSL_FLAG(std::optional<int>, threads, std::nullopt,
          "how many threads search; by default a few more than CPUs");
ABSL_FLAG(bool, stats, false,
          "say at the end how many files, bytes, seconds and threads it took");

namespace {

using search::Console;
using search::FileMatches;
using search::FileSearcher;
using search::Walk;
using search::WalkEntry;

// grep's exit codes.
constexpr int kFound = 0;
constexpr int kNotFound = 1;
constexpr int kTrouble = 2;

constexpr char kUsage[] =
    "usage: search [--threads=N] [--stats] [--] WORD PATH...\n";

// How many files may be on their way from the walk to the output.
constexpr size_t kWindow = 256;

struct Outcome {
  bool found = false;
  bool trouble = false;  // each was told on stderr
};

// Ends the program at once, with tasks running that may have much before them:
// hence not by exit(), which destroys what they use. A reader who went away
// ends it as it ends grep, by the signal.
[[noreturn]] void EndForWriteError(Console& console, int error) {
  console.EndProgress();
  if (error == EPIPE) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  console.Warn(absl::StrCat(
      "search: write error: ", std::generic_category().message(error), "\n"));
  std::_Exit(kTrouble);
}

// What one task does.
FileMatches SearchOne(const FileSearcher& searcher, const WalkEntry& entry) {
  if (entry.error != 0)
    return {.problem = search::Problem(entry.path, entry.error)};
  return searcher.Search(entry.path, entry.is_root
                                         ? FileSearcher::kAny
                                         : FileSearcher::kRegularFiles);
}

// What the main thread does: walks, submits and prints, in turns.
Outcome SearchAll(heddle::Executor& executor, const FileSearcher& searcher,
                  Console& console, std::vector<std::string> paths) {
  Outcome outcome;
  for (const FileMatches& matches :
       executor.Map(std::bind_front(SearchOne, std::cref(searcher)),
                    Walk(std::move(paths)), {.buffersize = kWindow})) {
    if (!matches.lines.empty()) {
      outcome.found = true;
      const int error = console.Print(matches.lines);
      if (error != 0) EndForWriteError(console, error);
    }
    if (!matches.problem.empty()) {
      outcome.trouble = true;
      console.Warn(absl::StrCat("search: ", matches.problem, "\n"));
    }
  }
  return outcome;
}

Outcome Run(const std::string& word, std::vector<std::string> paths,
            std::optional<int> threads, bool stats) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [start] {
    const auto taken = std::chrono::steady_clock::now() - start;
    return std::chrono::duration<double>(taken).count();
  };
  const FileSearcher searcher(word, /*output=*/STDOUT_FILENO);
  Console console([&searcher, seconds] {
    const double mb = static_cast<double>(searcher.bytes()) / 1e6;
    return absl::StrFormat("%d files, %.1f MB, %.1f MB/s", searcher.files(), mb,
                           mb / seconds());
  });
  heddle::ThreadPoolExecutor executor =
      threads.has_value() ? heddle::ThreadPoolExecutor(*threads)
                          : heddle::ThreadPoolExecutor();
  const Outcome outcome =
      SearchAll(executor, searcher, console, std::move(paths));
  if (stats) {
    console.Warn(absl::StrFormat(
        "search: %d files, %d bytes, %.3f seconds, %d threads\n",
        searcher.files(), searcher.bytes(), seconds(), executor.max_workers()));
  }
  return outcome;
}

int UsageError(std::string_view why) {
  std::cerr << "search: " << why << "\n" << kUsage;
  return kTrouble;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string_view("--help")) {
    std::cout << kUsage;
    return 0;
  }
  // For flags that it does not like, absl/flags exits with 1, which is "not
  // found" here.
  static bool flags_are_good = false;
  std::atexit([] {
    if (!flags_are_good) std::_Exit(UsageError("cannot make sense of that"));
  });
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  flags_are_good = true;
  const std::optional<int> threads = absl::GetFlag(FLAGS_threads);
  if (threads.value_or(1) < 1) return UsageError("--threads must be 1 or more");
  if (arguments.size() < 3) return UsageError("WORD or PATH is missing");
  const std::string word = arguments[1];
  if (word.find('\n') != std::string::npos)
    return UsageError("WORD has a newline in it, and no line has");

  std::signal(SIGPIPE, SIG_IGN);  // a write error like others, up to its end
  const Outcome outcome = Run(word, {arguments.begin() + 2, arguments.end()},
                              threads, absl::GetFlag(FLAGS_stats));
  return outcome.trouble ? kTrouble : outcome.found ? kFound : kNotFound;
}
