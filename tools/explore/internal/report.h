// Report(): what a person reads about an execution that failed.

#ifndef HEDDLE_TOOLS_EXPLORE_INTERNAL_REPORT_H_
#define HEDDLE_TOOLS_EXPLORE_INTERNAL_REPORT_H_

#include <cstdint>
#include <string>

#include "heddle/tools/explore/internal/engine.h"

namespace heddle {
namespace explore {

// What failed, the seed, and every step of the last execution, which was run
// with its trace taken down.
std::string Report(const Outcome& outcome, const std::string& seed,
                   int64_t executions);

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_INTERNAL_REPORT_H_
