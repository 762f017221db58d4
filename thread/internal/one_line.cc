#include "heddle/thread/internal/one_line.h"

#include <string>
#include <string_view>

namespace heddle {
namespace internal {

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    switch (c) {
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      case '\0':
        line += "\\0";
        break;
      default:
        line += c;
    }
  }
  return line;
}

}  // namespace internal
}  // namespace heddle
