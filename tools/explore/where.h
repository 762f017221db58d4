// Where: the place in the sources that an operation under exploration is
// written at. It says so itself, through default arguments; std::source_location
// would do, but clang 14 has none.

#ifndef HEDDLE_TOOLS_EXPLORE_WHERE_H_
#define HEDDLE_TOOLS_EXPLORE_WHERE_H_

namespace heddle {
namespace explore {

struct Where {
  // REQUIRES: used as a default argument, without arguments.
  static constexpr Where Here(const char* file = __builtin_FILE(),
                              int line = __builtin_LINE()) {
    return {file, line};
  }

  const char* file = "";
  int line = 0;
};

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_WHERE_H_
