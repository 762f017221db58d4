// How a thread looks for a moment before it goes to sleep.
//
// A sleep and its wake-up cost some 20 to 50 microseconds, and a look costs the
// processor that somebody else could have. So a look is short, and only as many
// threads look at once as there are processors besides the one that the awaited
// thread needs: where threads outnumber processors it is they who are late.

#ifndef HEDDLE_THREAD_INTERNAL_SPIN_H_
#define HEDDLE_THREAD_INTERNAL_SPIN_H_

namespace heddle {
namespace internal {

// How many pauses to spend before sleeping, where the awaited thread is
// expected to be done within a microsecond.
inline constexpr int kSpinRounds = 40;

// Tells the processor that this thread is waiting for another.
inline void SpinPause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// A turn to look: true if there was one to be had. Ends with the object.
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
