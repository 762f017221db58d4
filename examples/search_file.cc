#include "heddle/examples/search_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "heddle/examples/search_path.h"

namespace search {
namespace {

constexpr size_t kBufferSize = size_t{128} * 1024;
constexpr size_t kBinaryCheckSize = size_t{32} * 1024;

// A block of memory that can become larger and can fail to.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  char* data() { return data_; }
  size_t size() const { return size_; }

  // Keeps what is in it up to the smaller of the sizes. False: no memory.
  bool Resize(size_t size) {
    if (size == size_) return true;
    void* const data = std::realloc(data_, size);
    if (data == nullptr) return false;
    data_ = static_cast<char*>(data);
    size_ = size;
    return true;
  }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

// As read(2), but a signal does not end it.
ssize_t Read(int file, char* to, size_t size) {
  ssize_t n;
  do {
    n = read(file, to, size);
  } while (n < 0 && errno == EINTR);
  return n;
}

size_t Rarest(std::string_view word) {
  // Code and prose have these the most; the more to the left, the more.
  constexpr std::string_view kFrequent = " etaoinsr_ldcupfmhgbyvwkxzqj";
  const auto rank = [&](char c) { return kFrequent.find(c); };  // npos: rare
  return static_cast<size_t>(
      std::max_element(word.begin(), word.end(),
                       [&](char a, char b) { return rank(a) < rank(b); }) -
      word.begin());
}

int64_t CountNewlines(std::string_view text) {
  // In steps of one length, because those become SIMD also at -O2.
  constexpr size_t kStep = 64;
  int64_t newlines = 0;
  for (; text.size() >= kStep; text.remove_prefix(kStep)) {
    uint8_t in_step = 0;
    for (size_t i = 0; i < kStep; ++i) {
      in_step = static_cast<uint8_t>(in_step + (text[i] == '\n' ? 1 : 0));
    }
    newlines += in_step;
  }
  return newlines + std::count(text.begin(), text.end(), '\n');
}

bool IsSame(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

}  // namespace

std::string Problem(const std::string& path, int error) {
  return absl::StrCat(path, ": ", std::generic_category().message(error));
}

FileSearcher::FileSearcher(std::string word, int output)
    : word_(std::move(word)), rarest_(Rarest(word_)) {
  if (fstat(output, &output_) != 0 || !S_ISREG(output_.st_mode)) output_ = {};
}

FileMatches FileSearcher::Search(const std::string& path, Kind kind) const {
  FileMatches found;
  // What was a regular file when the caller saw it may be a FIFO by now, one
  // that nobody writes to: hence O_NONBLOCK.
  const int flags =
      O_RDONLY | O_NOCTTY | (kind == kAny ? 0 : O_NOFOLLOW | O_NONBLOCK);
  const int file = OpenPath(path, flags);
  if (file < 0) {
    const bool is_link = kind == kRegularFiles && errno == ELOOP;
    if (!is_link) found.problem = Problem(path, errno);
    return found;
  }
  struct stat status;
  if (fstat(file, &status) != 0) {
    found.problem = Problem(path, errno);
  } else if (IsSame(status, output_)) {
    found.problem = path + ": input file is also the output";
  } else if (kind == kAny || S_ISREG(status.st_mode)) {
    files_.fetch_add(1, std::memory_order_relaxed);
    const int error = SearchOpened(file, status.st_size, path, found.lines);
    if (error != 0) found.problem = Problem(path, error);
  }
  close(file);
  return found;
}

// Returns errno, or 0 if all was read.
int FileSearcher::SearchOpened(int file, int64_t expected_size,
                               const std::string& path,
                               std::string& lines) const {
  thread_local Buffer buffer;
  if (!buffer.Resize(kBufferSize))
    return ENOMEM;  // also what a line made large
  size_t size = 0;  // how much of the buffer is filled
  int64_t total = 0;
  bool at_end = false;
  // Reads until that much is in the buffer; returns errno, or 0.
  const auto fill = [&](size_t up_to) {
    while (size < up_to && !at_end) {
      const ssize_t n = Read(file, buffer.data() + size, up_to - size);
      if (n < 0) return errno;
      size += static_cast<size_t>(n);
      total += n;
      bytes_.fetch_add(n, std::memory_order_relaxed);
      // A read that could have given more saves the one that gives nothing; but
      // some sizes are not true, those in /proc for example.
      at_end = n == 0 || (size < up_to && total == expected_size);
    }
    return 0;
  };

  int error = fill(kBinaryCheckSize);
  if (std::memchr(buffer.data(), '\0', size) != nullptr) return error;
  int64_t line = 1;  // the number of the one at the front of the buffer
  while (error == 0) {
    error = fill(buffer.size());
    std::string_view text(buffer.data(), size);
    if (!at_end) text = text.substr(0, text.rfind('\n') + 1);  // npos + 1 is 0
    AppendLines(text, line, path, lines);
    if (at_end) break;
    line += CountNewlines(text);
    size -= text.size();
    std::memmove(buffer.data(), buffer.data() + text.size(), size);
    // A line that fills the buffer needs a larger one.
    if (size == buffer.size() && !buffer.Resize(2 * size)) error = ENOMEM;
  }
  return error;
}

// Appends the lines of `text` that have the word in them. `text` is of whole
// lines, of which the first has the number `line`.
void FileSearcher::AppendLines(std::string_view text, int64_t line,
                               const std::string& path,
                               std::string& lines) const {
  const char* next = text.data();  // the beginning of `line`
  const char* const end = next + text.size();
  while (next != end) {
    const char* const hit = FindWord(next, end);
    if (hit == nullptr) return;
    // Lines are counted only now: most files have no match.
    const std::string_view before(next, static_cast<size_t>(hit - next));
    const char* const begin = next + (before.rfind('\n') + 1);
    line += CountNewlines(before);
    const std::string_view rest(hit, static_cast<size_t>(end - hit));
    const char* const newline = hit + std::min(rest.find('\n'), rest.size());
    absl::StrAppend(
        &lines, path, ":", line, ":",
        std::string_view(begin, static_cast<size_t>(newline - begin)), "\n");
    ++line;
    next = newline == end ? end : newline + 1;
  }
}

// Where the word is first in [begin, end), or null.
const char* FileSearcher::FindWord(const char* begin, const char* end) const {
  if (word_.empty()) return begin;
  // memchr() for one character is several times as fast as memmem() for the
  // word, as long as the character is rare.
  const char* at = begin;
  for (ptrdiff_t alarms = 0; 16 * alarms <= at - begin + 256; ++alarms) {
    const ptrdiff_t places = end - at - std::ssize(word_) + 1;
    if (places <= 0) return nullptr;
    const void* const found =
        std::memchr(at + rarest_, word_[rarest_], static_cast<size_t>(places));
    if (found == nullptr) return nullptr;
    at = static_cast<const char*>(found) - rarest_;
    if (std::memcmp(at, word_.data(), word_.size()) == 0) return at;
    ++at;
  }
  return static_cast<const char*>(
      memmem(at, static_cast<size_t>(end - at), word_.data(), word_.size()));
}

}  // namespace search
