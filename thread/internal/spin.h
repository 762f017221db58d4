// How a thread looks for a moment before it goes to sleep.
//
// A sleep and its wake-up cost some 20 to 50 microseconds, and a look costs the
// processor that somebody else could have. So a look is short, and in two parts:
// first pauses, by no more threads at once than there are processors; then the
// processor is given to whoever wants it, a few times. Where threads do not
// outnumber processors the first finds a wake-up within a fraction of a
// microsecond; where they do, the second lets the awaited thread run, for less
// than a sleep costs.

#ifndef HEDDLE_THREAD_INTERNAL_SPIN_H_
#define HEDDLE_THREAD_INTERNAL_SPIN_H_

#ifdef HEDDLE_MODEL
#include "heddle/tools/explore/model.h"
#endif

namespace heddle {
namespace internal {

// How many pauses to spend before sleeping, where the awaited thread is
// expected to be done within a microsecond; and how often to yield after them.
// (Measured with threads that meet in a Barrier, hand on a Semaphore and notify
// each other: fewer yields are slower with twice as many threads as processors,
// more of either gain nothing.)
#ifdef HEDDLE_MODEL
inline constexpr int kSpinRounds = 0;  // who waits any longer sees nothing new
inline constexpr int kYieldRounds = 0;
#else
inline constexpr int kSpinRounds = 40;
inline constexpr int kYieldRounds = 8;
#endif

// Tells the processor that this thread is waiting for another.
inline void SpinPause() {
#if defined(HEDDLE_MODEL)
  explore::Yield();
#elif defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// Gives the processor to another thread that wants it, if there is one.
void SpinYield();

// A turn to spend pauses: true if there was one to be had. Ends with the object.
class SpinTurn {
 public:
  SpinTurn();
  SpinTurn(const SpinTurn&) = delete;
  SpinTurn& operator=(const SpinTurn&) = delete;
  ~SpinTurn();

  explicit operator bool() const { return mine_; }

 private:
  const bool mine_;
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_SPIN_H_
