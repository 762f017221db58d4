// The lock of a mailbox, which is a file beside it, as between mail programs.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace mail {

// Holds MAILBOX.lock from construction to destruction, unless another has it.
class Lock {
 public:
  explicit Lock(const std::string& mailbox)
      : path_(mailbox + ".lock"),
        file_(::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600)) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (!held()) return;
    ::close(file_);
    ::unlink(path_.c_str());
  }

  bool held() const { return file_ >= 0; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int file_;
};

}  // namespace mail
