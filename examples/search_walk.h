// Walk: the files in some trees, in byte order of their paths, as a range to be
// gone through once.
//
//   for (WalkEntry entry : Walk({"src", "README"})) Use(entry.path);
//
// It is lazy: a directory is read when its turn comes, and what is held are the
// names still to come in the directories from the root to here, never more of
// the tree than that. No file is opened, and no descriptor stays open.
//
// The rules are those of `grep -r`:
//   - Roots come in the order given. Symbolic links among them are followed,
//     others are not; of others, only regular files come out.
//   - What cannot be looked at comes out in its place, with the reason.
//
// Thread safety: as for any object.

#ifndef HEDDLE_EXAMPLES_SEARCH_WALK_H_
#define HEDDLE_EXAMPLES_SEARCH_WALK_H_

#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace search {

struct WalkEntry {
  std::string path;
  bool is_root = false;  // named by the caller: may be anything but a directory
  int error = 0;         // errno: why this cannot be looked at; 0: a file
};

class Walk {
 public:
  // An input iterator; what it gives may be moved from.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = WalkEntry;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = WalkEntry&&;

    reference operator*() const { return std::move(walk_->entry_); }
    iterator& operator++() {
      walk_->Advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return walk_->at_end_; }

   private:
    friend class Walk;
    explicit iterator(Walk* walk) : walk_(walk) {}
    Walk* walk_;
  };

  explicit Walk(std::vector<std::string> roots);

  // Looks for the first entry. To be called once.
  iterator begin() {
    Advance();
    return iterator(this);
  }
  std::default_sentinel_t end() const { return std::default_sentinel; }

 private:
  struct Folder {
    size_t prefix_size;  // of path_: the path of the folder, with its slash
    // Still to come, the next one last. Those of folders end in a slash, which
    // is what puts "a.c" before what is in "a".
    std::vector<std::string> names;
  };

  // Each returns true if it has made an entry.
  bool EnterRoot(std::string root);
  bool EnterFolder(int flags);

  void Advance();

  std::vector<std::string> roots_;  // still to come, the next one last
  std::vector<Folder> chain_;       // from the root to here
  std::string path_;                // of what was looked at last
  WalkEntry entry_;
  bool at_end_ = false;
};

}  // namespace search

#endif  // HEDDLE_EXAMPLES_SEARCH_WALK_H_
