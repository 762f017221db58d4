// ManualClock: time that moves only when a test says so. Test-only.
//
// While one exists, every timed wait in the process is measured on it. Example:
//
//   ManualClock clock;
//   std::thread waiter([&] { woken = event.Wait(absl::Hours(1)); });
//   clock.AwaitSleepers(1);         // the waiter is asleep, with a deadline,
//   clock.Advance(absl::Hours(1));  // ... which has now passed
//   waiter.join();
//
// Thread safety: all methods may be called from any thread. Construct it before
// the first timed wait starts, destroy it after the last has ended.

#ifndef HEDDLE_THREAD_INTERNAL_MANUAL_CLOCK_H_
#define HEDDLE_THREAD_INTERNAL_MANUAL_CLOCK_H_

#include <cstddef>
#include <cstdint>
#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/raw_lock.h"

namespace heddle {
namespace internal {

class ManualClock final : public Clock::Substitute {
 public:
  ManualClock() { Clock::set_substitute(this); }
  ~ManualClock() override { Clock::set_substitute(nullptr); }

  // Moves the time on and returns when every wait whose deadline has come is
  // awake.
  void Advance(absl::Duration step);

  // Returns when at least `count` threads are in a timed wait.
  void AwaitSleepers(size_t count);

  int64_t Now() override;
  bool Wait(Atomic<uint32_t>& word, uint32_t expected,
            Deadline deadline) override;

 private:
  struct Sleeper {
    const void* address;
    Deadline deadline;
  };

  RawLock lock_;
  int64_t now_ ABSL_GUARDED_BY(lock_) = 1'000'000'000;
  std::list<Sleeper> sleepers_ ABSL_GUARDED_BY(lock_);
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_MANUAL_CLOCK_H_
