// Roster: who of a pool's workers is awake, and who is called when there is
// work.
//
// Workers sleep when there is nothing to do, and cost nothing then. Whoever
// makes work visible calls one of them, unless as many are awake as there may
// be, or one is awake that looks for work: that one will find it. A called one
// that finds work calls the next if there is more. README.md beside this file
// has the protocol, and why no work is left with everybody asleep.
//
// Thread safety: all methods.

#ifndef HEDDLE_POOL_INTERNAL_ROSTER_H_
#define HEDDLE_POOL_INTERNAL_ROSTER_H_

#include <cstdint>

#include "absl/time/time.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace pool_internal {

class Roster {
 public:
  // Numbers of workers. Each is active, asleep or blocked.
  struct Counts {
    uint16_t active = 0;     // neither asleep nor blocked
    uint16_t searching = 0;  // of those: awake, and without a task yet
    uint16_t sleeping = 0;   // asleep, and not called
    uint16_t threads = 0;    // all that there are
  };
  static constexpr uint32_t kMost = 0xffff;  // threads

  // At most `max_active` are active because they were called, and at most
  // `max_threads` are there. REQUIRES: 1 <= max_active <= max_threads <= kMost.
  Roster(uint32_t max_active, uint32_t max_threads)
      : max_active_(max_active), max_threads_(max_threads) {}
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;

  Counts counts() const {
    return Unpack(word_.load(std::memory_order_relaxed));
  }
  uint32_t max_active() const { return max_active_; }

  enum class Call {
    kNobody,  // there is nobody to call, or no need
    kWoken,   // a sleeper
    kStart,   // the caller is to start a thread, which is counted already as
              // active and searching; if it cannot: Ended(true)
  };

  // Calls one worker if that is of use. REQUIRES: work has been made visible.
  Call CallOne() {
    // seq_cst: after the store that made the work visible, see (R3).
    return CanCall(Unpack(word_.load(std::memory_order_seq_cst)))
               ? CallOneSlow()
               : Call::kNobody;
  }

  // Wakes all sleepers. They count as searching.
  void CallAll();

  // Counts a thread that its pool starts without a call, as active and
  // searching. False if there are max_threads, or at_most.
  bool AddThread(uint32_t at_most);

  // A worker that has no task looks for one. True if nobody else does: then it
  // is counted, and worth a longer look.
  bool TrySearch();
  // It has found one. True if nobody searches now: it is to call the next if
  // there is more.
  bool StopSearching();

  enum class Waking {
    kCalled,  // or it has seen something
    kIdle,  // there are more than max_active threads and the idle time is over:
            // it is to look around before it retires
  };

  // The calling worker sleeps until it is called, or `look(needed, all_asleep)`,
  // called after it has been counted asleep, says that it had better not. It need
  // not look for work unless `needed`; and it reads with seq_cst or under locks.
  // `all_asleep`: it was the last. `searching`: the worker is counted as such.
  template <typename Look>
  Waking Sleep(bool searching, const WaitLimit& idle_time, Look look);

  // The calling worker, which is active and has no task, is one too many. True if
  // there are more than max_active threads: then it is no longer counted, looks
  // once more if that is `needed`, and ends or, having seen work, stays after
  // all: active and searching.
  bool TryRetire(bool searching, bool& needed);
  void StayAfterAll() { Add(kActive + kSearching + kThread); }

  // More are active than were called: who has no task had better sleep.
  bool IsCrowded() const { return counts().active > max_active_; }

  // The calling worker, which is active, is blocked; and is no longer.
  void Blocked() { Add(-kActive); }
  void Unblocked() { Add(kActive); }

  // An active worker, or a thread that could not be started, is no more.
  // Returns those that are left.
  Counts Ended(bool searching) {
    return Unpack(Add(-kActive - kThread - (searching ? kSearching : 0)));
  }

 private:
  // The four counts in one word, because a call decides by all of them.
  static constexpr int64_t kActive = 1;
  static constexpr int64_t kSearching = int64_t{1} << 16;
  static constexpr int64_t kSleeping = int64_t{1} << 32;
  static constexpr int64_t kThread = int64_t{1} << 48;

  static Counts Unpack(uint64_t word) {
    return {.active = static_cast<uint16_t>(word),
            .searching = static_cast<uint16_t>(word >> 16),
            .sleeping = static_cast<uint16_t>(word >> 32),
            .threads = static_cast<uint16_t>(word >> 48)};
  }

  // seq_cst throughout: the counts are what both sides look at after they have
  // said what they are about to do, (R3).
  uint64_t Add(int64_t difference) {
    const auto added = static_cast<uint64_t>(difference);
    return word_.fetch_add(added, std::memory_order_seq_cst) + added;
  }

  // Whether work that is there now may be nobody's business, (R3).
  bool LacksOne(Counts counts) const {
    return counts.active < max_active_ && counts.searching == 0;
  }
  bool CanCall(Counts counts) const {
    return LacksOne(counts) &&
           (counts.sleeping > 0 || counts.threads < max_threads_);
  }
  Call CallOneSlow();

  const uint32_t max_active_;
  const uint32_t max_threads_;
  internal::Atomic<uint64_t> word_{0};
};

template <typename Look>
Roster::Waking Roster::Sleep(bool searching, const WaitLimit& idle_time,
                             Look look) {
  internal::Waiter waiter;
  Counts counts;
  {
    internal::ParkingSpot spot(this);
    spot.Add(waiter);
    counts = Unpack(
        Add(kSleeping - kActive - (searching ? kSearching : 0)));  // (R2)
  }
  const bool stay = !look(LacksOne(counts),  // (R4)
                          counts.sleeping == counts.threads);
  WaitLimit limit;  // who is not one too many sleeps until it is called
  if (!stay) {
    limit = absl::ZeroDuration();
  } else if (counts.threads > max_active_) {
    limit = idle_time;
  }
  if (waiter.Sleep(limit.Started(), /*has_looked=*/true))
    return Waking::kCalled;
  Add(kActive + kSearching - kSleeping);  // (R2)
  return stay ? Waking::kIdle : Waking::kCalled;
}

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_ROSTER_H_
