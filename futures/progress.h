// Progress: a line on a terminal that says how far long work has come.
//
//   hashing: 1200 of 5000 (24 %), 341/s, 11s left
//
// Example:
//
//   Progress progress({.what = "hashing", .total = paths.size()});
//   for (const Hash& hash : executor.Map(HashFile, paths,
//                                        {.progress = &progress})) {
//     Use(hash);
//   }
//
// AsCompleted() takes one in the same way; anything else calls Add(). The line
// is drawn ten times a second at most, by whoever calls Add() then, and not at
// all where the output is no terminal: what a program writes into a file or a
// pipe has no progress in it.
//
// Thread safety: Add(), done() and Line().

#ifndef HEDDLE_FUTURES_PROGRESS_H_
#define HEDDLE_FUTURES_PROGRESS_H_

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/base/thread_annotations.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"

namespace heddle {

class Progress {
 public:
  enum class Show { kOnTerminal, kAlways, kNever };

  struct Options {
    std::string what = {};   // what is being done; empty: the line has figures
    int64_t total = 0;       // how many there will be; 0: nobody knows
    std::FILE* to = stderr;  // stays open as long as the Progress
    Show show = Show::kOnTerminal;
  };

  // Throws std::invalid_argument if `total` is negative or `to` is null.
  explicit Progress(Options options);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Draws the line as it is, and ends it, if it was drawn at all.
  ~Progress();

  // So many more are done. Throws nothing: a line for which there is no memory
  // is not drawn.
  void Add(int64_t count);

  [[nodiscard]] int64_t done() const {
    return done_.load(std::memory_order_relaxed);  // a count
  }

  // What the line says now. Throws std::bad_alloc.
  [[nodiscard]] std::string Line() const;

 private:
  void Draw() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  const Options options_;
  const bool shown_;
  const int64_t began_;  // on Clock
  internal::Atomic<int64_t> done_{0};
  internal::Atomic<int64_t> next_drawing_;
  Lock lock_;
  bool drawn_ ABSL_GUARDED_BY(lock_) = false;
};

}  // namespace heddle

#endif  // HEDDLE_FUTURES_PROGRESS_H_
