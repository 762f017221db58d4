#include <cstring>
#include <string>

#include "heddle/tools/explore/failure.h"
#include "heddle/tools/explore/internal/engine.h"
#include "heddle/tools/explore/internal/memory.h"
#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {

const char* NameOf(FailureKind kind) {
  switch (kind) {
    case FailureKind::kNone:
      return "no failure";
    case FailureKind::kCheck:
      return "failed check";
    case FailureKind::kDataRace:
      return "data race";
    case FailureKind::kDeadlock:
      return "deadlock";
    case FailureKind::kLivelock:
      return "livelock";
    case FailureKind::kUseAfterDestroy:
      return "use after destroy";
    case FailureKind::kLeak:
      return "leak";
    case FailureKind::kException:
      return "exception";
    case FailureKind::kCrash:
      return "crash";
    case FailureKind::kLimit:
      return "limit of the engine";
  }
  return "?";
}

std::string ThreadName(int thread) {
  return thread == 0 ? "main" : "thread " + std::to_string(thread);
}

std::string Describe(Where where) {
  if (where.line == 0) return "";
  // Headers are compiled from wherever Bazel has put them.
  const char* file = where.file;
  for (const char* prefix; (prefix = std::strstr(file, "/heddle/")) != nullptr;)
    file = prefix + std::strlen("/heddle/");
  return std::string(file) + ":" + std::to_string(where.line);
}

std::string Describe(const Location& location) {
  std::string name = engine.NameOf(location.address);
  if (!name.empty()) return name;
  name = location.kind == Location::kAtomic ? "atomic A" : "variable V";
  name += std::to_string(location.number);
  if (location.first.line != 0) name += " (" + Describe(location.first) + ")";
  return name;
}

}  // namespace explore
}  // namespace heddle
