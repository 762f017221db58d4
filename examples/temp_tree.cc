#include "heddle/examples/temp_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace examples {
namespace {

void Check(bool done, const std::string& what) {
  if (done) return;
  std::perror(what.c_str());
  std::abort();
}

void WriteFile(int folder, const std::string& path, std::string_view content) {
  const int file =
      openat(folder, path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  Check(file >= 0, path);
  while (!content.empty()) {
    const ssize_t n = write(file, content.data(), content.size());
    Check(n > 0, path);
    content.remove_prefix(static_cast<size_t>(n));
  }
  close(file);
}

}  // namespace

TempTree::TempTree() {
  const char* const folder = std::getenv("TEST_TMPDIR");
  root_ = std::string(folder != nullptr ? folder : "/tmp") + "/tree.XXXXXX";
  Check(mkdtemp(root_.data()) != nullptr, root_);
}

TempTree::~TempTree() {
  const std::string command =
      "chmod -R u+rwX '" + root_ + "'; exec rm -rf '" + root_ + "'";
  Check(std::system(command.c_str()) == 0, "rm");
}

std::string TempTree::operator/(std::string_view path) const {
  return root_ + "/" + std::string(path);
}

void TempTree::ParentOf(const std::string& path) const {
  const std::string parent = path.substr(0, path.rfind('/'));
  if (mkdir(parent.c_str(), 0777) == 0 || errno == EEXIST) return;
  Check(errno == ENOENT, parent);
  ParentOf(parent);
  Check(mkdir(parent.c_str(), 0777) == 0, parent);
}

void TempTree::Folder(std::string_view path) const {
  ParentOf(*this / path + "/");
}

void TempTree::File(std::string_view path, std::string_view content) const {
  const std::string whole = *this / path;
  ParentOf(whole);
  WriteFile(AT_FDCWD, whole, content);
}

void TempTree::Link(std::string_view path, const std::string& target) const {
  const std::string whole = *this / path;
  ParentOf(whole);
  Check(symlink(target.c_str(), whole.c_str()) == 0, whole);
}

void TempTree::Node(std::string_view path, mode_t type) const {
  const std::string whole = *this / path;
  ParentOf(whole);
  Check(mknod(whole.c_str(), type | 0666, 0) == 0, whole);
}

void TempTree::SetMode(std::string_view path, mode_t mode) const {
  Check(chmod((*this / path).c_str(), mode) == 0, *this / path);
}

void TempTree::DeepFolders(const std::string& name, int levels) const {
  int folder = open(root_.c_str(), O_RDONLY | O_DIRECTORY);
  for (int level = 1; level <= levels; ++level) {
    Check(mkdirat(folder, name.c_str(), 0777) == 0, name);
    const int next = openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY);
    Check(next >= 0, name);
    close(folder);
    folder = next;
    WriteFile(folder, "file", "level " + std::to_string(level) + "\n");
  }
  close(folder);
}

}  // namespace examples
