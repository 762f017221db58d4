// Models of RawLock and of the parking protocol: (P1)-(P6), (P8) and (P9) of README.md, under
// every schedule.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace internal {
namespace {

using explore::Execution;
using explore::Holds;
using explore::HoldsInSamples;

TEST(RawLockModel, TwoThreadsExcludeEachOther) {
  EXPECT_TRUE(Holds(4, [](Execution& run) {
    RawLock lock;
    Var<int> count = 0;
    const auto add = [&] {
      for (int i = 0; i < 2; ++i) {
        lock.lock();
        ++count;
        lock.unlock();
      }
    };
    run.Run(add, add);
    explore::Check(count == 4);
  }));
}

TEST(RawLockModel, ThreeThreadsExcludeEachOtherAndNoneSleepsOn) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    RawLock lock;
    Var<int> count = 0;
    const auto add = [&] {
      lock.lock();
      ++count;
      lock.unlock();
    };
    run.Run(add, add, add);
    explore::Check(count == 3);
  }));
}

// A thread that waits until `word` is not 0, as the users of parking do.
bool Await(Atomic<uint32_t>& word, const WaitLimit& limit) {
  Waiter waiter;
  {
    ParkingSpot spot(&word);
    if (word.load(std::memory_order_acquire) != 0) return true;
    spot.Add(waiter);
  }
  return waiter.Sleep(limit);
}

void Release(Atomic<uint32_t>& word) {
  WakeList woken;
  ParkingSpot spot(&word);
  word.store(1, std::memory_order_release);
  spot.WakeAll(woken);
}

bool AnybodyOn(const void* key) {
  ParkingSpot spot(key);
  return spot.HasWaiters();
}

TEST(ParkingModel, NoWakeUpIsLostAndWhatCameBeforeItIsVisible) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Atomic<uint32_t> word{0};
    Var<int> data = 0;
    run.Run(
        [&] {
          explore::Check(Await(word, WaitLimit()));
          explore::Check(data == 1);
        },
        [&] {
          data = 1;
          Release(word);
        });
    explore::Check(!AnybodyOn(&word));
  }));
}

TEST(ParkingModel, EveryWaiterIsWoken) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Atomic<uint32_t> word{0};
    const auto wait = [&] { explore::Check(Await(word, WaitLimit())); };
    run.Run(wait, wait, [&] { Release(word); });
    explore::Check(!AnybodyOn(&word));
  }));
}

// (P2), (P3): the number that Wake() returns is the number of waits that return
// true because of it, whatever the deadline does.
TEST(ParkingModel, AWakeUpIsSpentOnWhomItWakes) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    const int key = 0;
    bool slept_well = false;
    size_t woken_count = 0;
    run.Run(
        [&] {
          Waiter waiter;
          {
            ParkingSpot spot(&key);
            spot.Add(waiter);
          }
          slept_well = waiter.Sleep(WaitLimit(absl::Seconds(1)).Started());
        },
        [&] {
          WakeList woken;
          ParkingSpot spot(&key);
          woken_count = spot.Wake(1, woken);
        });
    explore::Check(woken_count == (slept_well ? 1u : 0u));
    explore::Check(!AnybodyOn(&key));
  }));
}

// (P5): the links of a waiter that leaves by its deadline are its own.
TEST(ParkingModel, ADeadlineAndAWakeUpForTheNeighbourDoNotCollide) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    const int key = 0;
    int outcomes[2] = {};
    size_t woken_count = 0;
    const auto wait = [&](int i) {
      Waiter waiter;
      {
        ParkingSpot spot(&key);
        spot.Add(waiter);
      }
      outcomes[i] = waiter.Sleep(WaitLimit(absl::Seconds(1)).Started()) ? 1 : 0;
    };
    run.Run([&] { wait(0); }, [&] { wait(1); },
            [&] {
              WakeList woken;
              ParkingSpot spot(&key);
              woken_count = spot.Wake(1, woken);
            });
    explore::Check(outcomes[0] + outcomes[1] == static_cast<int>(woken_count));
    explore::Check(!AnybodyOn(&key));
  }));
}

