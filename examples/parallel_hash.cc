// Hashes every file below a folder, as many at a time as there are CPUs, and
// says on a terminal how far it is.
// Run: bazel run //examples:parallel_hash -- FOLDER
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>

#include "absl/hash/hash.h"
#include "absl/strings/str_format.h"
#include "heddle/pool/thread_pool.h"

namespace {

namespace fs = std::filesystem;

struct Hashed {
  std::string path;
  std::optional<uint64_t> hash;  // none: it cannot be read
};

Hashed Hash(const fs::directory_entry& entry) {
  std::ifstream file(entry.path(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)),
                          std::istreambuf_iterator<char>());
  Hashed hashed{entry.path().string(), std::nullopt};
  if (file.good() || file.eof()) hashed.hash = absl::HashOf(bytes);
  return hashed;
}

// The files below a folder, found as they are asked for.
struct Files {
  fs::path folder;
  auto begin() const {
    return fs::recursive_directory_iterator(
        folder, fs::directory_options::skip_permission_denied);
  }
  static auto end() { return fs::recursive_directory_iterator(); }
};

}  // namespace

int main(int argc, char** argv) {
  std::error_code error;
  if (argc != 2 || !fs::is_directory(argv[1], error)) {
    std::cerr << "usage: parallel_hash FOLDER\n";
    return 2;
  }
  const bool terminal = isatty(STDERR_FILENO) != 0;
  int files = 0;
  int unreadable = 0;
  uint64_t all = 0;  // of the files' hashes: the same in whatever order
  heddle::ThreadPool pool;
  // Folders are walked only a little ahead of the hashing.
  for (const std::optional<Hashed>& hashed : pool.IMapUnordered(
           [](const fs::directory_entry& entry) -> std::optional<Hashed> {
             if (!entry.is_regular_file()) return std::nullopt;
             return Hash(entry);
           },
           Files{argv[1]}, {.buffersize = 256})) {
    if (!hashed.has_value()) continue;
    ++files;
    if (hashed->hash.has_value()) {
      all += *hashed->hash;
    } else {
      ++unreadable;
      std::cerr << (terminal ? "\r" : "") << hashed->path
                << ": cannot be read\n";
    }
    if (terminal && files % 100 == 0)
      std::cerr << absl::StreamFormat("\r%d files", files) << std::flush;
  }
  if (terminal) std::cerr << "\r";
  std::cout << absl::StreamFormat("%d files, %d unreadable, %016x\n", files,
                                  unreadable, all);
  return unreadable == 0 ? 0 : 1;
}
