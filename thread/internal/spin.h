// How a thread looks for a moment before it goes to sleep.
//
// A sleep and its wake-up cost some 20 to 50 microseconds, and a look costs the
// processor that somebody else could have. So a look is short, and in two parts:
// first pauses, by no more threads at once than there are processors; then the
// processor is given to whoever wants it, a few times. Where threads do not
// outnumber processors the first finds a wake-up within a fraction of a
// microsecond; where they do, the second lets the awaited thread run, for less
// than a sleep costs; unless others compute there, in this process or another.

#ifndef HEDDLE_THREAD_INTERNAL_SPIN_H_
#define HEDDLE_THREAD_INTERNAL_SPIN_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/per_thread.h"

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

// Tells it so many times; 12 take about half a microsecond.
inline void SpinPauses(int count) {
  for (int i = 0; i < count; ++i) SpinPause();
}

// Whether yielding is given up for a while, because it has just taken long. A
// thread among others that wait has the processor back after some microseconds.
// If one of them computes, it comes back after milliseconds, a whole time slice:
// a thread that sleeps has it sooner, by its wake-up. The rest is twice as long if
// the last one turns out to have been too short, so that little time is lost where
// processors are busy for long, and little done where they are so for a moment.
class YieldRest {
 public:
  static constexpr int64_t kLongNanos = 500'000;
  static constexpr int64_t kMostNanos = 100'000'000;

  bool IsOn(int64_t now) const {
    return now < until_.load(std::memory_order_relaxed);  // relaxed: a hint
  }

  // Says how long a yield took; true if a rest has begun.
  bool BeginIfLong(int64_t before, int64_t after) {
    const int64_t took = after - before;
    if (took < kLongNanos) return false;
    // relaxed, all: hints.
    const int64_t last = nanos_.load(std::memory_order_relaxed);
    const bool soon = before - until_.load(std::memory_order_relaxed) < last;
    const int64_t rest = std::min(2 * (soon ? last : took), kMostNanos);
    nanos_.store(rest, std::memory_order_relaxed);
    until_.store(after + rest, std::memory_order_relaxed);
    return true;
  }

 private:
  Atomic<int64_t> until_{0};
  Atomic<int64_t> nanos_{0};  // how long the last rest was
};

// The yields of one look. The first is timed, for the rest of the process.
class SpinYields {
 public:
  // Gives the processor to another thread that wants it, if there is one. In a
  // rest from that, pauses for as long as it takes if there is none.
  void Yield();

 private:
  bool is_timed_ = false;
  bool pauses_ = false;
};

// Whether this thread has woken one that slept since it was last asked: then a look
// is in vain. That one takes longer to come, and may want this very processor.
inline bool HasJustWoken() {
  return std::exchange(ThisThread().has_woken, false);
}

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

// Looks whether `look()` is true, ever more rarely, for as long as there are pauses
// to be spent; false if that was in vain, or it was nobody's turn. Each look takes
// the cache line from who works, so the first comes after `first` pauses.
template <typename Look>
bool LookMoreRarely(int first, const Look& look) {
  const SpinTurn turn;
  if (!turn) return false;
  for (int pauses = first; pauses <= kSpinRounds; pauses *= 2) {
    SpinPauses(pauses);
    if (look()) return true;
  }
  return false;
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_SPIN_H_
