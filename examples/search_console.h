// Console: what a program writes to stdout and stderr, with a line of progress
// below it while stderr is a terminal.
//
//   Console console([&] { return absl::StrCat(done.load(), " files"); });
//   console.Print("a.h:12:#include <mutex>\n");
//
// The line is drawn four times a second, by a thread of the console's own, and
// only from the second quarter on: short work shows none. It gets out of the
// way of what is written, and is gone when the console is. Without a terminal
// there is neither line nor thread.
//
// Thread safety: all methods but the destructor.

#ifndef HEDDLE_EXAMPLES_SEARCH_CONSOLE_H_
#define HEDDLE_EXAMPLES_SEARCH_CONSOLE_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "heddle/sync/event.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/thread.h"

namespace search {

class Console {
 public:
  // `progress` gives the line, without its end; called by the console's thread.
  explicit Console(std::function<std::string()> progress);
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  ~Console() { EndProgress(); }

  // Write all of `text`, now. Return errno if that fails, otherwise 0.
  int Print(std::string_view text);  // to stdout
  int Warn(std::string_view text);   // to stderr

  // Takes the line of progress away for good. Calling it twice is fine.
  void EndProgress();

 private:
  int Write(int to, std::string_view text);
  void Draw();
  void Erase() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  const std::function<std::string()> progress_;
  const bool on_terminal_;
  heddle::Lock lock_;  // held while anything is written
  bool drawn_ ABSL_GUARDED_BY(lock_) = false;
  heddle::Event ending_;
  heddle::Thread drawer_;
};

}  // namespace search

#endif  // HEDDLE_EXAMPLES_SEARCH_CONSOLE_H_
