// Models of WorkDeque: (D1)-(D3), under every schedule.

#include <array>
#include <cstddef>

#include "gtest/gtest.h"
#include "heddle/pool/internal/work_deque.h"
#include "heddle/thread/internal/var.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace pool_internal {
namespace {

using explore::Execution;
using explore::Holds;
using internal::Var;

struct Item {
  Var<bool> made = false;  // by the owner, before the push
  Var<int> times = 0;

  Item* Make() {
    made = true;
    return this;
  }
  void Take() {
    explore::Check(made);
    ++times;
  }
};

void TakeIf(Item* item) {
  if (item != nullptr) item->Take();
}

// Takes what is left; each item has been taken once then.
template <size_t kItems>
void TakeTheRest(WorkDeque<Item>& deque,
                 const std::array<Item, kItems>& items) {
  while (Item* const item = deque.Pop()) item->Take();
  for (const Item& item : items) explore::Check(item.times == 1);
}

TEST(WorkDequeModel, WhatIsPushedIsTakenOnce) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    WorkDeque<Item> deque(2);
    std::array<Item, 2> items;
    run.Run(
        [&] {
          for (Item& item : items) deque.Push(item.Make());
          TakeIf(deque.Pop());
          TakeIf(deque.Pop());
        },
        [&] { TakeIf(deque.Steal()); });
    for (const Item& item : items) explore::Check(item.times == 1);
    explore::Check(deque.Size() == 0);
  }));
}

TEST(WorkDequeModel, TwoThievesAndTheOwnerNeverTakeTheSame) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    WorkDeque<Item> deque(2);
    std::array<Item, 2> items;
    run.Run(
        [&] {
          for (Item& item : items) deque.Push(item.Make());
          TakeIf(deque.Pop());
        },
        [&] { TakeIf(deque.Steal()); }, [&] { TakeIf(deque.Steal()); });
    TakeTheRest(deque, items);
  }));
}

TEST(WorkDequeModel, AThiefThatReadsAnOutgrownArrayFindsTheSame) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    WorkDeque<Item> deque(1);
    std::array<Item, 3> items;
    run.Run(
        [&] {
          for (Item& item : items) deque.Push(item.Make());
        },
        [&] {
          TakeIf(deque.Steal());
          TakeIf(deque.Steal());
        });
    TakeTheRest(deque, items);
  }));
}

// One slot, used again and again while it is stolen from.
TEST(WorkDequeModel, ASlotIsNotUsedAgainBeforeItWasRead) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    WorkDeque<Item> deque(1);
    std::array<Item, 2> items;
    run.Run(
        [&] {
          deque.Push(items[0].Make());
          TakeIf(deque.Pop());
          deque.Push(items[1].Make());
        },
        [&] { TakeIf(deque.Steal()); });
    TakeTheRest(deque, items);
  }));
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
