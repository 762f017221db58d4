// Models of Fifo: (F1)-(F4), [USED] and [SPARE] of fifo.h, under every schedule,
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

  // As a queue, it is destroyed after the calls have released the locks.
  ~Line() {
    const LockGuard put_guard(put_lock);
    const LockGuard get_guard(get_lock);
  }

  // Destroys what there is, and lets nobody find anything any more.
  void DropAll() {
    typename Fifo<T, 2>::Remains remains;
    LockGuard put_guard(put_lock);
    LockGuard get_guard(get_lock);
    const size_t n = puts.load(std::memory_order_relaxed);
    fifo.Drop(n - takes.load(std::memory_order_relaxed), remains);
    takes.store(n, std::memory_order_release);
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

// Two take the last two items, and whoever has the last destroys the Fifo.
template <typename T>
void TakeAndDestroy(Execution& run, int first_taken) {
  auto* const line = new Line<T>(/*maxsize=*/0);
  for (int i = 1; i <= first_taken + 2; ++i) line->Put(i);
  for (int i = 1; i <= first_taken; ++i) explore::Check(line->Take() == i);
  const auto take = [&] {
    const int value = line->Take();
    explore::Check(value > first_taken);
    if (value == first_taken + 2) delete line;
  };
  run.Run(take, take);
}

TEST(FifoModel, WhoHasTheLastOfASegmentMayDestroyIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) { TakeAndDestroy<Item>(run, 0); }));
}

TEST(FifoModel, WhoHasTheLastOfTwoSegmentsMayDestroyIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) { TakeAndDestroy<Item>(run, 1); }));
}

TEST(FifoModel, WhoHasTheLastTrivialItemMayDestroyIt) {
  EXPECT_TRUE(
      Holds(1, [](Execution& run) { TakeAndDestroy<Trivial>(run, 1); }));
}

// One drops what there is, another that finds nothing destroys the Fifo.
template <typename T>
void DropAndDestroy(Execution& run, size_t maxsize) {
  auto* line = new Line<T>(maxsize);
  for (int i = 1; i <= 3; ++i) line->Put(i);
  explore::Check(line->Take() == 1);
  if (maxsize != 0) line->Put(4);  // in the place of the first
  run.Run([&] { line->DropAll(); },
          [&] {
            if (line->Take() == 0) delete std::exchange(line, nullptr);
          });
  delete line;
}

TEST(FifoModel, WhoFindsThatAllWasDroppedMayDestroyIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) { DropAndDestroy<Item>(run, 0); }));
}

TEST(FifoModel, WhoFindsThatARingWasDroppedMayDestroyIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) { DropAndDestroy<Item>(run, 3); }));
}

TEST(FifoModel, WhoFindsThatTrivialItemsWereDroppedMayDestroyIt) {
  EXPECT_TRUE(
      Holds(1, [](Execution& run) { DropAndDestroy<Trivial>(run, 0); }));
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
