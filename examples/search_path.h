// OpenPath(): open(2) for paths of any length.

#ifndef HEDDLE_EXAMPLES_SEARCH_PATH_H_
#define HEDDLE_EXAMPLES_SEARCH_PATH_H_

#include <string>

namespace search {

// Opens `path` with `flags` and O_CLOEXEC; returns the descriptor, or -1 with
// errno set. A path longer than the system takes in one piece, as a deep tree
// can have, is opened piece by piece.
int OpenPath(const std::string& path, int flags);

}  // namespace search

#endif  // HEDDLE_EXAMPLES_SEARCH_PATH_H_
