// CatchCrashes(): makes a signal that would end the program in the middle of an
// execution a failure of that execution, with a seed and a trace as any other.

#ifndef HEDDLE_TOOLS_EXPLORE_INTERNAL_RUNTIME_H_
#define HEDDLE_TOOLS_EXPLORE_INTERNAL_RUNTIME_H_

namespace heddle {
namespace explore {

// Does nothing the second time.
void CatchCrashes();

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_INTERNAL_RUNTIME_H_
