// Clock and Deadline: the only place where Heddle asks for the time.
//
// Time is the machine's monotonic clock, in nanoseconds since an arbitrary
// start; it never goes back and knows nothing of the calendar. A timeout
// becomes a Deadline once, before the first wait, and every conversion
// saturates: no duration, however long, wraps round to "now" or to "for ever
// ago".

#ifndef HEDDLE_THREAD_INTERNAL_CLOCK_H_
#define HEDDLE_THREAD_INTERNAL_CLOCK_H_

#include <cstdint>
#include <limits>

#include "heddle/thread/internal/atomic.h"

namespace heddle {
namespace internal {

// A point on the monotonic clock, or never, or always past.
class Deadline {
 public:
  static constexpr Deadline Never() {
    return Deadline(std::numeric_limits<int64_t>::max());
  }
  static constexpr Deadline Past() {
    return Deadline(std::numeric_limits<int64_t>::min());
  }

  // The point `nanos` nanoseconds from now. What lies beyond the clock's range
  // gives Never(); zero and negative values Past(), without a look at the
  // clock.
  static Deadline After(int64_t nanos);

  constexpr explicit Deadline(int64_t nanos) : nanos_(nanos) {}

  constexpr bool IsNever() const { return *this == Never(); }
  constexpr bool IsPast() const { return *this == Past(); }
  bool HasPassed() const;

  constexpr int64_t nanos() const { return nanos_; }

  friend constexpr bool operator==(Deadline, Deadline) = default;

 private:
  int64_t nanos_;
};

class Clock {
 public:
  // Nanoseconds on the monotonic clock. Never negative.
  static int64_t Now();
  // The same by the machine's own, whatever a test has put in its place.
  static int64_t MachineNow();

  // What a test puts in the clock's place: see manual_clock.h.
  class Substitute {
   public:
    virtual ~Substitute() = default;
    virtual int64_t Now() = 0;
    // As FutexWait(), by this clock. `deadline` is neither Never() nor Past().
    virtual bool Wait(Atomic<uint32_t>& word, uint32_t expected,
                      Deadline deadline) = 0;
  };

  // The substitute, or null: the machine's clock. Only timed waits ask.
  static Substitute* substitute();

  // Replaces the clock; null gives the machine's back. REQUIRES: no thread is
  // in a timed wait.
  static void set_substitute(Substitute* substitute);
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_CLOCK_H_
