// SpinPause(): tells the processor that this thread is waiting for another.

#ifndef HEDDLE_THREAD_INTERNAL_SPIN_H_
#define HEDDLE_THREAD_INTERNAL_SPIN_H_

#ifdef HEDDLE_MODEL
#include "heddle/tools/explore/model.h"
#endif

namespace heddle {
namespace internal {

// How many pauses to spend before sleeping, where the awaited thread is
// expected to be done within a microsecond.
#ifdef HEDDLE_MODEL
inline constexpr int kSpinRounds = 0;  // who waits any longer sees nothing new
#else
inline constexpr int kSpinRounds = 40;
#endif

inline void SpinPause() {
#if defined(HEDDLE_MODEL)
  explore::Yield();
#elif defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_SPIN_H_
