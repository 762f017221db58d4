#include "heddle/examples/search_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "heddle/examples/search_path.h"

namespace search {
namespace {

// DT_REG and so on, as in `entry` if the file system says it there.
unsigned char TypeOf(DIR* folder, const dirent* entry) {
  if (entry->d_type != DT_UNKNOWN) return entry->d_type;
  struct stat status;
  if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return DT_REG;  // whoever opens it is told why that does not work
  return static_cast<unsigned char>(IFTODT(status.st_mode));
}

// Adds the names of the files and, with a slash, the folders in the folder that
// is open as `descriptor`, which it closes. Returns errno, or 0.
int ReadNames(int descriptor, std::vector<std::string>& names) {
  DIR* const folder = fdopendir(descriptor);
  if (folder == nullptr) {
    const int error = errno;
    close(descriptor);
    return error;
  }
  errno = 0;
  while (const dirent* const entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    switch (TypeOf(folder, entry)) {
      case DT_REG:
        names.push_back(name);
        break;
      case DT_DIR:
        names.push_back(name + "/");
        break;
    }
    errno = 0;
  }
  const int error = errno;
  closedir(folder);
  return error;
}

}  // namespace

Walk::Walk(std::vector<std::string> roots) : roots_(std::move(roots)) {
  std::reverse(roots_.begin(), roots_.end());
}

bool Walk::EnterRoot(std::string root) {
  struct stat status;
  if (stat(root.c_str(), &status) != 0) {
    entry_ = {std::move(root), /*is_root=*/true, errno};
    return true;
  }
  if (!S_ISDIR(status.st_mode)) {
    entry_ = {std::move(root), /*is_root=*/true};
    return true;
  }
  path_ = std::move(root);
  return EnterFolder(/*flags=*/0);
}

// Reads the folder at path_ and appends it to the chain.
bool Walk::EnterFolder(int flags) {
  std::vector<std::string> names;
  int error = 0;
  const int descriptor = OpenPath(path_, O_RDONLY | O_DIRECTORY | flags);
  if (descriptor < 0) {
    error = errno;
  } else {
    error = ReadNames(descriptor, names);
  }
  if (error != 0) entry_ = {path_, chain_.empty(), error};

  std::sort(names.begin(), names.end(), std::greater<>());
  path_.resize(path_.find_last_not_of('/') + 1);  // "dir//" is "dir" ...
  path_ += '/';                                   // ... and "/" is ""
  chain_.push_back({path_.size(), std::move(names)});
  return error != 0;
}

void Walk::Advance() {
  for (;;) {
    if (chain_.empty()) {
      at_end_ = roots_.empty();
      if (at_end_) return;
      std::string root = std::move(roots_.back());
      roots_.pop_back();
      if (EnterRoot(std::move(root))) return;
    } else if (Folder& folder = chain_.back(); folder.names.empty()) {
      chain_.pop_back();
    } else {
      path_.resize(folder.prefix_size);
      path_ += folder.names.back();
      folder.names.pop_back();
      if (path_.back() != '/') {
        entry_ = {path_};
        return;
      }
      path_.pop_back();
      if (EnterFolder(O_NOFOLLOW)) return;
    }
  }
}

}  // namespace search
