// Fiber: a stack of its own that code runs on until it hands over to another.
//
// Every thread of a model is one, all in a single thread of the system: a
// switch costs a few nanoseconds, and nothing happens between two switches that
// the engine did not decide. On x86-64 the switch is eight instructions of
// assembly; elsewhere it is ucontext's, which asks the system for the signal
// mask each time and is some fifty times slower.

#ifndef HEDDLE_TOOLS_EXPLORE_INTERNAL_FIBER_H_
#define HEDDLE_TOOLS_EXPLORE_INTERNAL_FIBER_H_

#include <cstddef>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace heddle {
namespace explore {

class Fiber {
 public:
  // Makes the next switch to this fiber call `entry()` on that stack. `entry`
  // never returns: it switches away for good. What ran on the stack is
  // forgotten.
  void Prepare(char* stack, size_t bytes, void (*entry)());

  // Goes on with `to`; returns when somebody switches to `from`.
  static void Switch(Fiber& from, Fiber& to);

 private:
#if defined(__x86_64__)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_{};
#endif
  // What the C++ runtime keeps for each thread of the system: the exceptions
  // being handled and the number of those in flight.
  struct Exceptions {
    void* caught = nullptr;
    unsigned uncaught = 0;
  } exceptions_;
};

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_INTERNAL_FIBER_H_
