// ThreadOptions: how a thread is to be. Also called Thread::Options.
//
//   Thread worker({.name = "indexer", .daemon = true}, Index, std::ref(files));
//
// What is left out stays as the system or the creating thread has it.

#ifndef HEDDLE_THREAD_THREAD_OPTIONS_H_
#define HEDDLE_THREAD_THREAD_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace heddle {

struct ThreadOptions {
  // Free text, shown by Heddle in full and by the system cut to 15 bytes: not
  // within a UTF-8 character, and not a number at the end: what goes is before
  // that, as in "request-handl_12". Empty: "Thread-N", or "Thread-N (Class)" if
  // the function is an object of a class with a name of its own; a lambda, a
  // plain function and an instance of a template have none that can be had.
  std::string name = {};

  // A daemon does not hold up the end of the program, and its Thread's
  // destructor does not wait for it. Not given: as the thread that makes the
  // Thread, if that is one of Heddle's; else no daemon.
  std::optional<bool> daemon = {};

  // Whether the end of the program waits for it, if it is no daemon. If false,
  // it is neither asked to stop nor waited for then: its Thread's destructor
  // does both, as at any time. For a Thread that an object with static storage
  // owns, and whose function ends only when that object is destroyed, which is
  // after the end of the program has waited for all others. The owner must be
  // destroyed, or the thread runs on until the process is gone.
  bool join_at_exit = true;

  // In bytes; 0: StackSize(). At least 32768, or the system's smallest if that
  // is more.
  size_t stack_size = 0;

  // The CPUs that it may run on, counted from 0. Empty: as the thread that
  // calls Start(). Linux with glibc only; elsewhere Start() fails.
  std::vector<int> cpus = {};

  // The nice value, -20 (greedy, needs a right) to 19 (gives way). Not given:
  // as the thread that calls Start(). Linux only; elsewhere Start() fails.
  std::optional<int> niceness = {};
};

}  // namespace heddle

#endif  // HEDDLE_THREAD_THREAD_OPTIONS_H_
