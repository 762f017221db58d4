#include "heddle/thread/internal/thread_name.h"

#include <pthread.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace heddle {
namespace internal {

namespace {

// The first bytes of `name`, at most `size`, and no part of a UTF-8 sequence
// that does not fit.
std::string_view CutTo(std::string_view name, size_t size) {
  if (name.size() <= size) return name;
  const auto continues = [name](size_t at) {
    return (static_cast<unsigned char>(name[at]) & 0xC0U) == 0x80U;
  };
  // A sequence has at most three bytes after its first; what has more is no
  // UTF-8 and is cut anywhere.
  size_t end = size;
  while (end > 0 && size - end < 3 && continues(end)) --end;
  if (continues(end)) end = size;
  return name.substr(0, end);
}

// How long the end of `name` is that is a number, or several, each after a '-'
// or '_', and leaves space for a beginning.
size_t SizeOfNumber(std::string_view name) {
  constexpr size_t kLongest = kSystemNameSize - 3;
  size_t size = 0;
  for (size_t at = name.size(); at > 0;) {
    const size_t digits_end = at;
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') --at;
    if (at == digits_end || at == 0) break;
    --at;
    if ((name[at] != '-' && name[at] != '_') || name.size() - at > kLongest)
      break;
    size = name.size() - at;
  }
  return size;
}

}  // namespace

std::string CutToSystemName(std::string_view name) {
  name = name.substr(0, name.find('\0'));
  if (name.size() <= kSystemNameSize) return std::string(name);
  const size_t number = SizeOfNumber(name);
  const std::string_view prefix = name.substr(0, name.size() - number);
  std::string cut(CutTo(prefix, kSystemNameSize - number));
  return cut.append(name.substr(name.size() - number));
}

void SetSystemName(std::string_view name) {
  // Allocates nothing: it is short enough to be kept in the string itself.
  const std::string text = CutToSystemName(name);
#if defined(__APPLE__)
  static_cast<void>(pthread_setname_np(text.c_str()));
#else
  static_cast<void>(pthread_setname_np(pthread_self(), text.c_str()));
#endif
}

std::string SystemName() {
  char name[64] = "";
  if (pthread_getname_np(pthread_self(), name, sizeof(name)) != 0) return "";
  return name;
}

}  // namespace internal
}  // namespace heddle
