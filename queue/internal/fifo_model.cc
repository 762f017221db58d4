// Models of Fifo: (F1)-(F3), [USED] and [SPARE] of fifo.h, under every schedule,
// with segments of two items.

#include <cstddef>
#include <utility>

#include "gtest/gtest.h"
#include "heddle/queue/internal/fifo.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace queue_internal {
namespace {

using explore::Execution;
using explore::Holds;
using internal::Atomic;
using internal::Var;

// An item whose value is gone when it is destroyed: who reads it then, or at the
// same time, is found.
class Item {
 public:
  explicit Item(int value) : value_(value) {}
  Item(Item&& other) noexcept : value_(std::exchange(other.value_, 0)) {}
  Item& operator=(Item&&) = delete;
  ~Item() { value_ = -1; }
  int value() const { return value_; }

 private:
  Var<int> value_;
};

// One that need not be destroyed.
class Trivial {
 public:
  explicit Trivial(int value) : value_(value) {}
  int value() const { return value_; }

 private:
  int value_;
};

// A Fifo and what its callers do around it.
template <typename T>
struct Line {
  explicit Line(size_t maxsize) : bound(maxsize), fifo(maxsize) {}

  // False if there is no room.
  bool Put(int value) {
    LockGuard guard(put_lock);
    const size_t n = puts.load(std::memory_order_relaxed);
    if (bound != 0 && n - takes.load(std::memory_order_acquire) == bound) {
      return false;
    }
    fifo.Push(T(value));
    puts.store(n + 1, std::memory_order_release);
    return true;
  }

  // 0 if there is nothing.
  int Take() {
    int value = 0;
    typename Fifo<T, 2>::Remains remains;
    LockGuard guard(get_lock);
    const size_t n = takes.load(std::memory_order_relaxed);
    if (puts.load(std::memory_order_acquire) == n) return 0;
    fifo.Pop([&value](T&& item) { value = T(std::move(item)).value(); },
             remains);
    takes.store(n + 1, std::memory_order_release);
    return value;
  }

  const size_t bound;
  Lock put_lock;
  Lock get_lock;
  Atomic<size_t> puts{0};
  Atomic<size_t> takes{0};
  Fifo<T, 2> fifo;
};

// Of four items the first was taken: the first segment has one item left, the
// second is full. Two take what is left of the first and the first of the second,
// so that one of them leaves the first segment and the other is the last to use
// it, or the same; meanwhile two more are put, which takes a third segment, or
// the first again.
template <typename T>
void TakeAcrossSegments(Execution& run) {
  Line<T> line(/*maxsize=*/0);
  for (int i = 1; i <= 4; ++i) line.Put(i);
  explore::Check(line.Take() == 1);
  int sum = 1;
  const auto take = [&line, &sum] { sum += line.Take(); };
  run.Run(take, take, [&line] {
    line.Put(5);
    line.Put(6);
  });
  while (const int value = line.Take()) sum += value;
  explore::Check(sum == 21);
}

// The same without puts, until two segments have been left: one of them is freed.
template <typename T>
void TakeUntilASegmentIsFreed(Execution& run) {
  Line<T> line(/*maxsize=*/0);
  for (int i = 1; i <= 5; ++i) line.Put(i);
  explore::Check(line.Take() == 1);
  int sum = 1;
  run.Run([&line, &sum] { sum += line.Take(); },
          [&line, &sum] {
            for (int i = 0; i < 3; ++i) sum += line.Take();
          });
  explore::Check(sum == 15);
}

TEST(FifoModel, SegmentsAreFreedOnlyWhenAllAreDoneWithThem) {
  EXPECT_TRUE(Holds(1, TakeUntilASegmentIsFreed<Item>));
}

TEST(FifoModel, SegmentsOfTrivialItemsAreFreedOnlyWhenLeft) {
  EXPECT_TRUE(Holds(1, TakeUntilASegmentIsFreed<Trivial>));
}

TEST(FifoModel, SegmentsAreUsedAgainOnlyWhenAllAreDoneWithThem) {
  EXPECT_TRUE(Holds(1, TakeAcrossSegments<Item>));
}

TEST(FifoModel, SegmentsOfTrivialItemsAreUsedAgainOnlyWhenLeft) {
  EXPECT_TRUE(Holds(1, TakeAcrossSegments<Trivial>));
}

TEST(FifoModel, SlotsOfARingAreUsedAgainOnlyWhenTaken) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Line<Item> line(/*maxsize=*/1);
    int put = 0;
    int sum = 0;
    run.Run([&] { put = (line.Put(1) ? 1 : 0) + (line.Put(2) ? 2 : 0); },
            [&] {
              sum += line.Take();
              sum += line.Take();
            });
    explore::Check(sum + line.Take() == put);
  }));
}

}  // namespace
}  // namespace queue_internal
}  // namespace heddle
