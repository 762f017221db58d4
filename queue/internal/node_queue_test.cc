#include "heddle/queue/internal/node_queue.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {
namespace {

using internal::ManualClock;
using internal::ParkingSpot;
using internal::Waiter;

TEST(NodeQueueTest, GivesBackTheSameNodesInOrder) {
  NodeQueue queue;
  NodeQueue::Node nodes[3];
  for (NodeQueue::Node& node : nodes) queue.Push(&node);
  EXPECT_EQ(queue.Size(), 3u);
  EXPECT_EQ(queue.TryPop(), &nodes[0]);
  EXPECT_EQ(queue.Pop(WaitLimit()), &nodes[1]);
  EXPECT_EQ(queue.TryPop(), &nodes[2]);
  EXPECT_EQ(queue.TryPop(), nullptr);
  EXPECT_EQ(queue.Pop(absl::ZeroDuration()), nullptr);
}

TEST(NodeQueueTest, NodeMayBePushedAgainOnceItIsPopped) {
  NodeQueue queue;
  NodeQueue::Node nodes[2];
  queue.Push(&nodes[0]);
  queue.Push(&nodes[1]);
  ASSERT_EQ(queue.TryPop(), &nodes[0]);
  queue.Push(&nodes[0]);  // its old link must not come with it
  EXPECT_EQ(queue.TryPop(), &nodes[1]);
  EXPECT_EQ(queue.TryPop(), &nodes[0]);
  EXPECT_EQ(queue.TryPop(), nullptr);
}

// The queue begins with its lock. A thread that waits for that lock is parked
// on the lock's address, which is the queue's own; here the test stands in for
// one that came before the getter.
TEST(NodeQueueTest, PushWakesAGetterAndNotAThreadThatWaitsForTheLock) {
  ManualClock clock;
  NodeQueue queue;
  Waiter waits_for_lock;
  {
    ParkingSpot spot(&queue);
    spot.Add(waits_for_lock);
  }
  NodeQueue::Node* got = nullptr;
  Thread getter([&] { got = queue.Pop(absl::Hours(1)); });
  getter.Start();
  clock.AwaitSleepers(1);
  NodeQueue::Node node;
  queue.Push(&node);
  clock.Advance(absl::Hours(2));  // a getter that was passed over ends here
  getter.Join();
  EXPECT_EQ(got, &node);
  EXPECT_EQ(queue.Size(), 0u);
  EXPECT_FALSE(waits_for_lock.Sleep(WaitLimit(absl::ZeroDuration()).Started()));
}

}  // namespace
}  // namespace queue_internal
}  // namespace heddle
