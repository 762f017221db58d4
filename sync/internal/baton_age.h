// BatonAge: how long ago a wake-up was given whose receiver has not come yet.
//
// A Lock and a queue wake one waiter at a time: a wake-up costs more than many
// critical sections. But the woken thread may not get to run for long (its nice
// value, SCHED_IDLE, a throttled cgroup). So the wake-up has an age, and a
// releaser that finds an old one wakes the next waiter. Old is half a
// millisecond, because the age is checked now and then only: reading the clock
// costs 20 to 40 ns, as much as a contended critical section. It is read at the
// first, second, fourth and eighth withheld wake-up and at every eighth one
// from there on. Releases at regular intervals of up to half a millisecond thus
// wake the next waiter within a millisecond, longer intervals at the first
// release after that time, and a burst delays it by seven more releases.
//
// An age is 29 bits, for the free bits of a word:
//
// | bits  | meaning                                                         |
// |-------|-----------------------------------------------------------------|
// | 0-3   | how many wake-ups were withheld; after 15 comes 8               |
// | 4-28  | the clock when the wake-up was given, in units of 131 us        |
//
// The stamp repeats after 73 minutes; an age may then count as young for half a
// millisecond more.

#ifndef HEDDLE_SYNC_INTERNAL_BATON_AGE_H_
#define HEDDLE_SYNC_INTERNAL_BATON_AGE_H_

#include <cstdint>

namespace heddle {
namespace sync_internal {

class BatonAge {
 public:
  static constexpr int kBits = 29;

  // The age of a wake-up that is given now.
  static uint32_t Begin();

  // `age`, after one more wake-up was withheld because of it.
  static constexpr uint32_t Withheld(uint32_t age) {
    return (age & kCountMask) == kCountMask ? age - kCountMask / 2 : age + 1;
  }

  // Whether to wake the next waiter now. Reads the clock now and then only.
  static bool IsOld(uint32_t age) {
    const uint32_t count = age & kCountMask;
    return (count & (count + 1)) == 0 && IsOldNow(age);
  }

 private:
  static constexpr int kCountBits = 4;
  static constexpr uint32_t kCountMask = (uint32_t{1} << kCountBits) - 1;
  static constexpr int kUnitBits = 17;  // a unit is 2^17 ns
  static constexpr uint32_t kOldUnits = 4;

  static bool IsOldNow(uint32_t age);
};

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_BATON_AGE_H_
