#include "heddle/thread/internal/raw_lock.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "gtest/gtest.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/lock_guard.h"

namespace heddle {
namespace internal {
namespace {

constinit RawLock constant_initialized;

TEST(RawLockTest, IsConstantInitialized) {
  LockGuard guard(constant_initialized);
}

TEST(RawLockTest, MayBeTakenAgainOnceItIsFree) {
  RawLock lock;
  for (int i = 0; i < 3; ++i) {
    lock.lock();
    lock.unlock();
  }
}

TEST(RawLockTest, ExcludesWhatIsShort) {
  constexpr int kRounds = 20000;
  RawLock lock;
  int64_t count = 0;  // guarded by lock
  const auto increment = [&] {
    for (int i = 0; i < kRounds; ++i) {
      LockGuard guard(lock);
      ++count;
    }
  };
  RunConcurrently(1, increment, increment, increment);
  EXPECT_EQ(count, 3 * kRounds);
}

// The holder gives its processor away, so that the others really sleep.
TEST(RawLockTest, ExcludesAmongThreadsThatSleepForIt) {
  constexpr int kRounds = 1000;
  RawLock lock;
  int64_t count = 0;  // guarded by lock
  const auto work = [&] {
    for (int i = 0; i < kRounds; ++i) {
      LockGuard guard(lock);
      const int64_t seen = count;
      if (i % 20 == 0) std::this_thread::yield();
      count = seen + 1;
    }
  };
  RunConcurrently(1, work, work, work, work, work);
  EXPECT_EQ(count, 5 * kRounds);
}

TEST(RawLockTest, MayBeDestroyedByTheNextHolder) {
  constexpr int kIterations = 500;
  struct Shared {
    RawLock lock;
    bool first_done = false;  // guarded by lock
  };
  std::atomic<Shared*> current{nullptr};
  RunConcurrently(
      kIterations,
      [&] {
        auto shared = std::make_unique<Shared>();
        current.store(shared.get());
        for (bool done = false; !done; std::this_thread::yield()) {
          LockGuard guard(shared->lock);
          done = shared->first_done;
        }
      },
      [&] {
        Shared* shared;
        while ((shared = current.exchange(nullptr)) == nullptr)
          std::this_thread::yield();
        LockGuard guard(shared->lock);
        shared->first_done = true;
      });
}

}  // namespace
}  // namespace internal
}  // namespace heddle
