#include "heddle/tools/explore/internal/report.h"

#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "heddle/tools/explore/failure.h"
#include "heddle/tools/explore/internal/engine.h"

namespace heddle {
namespace explore {
namespace {

// Where the program is loaded, less where its file says it is.
uintptr_t LoadOffset() {
  uintptr_t offset = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t /*size*/, void* result) {
        // The first is the program itself.
        *static_cast<uintptr_t*>(result) = info->dlpi_addr;
        return 1;
      },
      &offset);
  return offset;
}

// The source lines of code addresses, asked of binutils' addr2line: for each
// the innermost that is not the engine's own. Without that tool: none.
std::map<const void*, std::string> LinesOf(
    const std::vector<TraceLine>& trace) {
  std::map<const void*, std::string> lines;
  char program[4096];
  const ssize_t length =
      readlink("/proc/self/exe", program, sizeof(program) - 1);
  if (length <= 0) return lines;
  program[length] = '\0';
  const uintptr_t offset = LoadOffset();
  std::string command = "addr2line -a -i -e '" + std::string(program) + "'";
  std::map<uintptr_t, const void*> places;
  for (const TraceLine& line : trace) {
    if (line.place == nullptr) continue;
    // The call, not where it returns to.
    const uintptr_t address =
        reinterpret_cast<uintptr_t>(line.place) - offset - 1;
    if (!places.emplace(address, line.place).second) continue;
    char text[32];
    std::snprintf(text, sizeof(text), " %llx",
                  static_cast<unsigned long long>(address));
    command += text;
  }
  if (places.empty()) return lines;
  FILE* const output = popen((command + " 2>/dev/null").c_str(), "r");
  if (output == nullptr) return lines;
  char text[4096];
  const void* place = nullptr;
  while (std::fgets(text, sizeof(text), output) != nullptr) {
    std::string line = text;
    if (line.rfind("0x", 0) == 0) {
      const auto found = places.find(std::strtoull(text, nullptr, 16));
      place = found == places.end() ? nullptr : found->second;
      continue;
    }
    if (place == nullptr || lines.count(place) > 0 ||
        line.find("tools/explore/var.h") != std::string::npos ||
        line.find("tools/explore/atomic.h") != std::string::npos ||
        line.find("/c++/") != std::string::npos || line[0] == '?') {
      continue;
    }
    const size_t colon = line.rfind(':');
    if (colon == std::string::npos) continue;
    lines[place] = Describe(
        Where{line.substr(0, colon).c_str(), std::atoi(&line[colon + 1])});
  }
  pclose(output);
  return lines;
}

}  // namespace

std::string Report(const Outcome& outcome, const std::string& seed,
                   int64_t executions) {
  std::string report = std::string(NameOf(outcome.kind)) + " in execution " +
                       std::to_string(executions) + ": " + outcome.text +
                       "\nseed: " + seed +
                       "  (HEDDLE_EXPLORE_REPLAY or Options::replay runs it "
                       "again)\n";
  const std::vector<TraceLine>& trace = engine.trace();
  const auto lines = LinesOf(trace);
  // Who ran into a bound on steps did the same over and over.
  constexpr size_t kMaxLines = 400;
  int thread = -1;
  for (size_t i = 0; i < trace.size(); ++i) {
    if (trace.size() > kMaxLines && i == kMaxLines / 2) {
      i = trace.size() - kMaxLines / 2;
      report += "  ...\n";
    }
    const TraceLine& line = trace[i];
    std::string where = Describe(line.where);
    if (const auto found = lines.find(line.place); found != lines.end())
      where = found->second;
    // The thread is named where it changes, which is what one looks for.
    const std::string name =
        line.thread == thread ? "" : ThreadName(line.thread);
    thread = line.thread;
    char text[700];
    std::snprintf(text, sizeof(text), "%5lld %-9s %-62s %s",
                  static_cast<long long>(line.step), name.c_str(),
                  line.text.c_str(), where.c_str());
    std::string whole = text;
    whole.erase(whole.find_last_not_of(' ') + 1);
    report += whole + "\n";
  }
  return report;
}

}  // namespace explore
}  // namespace heddle
