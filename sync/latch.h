// Latch: a count of things still to happen that threads can wait for; 4 bytes.
//
// CountDown() makes it smaller, and at zero, for ever after, everybody who waits
// is released. For a flag that can be cleared again use an Event, for threads
// that meet again and again a Barrier.
//
// Example:
//
//   Latch loaded(static_cast<uint32_t>(files.size()));
//   for (File& file : files) {
//     const auto load = [&] { Load(file); loaded.CountDown(); };
//     if (!pool.Schedule(load)) load();  // it is shut down
//   }
//   while (!loaded.Wait(absl::Minutes(1))) LOG(INFO) << "still loading";
//
// Differences from std::latch: waits can be limited and cancelled; a CountDown()
// below zero throws and changes nothing. (Python has none.)
//
// Thread safety: all methods. Destroying the latch as soon as a Wait() has
// returned true is safe, also when the CountDown() that caused it has not yet
// returned. Memory ordering: what came before each CountDown() is visible after
// a Wait() or TryWait() that returns true.

#ifndef HEDDLE_SYNC_LATCH_H_
#define HEDDLE_SYNC_LATCH_H_

#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class Latch {
 public:
  // The largest count.
  static constexpr uint32_t kMax = UINT32_MAX >> 1;

  // Throws std::invalid_argument if `count` is over kMax.
  constexpr explicit Latch(uint32_t count)
      : word_(count <= kMax ? count << 1 : ThrowTooMany(count)) {}
  Latch(const Latch&) = delete;
  Latch& operator=(const Latch&) = delete;

  // Takes `n` from the count. Throws std::logic_error, and changes nothing, if
  // the count is smaller than `n`.
  void CountDown(uint32_t n = 1);

  // True if the count is zero.
  [[nodiscard]] bool TryWait() const {
    return word_.load(std::memory_order_acquire) >> 1 == 0;  // [DOWN]
  }

  // Waits until the count is zero, within `limit`; false if that passed first.
  // Without a limit it is always true.
  [[nodiscard]] bool Wait(const WaitLimit& limit) {
    return ABSL_PREDICT_TRUE(TryWait()) || WaitSlow(limit);
  }
  bool Wait() { return ABSL_PREDICT_TRUE(TryWait()) || WaitSlow(WaitLimit()); }

  // CountDown(n) and then Wait(limit).
  [[nodiscard]] bool ArriveAndWait(uint32_t n, const WaitLimit& limit) {
    CountDown(n);
    return Wait(limit);
  }
  bool ArriveAndWait(uint32_t n = 1) {
    CountDown(n);
    return Wait();
  }

  // For logs and debuggers: the count and how many threads wait.
  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out, const Latch& latch);

 private:
  // The count, shifted left by one, and kQueued: threads may be queued.
  //   (A1) while anybody is queued, kQueued is set and the count is not zero.
  //   (A2) kQueued changes, threads are queued, and the count becomes zero
  //        while kQueued is set, only with the parking spot of this latch held.
  //   [DOWN] release of word_ in CountDown() -> acquire in TryWait(), Wait() and
  //        the later CountDown()s: the last has what came before all of them,
  //        and hands it to those it wakes. It is the last touch of the object.
  static constexpr uint32_t kQueued = 1;

  [[noreturn]] static uint32_t ThrowTooMany(uint32_t count);
  bool WaitSlow(const WaitLimit& limit);

  internal::Atomic<uint32_t> word_;
};

static_assert(sizeof(Latch) == 4);

}  // namespace heddle

#endif  // HEDDLE_SYNC_LATCH_H_
