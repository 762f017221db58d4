// TempTree: a folder to make files in, gone at the end of the test. Test-only.

#ifndef HEDDLE_EXAMPLES_TEMP_TREE_H_
#define HEDDLE_EXAMPLES_TEMP_TREE_H_

#include <sys/types.h>

#include <string>
#include <string_view>

namespace examples {

// Paths are relative to the folder. What cannot be done ends the test.
class TempTree {
 public:
  TempTree();
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;
  ~TempTree();

  // The folder, without a slash at its end; and a path in it.
  const std::string& root() const { return root_; }
  std::string operator/(std::string_view path) const;

  // Make what they say, and the folders above it if need be.
  void Folder(std::string_view path) const;
  void File(std::string_view path, std::string_view content) const;
  void Link(std::string_view path, const std::string& target) const;
  void Node(std::string_view path, mode_t type) const;  // S_IFIFO, S_IFSOCK

  void SetMode(std::string_view path, mode_t mode) const;

  // Makes `levels` folders called `name` in each other and in each of them a
  // file "file" that holds its level. The paths may be longer than PATH_MAX.
  void DeepFolders(const std::string& name, int levels) const;

 private:
  void ParentOf(const std::string& path) const;

  std::string root_;
};

}  // namespace examples

#endif  // HEDDLE_EXAMPLES_TEMP_TREE_H_
