// Tests of what a thread that a gate has let through, and that does not get to
// run, means for the others: nothing.

#include <thread>

#include "gtest/gtest.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/select.h"
#include "heddle/thread/internal/held_up.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace queue_internal {
namespace {

// A thread that waits, and does not run before Release().
class Waiting {
 public:
  template <typename Wait>
  explicit Waiting(Wait wait) : thread_([this, wait] { held_up_.Run(wait); }) {
    thread_.Start();
    held_up_.Await();
  }

  void Release() { held_up_.Release(); }
  bool IsAlive() const { return thread_.IsAlive(); }

 private:
  internal::HeldUp held_up_;
  Thread thread_;  // ends first
};

// Puts until `thread` has ended.
void PutUntilEnd(Queue<int>& queue, const Waiting& thread) {
  while (thread.IsAlive()) {
    EXPECT_TRUE(queue.Put(1));
    std::this_thread::yield();
  }
}

TEST(GateTest, AGetterThatDoesNotRunHoldsUpNoOther) {
  Queue<int> queue;
  const auto get = [&] { EXPECT_TRUE(queue.Get()); };
  Waiting slow(get);
  Waiting next(get);
  Waiting last(get);
  next.Release();
  last.Release();
  PutUntilEnd(queue, next);
  PutUntilEnd(queue, last);
  EXPECT_TRUE(slow.IsAlive());
  EXPECT_TRUE(queue.Put(1));
  slow.Release();
}

TEST(GateTest, APutterThatDoesNotRunHoldsUpNoOther) {
  Queue<int> queue(1);
  EXPECT_TRUE(queue.Put(0));
  const auto put = [&] { EXPECT_TRUE(queue.Put(1)); };
  Waiting slow(put);
  Waiting next(put);
  next.Release();
  while (next.IsAlive()) {
    (void)queue.TryGet();
    (void)queue.TryPut(0);
    std::this_thread::yield();
  }
  EXPECT_TRUE(slow.IsAlive());
  while (queue.TryGet()) {
  }
  slow.Release();
}

TEST(GateTest, ASelectThatDoesNotRunHoldsUpNoGetter) {
  Queue<int> queue;
  Queue<int> other;
  Waiting slow([&] { EXPECT_TRUE(SelectGet(queue, other)); });
  Waiting next([&] { EXPECT_TRUE(queue.Get()); });
  next.Release();
  PutUntilEnd(queue, next);
  EXPECT_TRUE(slow.IsAlive());
  EXPECT_TRUE(queue.Put(1));
  slow.Release();
}

}  // namespace
}  // namespace queue_internal
}  // namespace heddle
