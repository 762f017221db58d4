#include "heddle/sync/internal/small_action.h"

#include <memory>
#include <type_traits>
#include <utility>

#include "gtest/gtest.h"

namespace heddle {
namespace sync_internal {
namespace {

// Counts how many of it there are, and those that are not only moved-from.
class Counted {
 public:
  Counted(int& alive, int& calls) : alive_(alive), calls_(&calls) { ++alive_; }
  Counted(Counted&& other) noexcept
      : alive_(other.alive_), calls_(std::exchange(other.calls_, nullptr)) {
    ++alive_;
  }
  ~Counted() { --alive_; }

  void operator()() { ++*calls_; }

 private:
  int& alive_;
  int* calls_;
};

TEST(SmallActionTest, IsNoneAtFirst) {
  SmallAction none;
  EXPECT_FALSE(none);
}

TEST(SmallActionTest, IsMovedNotCopied) {
  EXPECT_FALSE(std::is_copy_constructible_v<SmallAction>);
  EXPECT_FALSE(std::is_copy_assignable_v<SmallAction>);
  EXPECT_TRUE(std::is_nothrow_move_constructible_v<SmallAction>);
}

TEST(SmallActionTest, CallsWhatItWasMadeOfAsOftenAsItIsCalled) {
  int calls = 0;
  SmallAction action([&calls] { ++calls; });
  EXPECT_TRUE(action);
  action();
  action();
  EXPECT_EQ(calls, 2);
}

TEST(SmallActionTest, KeepsTheActionsState) {
  int last = 0;
  SmallAction action([&last, count = 0]() mutable { last = ++count; });
  action();
  action();
  EXPECT_EQ(last, 2);
}

TEST(SmallActionTest, TakesFunctionsAndPassesOverResults) {
  static int calls = 0;
  SmallAction action(+[] { return ++calls; });
  action();
  EXPECT_EQ(calls, 1);
}

TEST(SmallActionTest, HasRoomForThreePointers) {
  int a = 1;
  int b = 2;
  int sum = 0;
  SmallAction action([&a, &b, &sum] { sum = a + b; });
  action();
  EXPECT_EQ(sum, 3);
}

TEST(SmallActionTest, TakesWhatCanOnlyBeMoved) {
  int result = 0;
  SmallAction action(
      [value = std::make_unique<int>(7), &result] { result = *value; });
  SmallAction moved(std::move(action));
  moved();
  EXPECT_EQ(result, 7);
}

TEST(SmallActionTest, DestroysWhatItHoldsOnceHoweverOftenItIsMoved) {
  int alive = 0;
  int calls = 0;
  {
    SmallAction first(Counted(alive, calls));
    EXPECT_EQ(alive, 1);
    SmallAction second(std::move(first));
    SmallAction third(std::move(second));
    third();
    EXPECT_EQ(calls, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(SmallActionTest, MovingNoneGivesNone) {
  SmallAction none;
  const SmallAction moved(std::move(none));
  EXPECT_FALSE(moved);
}

}  // namespace
}  // namespace sync_internal
}  // namespace heddle
