#include "heddle/examples/search_path.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>

namespace search {

int OpenPath(const std::string& path, int flags) {
  constexpr size_t kLongest = PATH_MAX - 1;
  int folder = AT_FDCWD;
  size_t begin = 0;
  const auto leave = [&folder] {
    const int error = errno;
    if (folder != AT_FDCWD) close(folder);
    errno = error;
  };
  while (path.size() - begin > kLongest) {
    // Up to a slash, and past it: what follows must not look absolute.
    const size_t slash = path.rfind('/', begin + kLongest);
    if (slash == std::string::npos || slash <= begin) break;  // ENAMETOOLONG
    const int next = openat(folder, path.substr(begin, slash - begin).c_str(),
                            O_PATH | O_DIRECTORY | O_CLOEXEC);
    leave();
    if (next < 0) return -1;
    folder = next;
    begin = path.find_first_not_of('/', slash);
    if (begin == std::string::npos) begin = path.size();
  }
  const int opened = openat(folder, path.c_str() + begin, flags | O_CLOEXEC);
  leave();
  return opened;
}

}  // namespace search
