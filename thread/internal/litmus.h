// RunLitmus: two short pieces of code against each other, as this compiler made
// them and on this processor. Test-only.
//
// The models of tools/explore show that an algorithm is right under C++'s memory
// model; a litmus test shows that what the compiler emitted for it still is. In
// each round the two run at the same moment, give or take some pauses, and then
// `outcome_is_allowed()` looks at what they saw:
//
//   const int forbidden = internal::RunLitmus(
//       100'000, [&] { x = y = 0; }, [&] { x = 1; a = y; },
//       [&] { y = 1; b = x; }, [&] { return a == 1 || b == 1; });
//
// It is evidence against a compiler only where the processor reorders what the
// compiler let go (x86-64: a store after a later load), and only with -O2. Where
// there is a single processor it shows nothing.

#ifndef HEDDLE_THREAD_INTERNAL_LITMUS_H_
#define HEDDLE_THREAD_INTERNAL_LITMUS_H_

#include <atomic>
#include <cstdint>
#include <thread>

#include "heddle/thread/internal/spin.h"

namespace heddle {
namespace internal {

// Waits, awake, until `word` is `value`; but the other thread may need this very
// processor.
inline void AwaitRound(const std::atomic<int>& word, int value) {
  for (int looks = 1; word.load() != value; ++looks) {
    if (looks % 1024 == 0) {
      std::this_thread::yield();
    } else {
      SpinPause();
    }
  }
}

// Calls `reset`, then `first` and `second` at the same time, then
// `outcome_is_allowed`; so many rounds. Returns how many outcomes were not.
// `reset`, `first` and the look at the outcome run in the calling thread. None of
// them may throw.
template <typename Reset, typename First, typename Second, typename Outcome>
int RunLitmus(int rounds, const Reset& reset, const First& first,
              const Second& second, const Outcome& outcome_is_allowed) {
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  std::thread other([&] {
    for (int round = 1; round <= rounds; ++round) {
      AwaitRound(begun, round);
      SpinPauses(round % 7);
      second();
      ended.store(round);
    }
  });
  int forbidden = 0;
  for (int round = 1; round <= rounds; ++round) {
    reset();
    begun.store(round);
    // Prime to the other's: each distance between the two comes up.
    SpinPauses(round % 11);
    first();
    AwaitRound(ended, round);
    if (!outcome_is_allowed()) ++forbidden;
  }
  other.join();
  return forbidden;
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_LITMUS_H_
