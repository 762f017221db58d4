#include "heddle/examples/search_console.h"

#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/lock_guard.h"

namespace search {
namespace {

// Returns errno, or 0.
int WriteAll(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(to, text.data(), text.size());
    if (n < 0 && errno != EINTR) return errno;
    if (n > 0) text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

}  // namespace

Console::Console(std::function<std::string()> progress)
    : progress_(std::move(progress)),
      on_terminal_(isatty(STDERR_FILENO) != 0),
      drawer_([this] {
        while (!ending_.Wait(absl::Milliseconds(250))) Draw();
      }) {
  if (on_terminal_) drawer_.Start();
}

void Console::EndProgress() {
  ending_.Set();
  if (on_terminal_) drawer_.Join();
  heddle::LockGuard guard(lock_);
  Erase();
}

int Console::Print(std::string_view text) { return Write(STDOUT_FILENO, text); }
int Console::Warn(std::string_view text) { return Write(STDERR_FILENO, text); }

int Console::Write(int to, std::string_view text) {
  heddle::LockGuard guard(lock_);
  if (drawn_ && isatty(to)) Erase();
  return WriteAll(to, text);
}

void Console::Draw() {
  const std::string line = progress_();
  heddle::LockGuard guard(lock_);
  Erase();
  WriteAll(STDERR_FILENO, line);
  drawn_ = true;
}

void Console::Erase() {
  // To the first column, and clear from there.
  if (drawn_) WriteAll(STDERR_FILENO, "\r\033[K");
  drawn_ = false;
}

}  // namespace search