TEST(ParkingModel, AStopRequestEndsTheWait) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    const int key = 0;
    std::stop_source stop;
    run.Run(
        [&] {
          Waiter waiter;
          {
            ParkingSpot spot(&key);
            spot.Add(waiter);
          }
          explore::Check(!waiter.Sleep(WaitLimit(stop.get_token())));
        },
        [&] { stop.request_stop(); });
    explore::Check(!AnybodyOn(&key));
  }));
}

// The stop callback claims and posts while a waker does and the deadline passes:
// one of them decides, and the waiter outlives none that still touches it.
TEST(ParkingModel, StopDeadlineAndWakeUpAgreeOnOneOutcome) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    const int key = 0;
    std::stop_source stop;
    bool slept_well = false;
    size_t woken_count = 0;
    run.Run(
        [&] {
          Waiter waiter;
          {
            ParkingSpot spot(&key);
            spot.Add(waiter);
          }
          slept_well = waiter.Sleep(
              WaitLimit(absl::Seconds(1), stop.get_token()).Started());
        },
        [&] {
          WakeList woken;
          ParkingSpot spot(&key);
          woken_count = spot.Wake(1, woken);
        },
        [&] { stop.request_stop(); });
    explore::Check(woken_count == (slept_well ? 1u : 0u));
    explore::Check(!AnybodyOn(&key));
  }));
}

// (P8): a wait that stands in two queues is claimed in one of them, and is in
// neither when it ends, whichever of the wakers, and the deadline, is first.
TEST(ParkingModel, AWaitInTwoQueuesIsWokenOnceAndLeavesBoth) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    const int keys[2] = {};
    size_t woken_count = 0;
    bool slept_well = false;
    const auto wake = [&](const int& key) {
      WakeList woken;
      ParkingSpot spot(&key);
      woken_count += spot.Wake(1, woken);
    };
    run.Run(
        [&] {
          Waiter waiter;
          Waiter other(&waiter);
          {
            ParkingSpot spot(&keys[0]);
            spot.Add(waiter);
          }
          {
            ParkingSpot spot(&keys[1]);
            spot.Add(other);
          }
          slept_well = waiter.Sleep(WaitLimit(absl::Seconds(1)).Started());
          const bool here = slept_well && waiter.woken_in() == &waiter;
          const bool there = slept_well && waiter.woken_in() == &other;
          explore::Check(here + there == (slept_well ? 1 : 0));
          if (!there) other.Leave();
        },
        [&] { wake(keys[0]); }, [&] { wake(keys[1]); });
    explore::Check(woken_count == (slept_well ? 1u : 0u));
    explore::Check(!AnybodyOn(&keys[0]));
    explore::Check(!AnybodyOn(&keys[1]));
  }));
}

// (P9): the oldest waiter of a key leaves by its deadline, or is woken; who came
// after it, and the waiter of another key in the same bucket, are found all the
// same.
TEST(ParkingModel, KeysOfOneBucketDoNotCollide) {
  using Word = Atomic<uint32_t>;
  alignas(Word) static char places[64 * 1024];
  size_t other = 64;
  while (!ShareBucket(&places[0], &places[other])) other += 64;
  EXPECT_TRUE(HoldsInSamples([other](Execution& run) {
    Word& one = *new (&places[0]) Word(0);
    Word& two = *new (&places[other]) Word(0);
    run.Run([&] { Await(one, WaitLimit(absl::Seconds(1)).Started()); },
            [&] { explore::Check(Await(one, WaitLimit())); },
            [&] { explore::Check(Await(two, WaitLimit())); },
            [&] {
              Release(one);
              Release(two);
            });
    explore::Check(!AnybodyOn(&one));
    explore::Check(!AnybodyOn(&two));
    one.~Word();
    two.~Word();
  }));
}

// (P6) and the last touch: the object may end as soon as a waiter has seen the
// change.
TEST(ParkingModel, WhoSawTheChangeMayDestroyTheObject) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    auto* const word = new Atomic<uint32_t>(0);
    run.Run(
        [&] {
          explore::Check(Await(*word, WaitLimit()));
          delete word;
        },
        [&] { Release(*word); });
  }));
}

}  // namespace
}  // namespace internal
}  // namespace heddle
