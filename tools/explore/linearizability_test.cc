#include "heddle/tools/explore/linearizability.h"

#include <deque>
#include <thread>

#include "gtest/gtest.h"

namespace heddle {
namespace explore {
namespace {

// Of a queue: Put(value), or a Get() that returned it; 0: found nothing.
struct Call {
  bool put;
  int value;
};

bool Apply(std::deque<int>& queue, const Call& call) {
  if (call.put) {
    queue.push_back(call.value);
    return true;
  }
  if (queue.empty()) return call.value == 0;
  if (queue.front() != call.value) return false;
  queue.pop_front();
  return true;
}

bool Accepts(const History<Call>& history) {
  return IsLinearizable(history, std::deque<int>(), Apply);
}

TEST(LinearizabilityTest, AcceptsWhatHappensInOrder) {
  History<Call> history;
  history.AddCall(0, 1, {true, 1});
  history.AddCall(2, 3, {true, 2});
  history.AddCall(4, 5, {false, 1});
  history.AddCall(6, 7, {false, 2});
  history.AddCall(8, 9, {false, 0});
  EXPECT_TRUE(Accepts(history));
}

TEST(LinearizabilityTest, AcceptsNothingAtAll) {
  EXPECT_TRUE(Accepts(History<Call>()));
}

TEST(LinearizabilityTest, RejectsTheWrongOrder) {
  History<Call> history;
  history.AddCall(0, 1, {true, 1});
  history.AddCall(2, 3, {true, 2});
  history.AddCall(4, 5, {false, 2});
  EXPECT_FALSE(Accepts(history));
}

TEST(LinearizabilityTest, CallsThatOverlapMayHappenInEitherOrder) {
  History<Call> history;
  history.AddCall(0, 3, {true, 1});
  history.AddCall(1, 2, {true, 2});
  history.AddCall(4, 5, {false, 2});
  history.AddCall(6, 7, {false, 1});
  EXPECT_TRUE(Accepts(history));
}

TEST(LinearizabilityTest, ACallMayHaveHappenedBeforeItReturned) {
  History<Call> history;
  history.AddCall(0, 9, {true, 1});
  history.AddCall(2, 3, {false, 1});
  EXPECT_TRUE(Accepts(history));
}

TEST(LinearizabilityTest, RejectsAResultFromTheFuture) {
  History<Call> history;
  history.AddCall(0, 1, {false, 1});
  history.AddCall(2, 3, {true, 1});
  EXPECT_FALSE(Accepts(history));
}

TEST(LinearizabilityTest, RejectsAnItemThatIsGivenOutTwice) {
  History<Call> history;
  history.AddCall(0, 1, {true, 1});
  history.AddCall(2, 5, {false, 1});
  history.AddCall(3, 6, {false, 1});
  EXPECT_FALSE(Accepts(history));
}

TEST(LinearizabilityTest, RejectsAnEmptyQueueThatIsNot) {
  History<Call> history;
  history.AddCall(0, 1, {true, 1});
  history.AddCall(2, 3, {false, 0});
  EXPECT_FALSE(Accepts(history));
}

TEST(LinearizabilityTest, DecidesTwelveCallsThatAllOverlap) {
  History<Call> right;
  History<Call> wrong;
  for (int i = 1; i <= 6; ++i) {
    right.AddCall(0, 100, {true, i});
    right.AddCall(0, 100, {false, 7 - i});
    wrong.AddCall(0, 100, {true, i});
    wrong.AddCall(0, 100, {false, i == 6 ? 5 : i});  // 5 twice
  }
  EXPECT_TRUE(Accepts(right));
  EXPECT_FALSE(Accepts(wrong));
}

TEST(LinearizabilityTest, RefusesMoreThanItCanDecide) {
  History<Call> history;
  for (int i = 0; i < 13; ++i) history.AddCall(0, 1, {true, 1});
  EXPECT_FALSE(Accepts(history));
}

TEST(LinearizabilityTest, KeepsWhatThreadsAdd) {
  History<Call> history;
  std::thread other([&] { history.Add([] { return Call{true, 1}; }); });
  other.join();
  history.Add([] { return Call{false, 1}; });
  ASSERT_EQ(history.size(), 2u);
  EXPECT_LT(history[0].end, history[1].begin);
  EXPECT_TRUE(Accepts(history));
}

}  // namespace
}  // namespace explore
}  // namespace heddle
