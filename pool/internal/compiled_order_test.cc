// What the compiler made of the workers' sleep (an eventcount), on this
// processor: see thread/internal/litmus.h.

#include <atomic>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/pool/internal/roster.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/litmus.h"

namespace heddle {
namespace pool_internal {
namespace {

// A worker that goes to sleep while the only task comes sees the task, or is
// called.
TEST(CompiledOrderTest, ASleeperAndACallerDoNotMissEachOther) {
  Roster roster(/*max_active=*/1, /*max_threads=*/1);
  ASSERT_TRUE(roster.AddThread(1));
  roster.StopSearching();
  internal::Atomic<int> tasks{0};
  enum : int { kNotYet, kSawNothing, kSawTask };
  std::atomic<int> look{kNotYet};
  bool called = false;
  EXPECT_EQ(internal::RunLitmus(
                100'000,
                [&] {
                  tasks = 0;
                  look = kNotYet;
                },
                [&] {
                  tasks.store(1, std::memory_order_seq_cst);
                  called = roster.CallOne() == Roster::Call::kWoken;
                  if (called) return;
                  while (look == kNotYet) {
                  }
                  roster.CallAll();  // nobody is left asleep for the next round
                },
                [&] {
                  roster.Sleep(/*searching=*/false, absl::Seconds(1),
                               [&](bool /*needed*/, bool /*last*/) {
                                 const bool seen = tasks.load() != 0;
                                 look = seen ? kSawTask : kSawNothing;
                                 return seen;
                               });
                  roster.StopSearching();
                },
                [&] { return called || look == kSawTask; }),
            0);
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
