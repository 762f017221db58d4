#include "heddle/thread/internal/window.h"

#include <csignal>
#include <new>

#include "gtest/gtest.h"
#include "heddle/thread/internal/failing_new.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
namespace {

#ifdef HEDDLE_WINDOWS

TEST(WindowTest, GuardsNestAndEnd) {
  EXPECT_EQ(OpenWindows(), 0U);
  {
    const WindowGuard outer;
    {
      const WindowGuard inner;
      EXPECT_EQ(OpenWindows(), 2U);
    }
    EXPECT_EQ(OpenWindows(), 1U);
  }
  EXPECT_EQ(OpenWindows(), 0U);
  CheckNoWindow("nothing");
}

TEST(WindowTest, HeldLocksAndSpotsAreWindows) {
  RawLock lock;
  {
    LockGuard guard(lock);
    EXPECT_EQ(OpenWindows(), 1U);
  }
  const int key = 0;
  {
    const ParkingSpot spot(&key);
    EXPECT_EQ(OpenWindows(), 1U);
    LockGuard guard(lock);  // under a spot: legal
    EXPECT_EQ(OpenWindows(), 2U);
  }
  EXPECT_EQ(OpenWindows(), 0U);
}

TEST(WindowDeathTest, AWaitInAWindowIsNamed) {
  EXPECT_DEATH(
      {
        const int key = 0;
        Waiter waiter;
        {
          ParkingSpot spot(&key);
          spot.Add(waiter);
        }
        const WindowGuard window;
        waiter.Sleep(WaitLimit());
      },
      "heddle: fatal: a wait: called in the middle of a step of Heddle's own");
}

TEST(WindowDeathTest, AnAllocationInAWindowIsNamed) {
  EXPECT_DEATH(
      {
        RawLock lock;
        LockGuard guard(lock);
        ::operator delete(::operator new(8));
      },
      "heddle: fatal: operator new: called in the middle of a step");
}

TEST(WindowDeathTest, ASpotInASpotIsNamedWhateverTheKeys) {
  const int keys[2] = {};
  EXPECT_DEATH(
      {
        const ParkingSpot spot(&keys[0]);
        const ParkingSpot other(&keys[1]);
      },
      "heddle: fatal: ParkingSpot: .* in the middle of the same");
}

// Otherwise this thread waits for itself, for ever.
TEST(WindowDeathTest, ASignalHandlerThatWakesInAWakeUpIsNamed) {
  static const int key = 0;
  EXPECT_DEATH(
      {
        signal(SIGUSR1, [](int) {
          WakeList woken;
          ParkingSpot(&key).WakeAll(woken);
        });
        const ParkingSpot spot(&key);
        raise(SIGUSR1);
      },
      "ParkingSpot: .* in a signal handler");
}

#else

TEST(WindowTest, NothingIsCountedInAnOrdinaryBuild) {
  const WindowGuard window;
  EXPECT_EQ(OpenWindows(), 0U);
  CheckNoWindow("nothing");
}

#endif

}  // namespace
}  // namespace internal
}  // namespace heddle
