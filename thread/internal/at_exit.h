// The end of the process: what is done before its statics are destroyed.
//
// When main() returns, or exit() is called, this happens, in this order:
//
//   1. the ExitHooks run, the newest first: pools are told to finish;
//   2. every running thread that joins at exit and listens to a stop_token is
//      asked to stop, and every one is joined, also those that others start
//      meanwhile. Those that are still waited for after three seconds are named
//      on stderr, each once;
//   3. from now on no thread starts, and the statics are destroyed.
//
// A daemon does not join at exit, nor does a thread with the option
// join_at_exit = false: that one is left to its Thread's destructor.
//
// In the main thread it comes after its thread_local objects are destroyed and,
// by the rules of the language, before any static is. If another thread calls
// exit(), it comes before those statics are destroyed that were there when the
// first thread was started, and that thread itself is not joined. So it is also
// in the child of a fork() that another thread than main()'s has called: there
// the first thread is the child's first. (The end of the thread that called
// fork() is not that of the child, so its thread_local objects tell nothing.)
// Nothing of this happens on _exit(), quick_exit() and abort(), nor in the
// child for the threads and hooks of its parent: those are the parent's, and
// what the child has made itself is seen to (at_fork.h).

#ifndef HEDDLE_THREAD_INTERNAL_AT_EXIT_H_
#define HEDDLE_THREAD_INTERNAL_AT_EXIT_H_

#include <cstdint>

namespace heddle {
namespace internal {

// A function to be called once at the end of the process, if the hook is still
// there. (Python: threading._register_atexit.)
class ExitHook {
 public:
  ExitHook(void (*run)(void* argument), void* argument)
      : run_(run), argument_(argument) {}
  ExitHook(const ExitHook&) = delete;
  ExitHook& operator=(const ExitHook&) = delete;
  // Takes it back. If it is running in another thread, waits for its end.
  ~ExitHook();

  // From here on it will be called. False if the hooks have run already.
  // REQUIRES: not called before.
  [[nodiscard]] bool Register();

 private:
  friend struct ExitHooks;

  void (*const run_)(void*);
  void* const argument_;
  // Guarded by the lock in at_exit.cc.
  ExitHook* older_ = nullptr;
  ExitHook* newer_ = nullptr;
  uint32_t forks_ = 0;  // Forks() when it was registered
  bool registered_ = false;
};

// Makes sure that the end of the process waits for threads. Called before each
// start; has an effect once in each process.
void JoinThreadsAtExit();

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_AT_EXIT_H_
