// What the compiler made of a queue's gate, on this processor: see
// thread/internal/litmus.h.

#include <atomic>
#include <cstddef>
#include <optional>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/queue/internal/gate.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/litmus.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {
namespace {

// A waiter that queues while the last item comes sees the item, or is woken.
TEST(CompiledOrderTest, AWaiterAndTheOneItWaitsForDoNotMissEachOther) {
  Gate gate;
  Lock lock;
  internal::Atomic<int> items{0};
  std::atomic<int> opened{0};
  bool left_asleep = false;
  const auto count = [&]() -> size_t {
    return static_cast<size_t>(items.load(std::memory_order_acquire));
  };
  EXPECT_EQ(internal::RunLitmus(
                100'000,
                [&] {
                  items = 0;
                  opened = 0;
                  left_asleep = false;
                },
                [&] {
                  {
                    std::optional<internal::WakeList> woken;
                    const LockGuard guard(lock);
                    items.store(1, std::memory_order_release);
                    gate.LetOne(woken);
                  }
                  opened = 1;
                },
                [&] {
                  GateTurn turn(gate, count, lock);
                  internal::Waiter waiter;
                  if (!turn.Queue(waiter)) return;
                  internal::AwaitRound(opened, 1);
                  left_asleep = gate.CountWaiters() != 0;
                  if (waiter.Sleep(WaitLimit(absl::ZeroDuration()).Started()))
                    turn.Woken(waiter.message());
                },
                [&] { return !left_asleep; }),
            0);
}

}  // namespace
}  // namespace queue_internal
}  // namespace heddle
