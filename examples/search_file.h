// FileSearcher: finds the lines with a word in files, one file per call.
//
//   const FileSearcher searcher("mutex", STDOUT_FILENO);
//   const FileMatches found = searcher.Search("a.h", FileSearcher::kAny);
//   std::cout << found.lines;  // a.h:12:#include <mutex>
//
// What it gives is what `LC_ALL=C grep -nFIH -- mutex a.h` prints: bytes are
// compared, an empty word is in every line, a last line without a newline gets
// one. One thing differs, on purpose. A file is binary, and nothing in it is
// found, if there is a NUL in its first 32 KiB; what comes after that has no
// part in it. GNU grep 3.8 looks at each buffer that it reads, of 96 KiB at
// first, and gives the file up at the first NUL or hole: what it found in
// earlier buffers it has printed (and yet counts the file as one without).
//
// Memory: a buffer of 128 KiB per thread, or the longest line; and the lines
// found in the file.
//
// Thread safety: all methods.

#ifndef HEDDLE_EXAMPLES_SEARCH_FILE_H_
#define HEDDLE_EXAMPLES_SEARCH_FILE_H_

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace search {

struct FileMatches {
  std::string lines = {};  // "PATH:LINE:TEXT\n" for each
  std::string problem =
      {};  // "PATH: REASON" if not all could be read, or empty
};

// "PATH: REASON", for an errno.
std::string Problem(const std::string& path, int error);

class FileSearcher {
 public:
  enum Kind {
    kAny,           // symbolic links are followed, FIFOs and devices read
    kRegularFiles,  // nothing is found in anything else, nor waited for
  };

  // Looks for `word`, which has no newline in it. A file that is the same as
  // `output`, if that is open to a regular file, is a problem: who appends to
  // it what is found in it would never end.
  FileSearcher(std::string word, int output);

  FileMatches Search(const std::string& path, Kind kind) const;

  // How many files have been opened and bytes read so far, by all calls.
  int64_t files() const { return files_.load(std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  int SearchOpened(int file, int64_t expected_size, const std::string& path,
                   std::string& lines) const;
  void AppendLines(std::string_view text, int64_t line, const std::string& path,
                   std::string& lines) const;
  const char* FindWord(const char* begin, const char* end) const;

  const std::string word_;
  const size_t rarest_;      // the place in word_ of its rarest character
  struct stat output_ = {};  // all zero: nothing that a file could be

  // Statistics: relaxed, because nothing else is known from them.
  mutable std::atomic<int64_t> files_{0};
  mutable std::atomic<int64_t> bytes_{0};
};

}  // namespace search

#endif  // HEDDLE_EXAMPLES_SEARCH_FILE_H_
