// Objects that were touched after their end, or ended twice.
//
// A touch that may come after the end is found in the first schedule, as a data
// race: it may come before the end there, but nothing makes it.

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "gtest/gtest.h"
#include "heddle/tools/explore/museum/museum.h"
#include "heddle/tools/explore/stop_callback.h"

namespace heddle {
namespace explore {
namespace museum {
namespace {

// sem_post() looks at the semaphore after it incremented it (glibc BZ#12674,
// musl 88c4e720, FreeBSD D7505): who has waited may have destroyed it.
template <bool kRight>
void PostThatTouchesTheSemaphore(Execution& run) {
  struct Semaphore {
    Atomic<uint32_t> value{0};  // right: bit 31 says that somebody waits
    Atomic<uint32_t> waiters{0};
  };
  constexpr uint32_t kWaits = uint32_t{1} << 31;
  auto* const semaphore = new Semaphore;
  run.Run(
      [=] {
        if (!kRight) semaphore->waiters.fetch_add(1, kSeqCst);
        for (;;) {
          uint32_t seen = semaphore->value.load(kAcquire);
          if ((seen & ~kWaits) > 0) {
            if (semaphore->value.compare_exchange_strong(seen, seen - 1,
                                                         kAcqRel, kRelaxed)) {
              break;
            }
            continue;
          }
          if (kRight && seen == 0 &&
              !semaphore->value.compare_exchange_strong(seen, kWaits, kRelaxed,
                                                        kRelaxed)) {
            continue;
          }
          Sleep(semaphore->value, kRight ? kWaits : 0);
        }
        delete semaphore;
      },
      [=] {
        const void* const address = &semaphore->value;
        const uint32_t before = semaphore->value.fetch_add(1, kAcqRel);
        const bool waits = kRight ? (before & kWaits) != 0
                                  : semaphore->waiters.load(kRelaxed) > 0;
        if (waits) WakeOne(address);
      });
}
TEST(MuseumTest, PostThatTouchesTheSemaphore) {
  Exhibit(FailureKind::kDataRace, PostThatTouchesTheSemaphore<false>,
          PostThatTouchesTheSemaphore<true>);
}

// unlock() reads the mutex after it let it go (glibc BZ#13690, LWN 575460,
// osv#137).
template <bool kRight>
void UnlockThatTouchesTheMutex(Execution& run) {
  struct Object {
    Atomic<uint32_t> word{0};
    Atomic<uint32_t> waiters{0};
    Var<int> references = 2;
  };
  auto* const object = new Object;
  const auto drop = [=] {
    if (kRight) {
      uint32_t seen = 0;
      if (!object->word.compare_exchange_strong(seen, 1, kAcquire, kRelaxed)) {
        while (object->word.exchange(2, kAcquire) != 0) Sleep(object->word, 2);
      }
    } else {
      while (object->word.exchange(1, kAcquire) != 0) {
        object->waiters.fetch_add(1, kSeqCst);
        Sleep(object->word, 1);
        object->waiters.fetch_sub(1, kSeqCst);
      }
    }
    const bool last = --object->references == 0;
    const void* const address = &object->word;
    const uint32_t before = object->word.exchange(0, kSeqCst);
    if (kRight ? before == 2 : object->waiters.load(kSeqCst) > 0)
      WakeOne(address);
    if (last) delete object;
  };
  run.Run(drop, drop);
}
TEST(MuseumTest, UnlockThatTouchesTheMutex) {
  Exhibit(FailureKind::kDataRace, UnlockThatTouchesTheMutex<false>,
          UnlockThatTouchesTheMutex<true>);
}

// The last reader notifies through a member of the lock that it let go
// (llvm#169743).
template <bool kRight>
void SharedUnlockThatNotifiesTooLate(Execution& run) {
  struct SharedLock {
    SmallLock mutex;
    Var<int> readers = 1;
    Atomic<uint32_t> gate{0};
  };
  auto* const lock = new SharedLock;
  run.Run(
      [=] {
        lock->mutex.lock();
        --lock->readers;
        if (kRight) {
          const void* const gate = &lock->gate;
          lock->gate.fetch_add(1, kRelease);
          lock->mutex.unlock();
          WakeAll(gate);  // the address alone
        } else {
          lock->mutex.unlock();
          lock->gate.fetch_add(1, kRelease);
          WakeAll(&lock->gate);
        }
      },
      [=] {
        lock->mutex.lock();
        while (lock->readers != 0) {
          const uint32_t seen = lock->gate.load(kAcquire);
          lock->mutex.unlock();
          Sleep(lock->gate, seen);
          lock->mutex.lock();
        }
        lock->mutex.unlock();
        delete lock;
      });
}
TEST(MuseumTest, SharedUnlockThatNotifiesTooLate) {
  Exhibit(FailureKind::kDataRace, SharedUnlockThatNotifiesTooLate<false>,
          SharedUnlockThatNotifiesTooLate<true>);
}

// The last to arrive sets a flag in a latch that the waiters may have destroyed
// (memgraph#4784, llvm#221680).
template <bool kRight>
void LatchThatIsTouchedAfterTheLastArrival(Execution& run) {
  struct Latch {
    Atomic<uint32_t> missing{1};
    Atomic<uint32_t> open{0};
  };
  auto* const latch = new Latch;
  run.Run(
      [=] {
        const void* const address = &latch->missing;
        latch->missing.fetch_sub(1, kAcqRel);
        if (!kRight) latch->open.store(1, kRelease);
        WakeAll(address);
      },
      [=] {
        while (latch->missing.load(kAcquire) != 0) Sleep(latch->missing, 1);
        delete latch;
      });
}
TEST(MuseumTest, LatchThatIsTouchedAfterTheLastArrival) {
  Exhibit(FailureKind::kDataRace, LatchThatIsTouchedAfterTheLastArrival<false>,
          LatchThatIsTouchedAfterTheLastArrival<true>);
}

// sync_wait() returns, and its loop dies, while the finisher is still inside
// finish() (stdexec#1742, #1746).
template <bool kRight>
void FinisherThatIsStillInFinish(Execution& run) {
  struct Loop {
    SmallLock lock;
    Var<bool> finished = false;
    Atomic<uint32_t> condition{0};
  };
  run.Run([&run] {
    auto* const loop = new Loop;
    const int finisher = run.Start([loop] {
      loop->lock.lock();
      loop->finished = true;
      if (kRight) {
        loop->condition.fetch_add(1, kRelaxed);
        WakeAll(&loop->condition);
        loop->lock.unlock();
      } else {
        loop->lock.unlock();
        loop->condition.fetch_add(1, kRelaxed);
        WakeAll(&loop->condition);
      }
    });
    loop->lock.lock();
    while (!loop->finished) {
      const uint32_t seen = loop->condition.load(kRelaxed);
      loop->lock.unlock();
      Sleep(loop->condition, seen);
      loop->lock.lock();
    }
    loop->lock.unlock();
    delete loop;
    run.Join(finisher);
  });
}
TEST(MuseumTest, FinisherThatIsStillInFinish) {
  Exhibit(FailureKind::kDataRace, FinisherThatIsStillInFinish<false>,
          FinisherThatIsStillInFinish<true>);
}

// A count of references that is looked at in one step and dropped in another
// (stdexec#1395, #1400, #1426).
template <bool kRight>
void ReferenceThatIsDroppedInTwoSteps(Execution& run) {
  auto* const references = new Atomic<int>(2);
  const auto drop = [=] {
    if (kRight) {
      if (references->fetch_sub(1, kAcqRel) == 1) delete references;
    } else if (references->load(kAcquire) == 1) {
      delete references;
    } else {
      references->fetch_sub(1, kAcqRel);
    }
  };
  run.Run(drop, drop);
}
TEST(MuseumTest, ReferenceThatIsDroppedInTwoSteps) {
  Exhibit(FailureKind::kLeak, ReferenceThatIsDroppedInTwoSteps<false>,
          ReferenceThatIsDroppedInTwoSteps<true>);
}

// The last reference is dropped without acquiring what the others did.
template <bool kRight>
void LastReferenceWithoutAcquire(Execution& run) {
  struct Shared {
    Atomic<int> references{2};
    Var<int> data = 0;
  };
  auto* const shared = new Shared;
  const auto drop = [=](bool writes) {
    if (writes) shared->data = 1;
    if (shared->references.fetch_sub(1, kRight ? kAcqRel : kRelease) == 1)
      delete shared;
  };
  run.Run([=] { drop(true); }, [=] { drop(false); });
}
TEST(MuseumTest, LastReferenceWithoutAcquire) {
  Exhibit(FailureKind::kDataRace, LastReferenceWithoutAcquire<false>,
          LastReferenceWithoutAcquire<true>);
}

// Who drops a channel frees what is in it, and so does who was just taking it
// out (RUSTSEC-2025-0024).
template <bool kRight>
void ChannelThatDropsWhatIsBeingTaken(Execution& run) {
  Atomic<int*> slot{new int(1)};
  const auto take = [&] {
    if (kRight) {
      delete slot.exchange(nullptr, kAcqRel);
    } else if (int* const item = slot.load(kAcquire); item != nullptr) {
      delete item;
      slot.store(nullptr, kRelease);
    }
  };
  run.Run(take, take);
}
TEST(MuseumTest, ChannelThatDropsWhatIsBeingTaken) {
  Exhibit(FailureKind::kUseAfterDestroy,
          ChannelThatDropsWhatIsBeingTaken<false>,
          ChannelThatDropsWhatIsBeingTaken<true>);
}

// A stop callback is destroyed under a lock that the callback takes (MS
// STL#2218, libunifex#670, pika#113).
template <bool kRight>
void StopCallbackDestroyedUnderItsLock(Execution& run) {
  SmallLock lock;
  Atomic<int> work{0};
  std::stop_source stop;
  run.Run(
      [&] {
        const uint32_t self = CurrentThread();
        const auto callback = [&, self] {
          // Called at once, in the thread that holds the lock, it would be an
          // ordinary mistake.
          if (CurrentThread() == self) return;
          const Guard guard(lock);
        };
        if (kRight) {
          const StopCallback registered(stop.get_token(), callback);
          const Guard guard(lock);
          work.fetch_add(1, kRelaxed);
        } else {
          const Guard guard(lock);
          const StopCallback registered(stop.get_token(), callback);
          work.fetch_add(1, kRelaxed);
        }
      },
      [&] { stop.request_stop(); });
}
TEST(MuseumTest, StopCallbackDestroyedUnderItsLock) {
  Exhibit(FailureKind::kDeadlock, StopCallbackDestroyedUnderItsLock<false>,
          StopCallbackDestroyedUnderItsLock<true>);
}

}  // namespace
}  // namespace museum
}  // namespace explore
}  // namespace heddle
