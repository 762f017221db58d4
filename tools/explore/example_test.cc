// Explores code of a user's that is written on Heddle's primitives: a counter
// that is bounded, first with a mistake.
// Run: bazel test --config=model //tools/explore:example_test

#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

// Never more than one: IsFull() and Add() each take the lock.
class Bounded {
 public:
  bool IsFull() {
    const LockGuard guard(lock_);
    return count_ == 1;
  }
  void Add() {
    const LockGuard guard(lock_);
    ++count_;
  }
  bool AddUnlessFull() {
    const LockGuard guard(lock_);
    if (count_ == 1) return false;
    ++count_;
    return true;
  }
  int count() {
    const LockGuard guard(lock_);
    return count_;
  }

 private:
  Lock lock_;
  internal::Var<int> count_ ABSL_GUARDED_BY(lock_) = 0;
};

TEST(ExampleTest, LookingAndThenAddingOverfills) {
  EXPECT_TRUE(explore::Finds(explore::FailureKind::kCheck, {},
                             [](explore::Execution& run) {
                               Bounded bounded;
                               const auto add = [&] {
                                 if (!bounded.IsFull()) bounded.Add();
                               };
                               run.Run(add, add);
                               EXPECT_EQ(bounded.count(), 1);
                             }));
}

TEST(ExampleTest, AddingUnlessFullDoesNot) {
  EXPECT_TRUE(explore::Explore({}, [](explore::Execution& run) {
    Bounded bounded;
    const auto add = [&] { bounded.AddUnlessFull(); };
    run.Run(add, add);
    EXPECT_EQ(bounded.count(), 1);
  }));
}

}  // namespace
}  // namespace heddle
