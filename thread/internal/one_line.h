// OneLine(): a user's text where it stands in a line of ours.

#ifndef HEDDLE_THREAD_INTERNAL_ONE_LINE_H_
#define HEDDLE_THREAD_INTERNAL_ONE_LINE_H_

#include <string>
#include <string_view>

namespace heddle {
namespace internal {

// `text` with each newline in it written as \n, a carriage return as \r, and a
// NUL as \0: logs are read by line, and a C string ends at a NUL.
std::string OneLine(std::string_view text);

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_ONE_LINE_H_
