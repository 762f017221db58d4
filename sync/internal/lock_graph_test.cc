#include "heddle/sync/internal/lock_graph.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace heddle {
namespace sync_internal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint32_t kThread = 1;
constexpr uint32_t kOther = 2;

class LockGraphTest : public testing::Test {
 protected:
  // `thread` takes `second` while it holds `first`; what is wrong with that.
  std::string TakeInOrder(uint32_t thread, const char& first,
                          const char& second) {
    std::string report = graph_.Wanted(thread, &first, {});
    graph_.Taken(thread, &first, {});
    report += graph_.Wanted(thread, &second, {});
    graph_.Taken(thread, &second, {});
    graph_.Released(&second);
    graph_.Released(&first);
    return report;
  }

  LockGraph graph_;
  const char locks_[4] = {};
  const char& a_ = locks_[0];
  const char& b_ = locks_[1];
  const char& c_ = locks_[2];
  const char& d_ = locks_[3];
};

TEST_F(LockGraphTest, OppositeOrdersAreReportedTheFirstTime) {
  EXPECT_THAT(TakeInOrder(kThread, a_, b_), IsEmpty());
  EXPECT_THAT(TakeInOrder(kOther, b_, a_), HasSubstr("can deadlock"));
  EXPECT_THAT(TakeInOrder(kOther, b_, a_), IsEmpty());
}

TEST_F(LockGraphTest, LongCyclesAreReportedWithEachStep) {
  EXPECT_THAT(TakeInOrder(1, a_, b_), IsEmpty());
  EXPECT_THAT(TakeInOrder(2, b_, c_), IsEmpty());
  EXPECT_THAT(TakeInOrder(3, c_, d_), IsEmpty());
  const std::string report = TakeInOrder(4, d_, a_);
  for (const char* const thread :
       {"Thread 1", "Thread 2", "Thread 3", "Thread 4"}) {
    EXPECT_THAT(report, HasSubstr(thread));
  }
}

TEST_F(LockGraphTest, LocksOfDifferentThreadsMakeNoOrder) {
  graph_.Taken(kThread, &a_, {});
  EXPECT_THAT(graph_.Wanted(kOther, &b_, {}), IsEmpty());
  graph_.Taken(kOther, &b_, {});
  graph_.Released(&a_);
  graph_.Released(&b_);
  EXPECT_THAT(TakeInOrder(kThread, b_, a_), IsEmpty());
}

TEST_F(LockGraphTest, EveryLockThatIsHeldCounts) {
  graph_.Taken(kThread, &a_, {});
  graph_.Taken(kThread, &b_, {});
  EXPECT_THAT(graph_.Wanted(kThread, &c_, {}), IsEmpty());
  graph_.Released(&a_);
  graph_.Released(&b_);
  EXPECT_THAT(TakeInOrder(kThread, c_, a_), Not(IsEmpty()));
  EXPECT_THAT(TakeInOrder(kThread, c_, b_), Not(IsEmpty()));
}

TEST_F(LockGraphTest, LockThatIsGoneIsForgotten) {
  EXPECT_THAT(TakeInOrder(kThread, a_, b_), IsEmpty());
  EXPECT_THAT(TakeInOrder(kThread, b_, c_), IsEmpty());
  graph_.Gone(&b_);
  EXPECT_THAT(TakeInOrder(kThread, c_, a_), IsEmpty());
  EXPECT_THAT(TakeInOrder(kThread, b_, a_), IsEmpty());
}

TEST_F(LockGraphTest, LockWantedByItsHolderIsReported) {
  graph_.Taken(kThread, &a_, {});
  EXPECT_THAT(graph_.Wanted(kThread, &a_, {}), HasSubstr("taken itself"));
  EXPECT_THAT(graph_.Wanted(kOther, &a_, {}), IsEmpty());
}

TEST_F(LockGraphTest, LockWantedBackIsNotWantedByItsHolder) {
  graph_.Taken(kThread, &a_, {});
  EXPECT_THAT(graph_.WantedBack(kThread, &a_, {}), IsEmpty());
  graph_.Taken(kThread, &b_, {});
  EXPECT_THAT(graph_.WantedBack(kThread, &a_, {}), IsEmpty());  // b, a
  graph_.Released(&b_);
  graph_.Released(&a_);
  EXPECT_THAT(TakeInOrder(kThread, a_, b_), HasSubstr("can deadlock"));
}

TEST_F(LockGraphTest, ReleaseOfWhatNobodyHoldsChangesNothing) {
  graph_.Released(&a_);
  EXPECT_THAT(TakeInOrder(kThread, a_, b_), IsEmpty());
  EXPECT_THAT(TakeInOrder(kThread, b_, a_), Not(IsEmpty()));
}

}  // namespace
}  // namespace sync_internal
}  // namespace heddle
