#include "heddle/thread/internal/thread_name.h"

#include <pthread.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace heddle {
namespace internal {

std::string_view CutToSystemName(std::string_view name) {
  name = name.substr(0, name.find('\0'));
  if (name.size() <= kSystemNameSize) return name;
  const auto continues = [name](size_t at) {
    return (static_cast<unsigned char>(name[at]) & 0xC0U) == 0x80U;
  };
  size_t end = kSystemNameSize;
  // A sequence has at most three bytes after its first; what has more is no
  // UTF-8 and is cut anywhere.
  while (end > kSystemNameSize - 3 && continues(end)) --end;
  if (continues(end)) end = kSystemNameSize;
  return name.substr(0, end);
}

void SetSystemName(std::string_view name) {
  const std::string_view cut = CutToSystemName(name);
  char text[kSystemNameSize + 1] = {};
  cut.copy(text, cut.size());
#if defined(__APPLE__)
  static_cast<void>(pthread_setname_np(text));
#else
  static_cast<void>(pthread_setname_np(pthread_self(), text));
#endif
}

std::string SystemName() {
  char name[64] = "";
  if (pthread_getname_np(pthread_self(), name, sizeof(name)) != 0) return "";
  return name;
}

}  // namespace internal
}  // namespace heddle
