// Every pattern of a deadlock, with every kind of lock: each test is one cell.

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"
#include "heddle/sync/condition.h"
#include "heddle/sync/lock.h"
#include "heddle/sync/lock_order.h"
#include "heddle/sync/rlock.h"

#ifdef HEDDLE_LOCK_ORDER

namespace heddle {
namespace {

// Four locks of the kinds that a column of the matrix has.
struct FourLocks {
  Lock a, b, c, d;
};
struct FourRLocks {
  RLock a, b, c, d;
};
struct FourConditions {  // each with an RLock of its own
  Condition a, b, c, d;
};
struct FourBorrowers {  // conditions with locks of both kinds
  Lock lock_a, lock_c;
  RLock lock_b, lock_d;
  Condition a{lock_a}, b{lock_b}, c{lock_c}, d{lock_d};
};
struct FourMixed {
  Lock a;
  RLock b;
  Lock c;
  RLock d;
};

template <typename Four>
class LockOrderMatrixTest : public testing::Test {
 protected:
  LockOrderMatrixTest() {
    SetLockOrderHook([this](const std::string&) { ++reports_; });
  }
  ~LockOrderMatrixTest() override { SetLockOrderHook(nullptr); }

  // Takes locks in orders written as "AB BA": each word in a thread of its own,
  // one after the other, so that nothing ever waits. Returns how many reports
  // that gave.
  int Take(std::string_view orders) {
    while (!orders.empty()) {
      const size_t end = std::min(orders.find(' '), orders.size());
      std::thread([this, order = orders.substr(0, end)] {
        TakeAll(order);
      }).join();
      orders.remove_prefix(std::min(end + 1, orders.size()));
    }
    return std::exchange(reports_, 0);
  }

  template <typename Action>
  void With(char name, Action action) {
    switch (name) {
      case 'A':
        return action(four_.a);
      case 'B':
        return action(four_.b);
      case 'C':
        return action(four_.c);
      default:
        return action(four_.d);
    }
  }

  // Nested, in the calling thread.
  void TakeAll(std::string_view order) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (order.empty()) return;
    With(order[0], [&](auto& lock) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      lock.lock();
      TakeAll(order.substr(1));
      lock.unlock();
    });
  }

  Four four_;
  int reports_ = 0;
};

using Kinds = testing::Types<FourLocks, FourRLocks, FourConditions,
                             FourBorrowers, FourMixed>;
TYPED_TEST_SUITE(LockOrderMatrixTest, Kinds);

TYPED_TEST(LockOrderMatrixTest, AbBa) { EXPECT_EQ(this->Take("AB BA"), 1); }

TYPED_TEST(LockOrderMatrixTest, AbBcCa) {
  EXPECT_EQ(this->Take("AB BC CA"), 1);
}

TYPED_TEST(LockOrderMatrixTest, AbCaBc) {
  EXPECT_EQ(this->Take("AB CA BC"), 1);
}

TYPED_TEST(LockOrderMatrixTest, AbBcCdDa) {
  EXPECT_EQ(this->Take("AB BC CD DA"), 1);
}

TYPED_TEST(LockOrderMatrixTest, AbCdBdDa) {
  EXPECT_EQ(this->Take("AB CD BD DA"), 1);
}

TYPED_TEST(LockOrderMatrixTest, AbCdBcDa) {
  EXPECT_EQ(this->Take("AB CD BC DA"), 1);
}

TYPED_TEST(LockOrderMatrixTest, AbcCb) { EXPECT_EQ(this->Take("ABC CB"), 1); }

TYPED_TEST(LockOrderMatrixTest, OneOrderIsNeverReported) {
  EXPECT_EQ(this->Take("ABCD AB BC CD AC BD AD ABCD"), 0);
}

TYPED_TEST(LockOrderMatrixTest, SeparateLocksAreNeverReported) {
  EXPECT_EQ(this->Take("A B C D D C B A"), 0);
}

#ifdef ABSL_HAVE_EXCEPTIONS
TYPED_TEST(LockOrderMatrixTest, DoubleUnlockThrowsAndIsForgotten) {
  this->With('A', [](auto& lock) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock.lock();
    lock.unlock();
    EXPECT_THROW(lock.unlock(), std::logic_error);
  });
  EXPECT_EQ(this->Take("AB BA"), 1);
}
#endif

template <typename T>
constexpr bool kRecursive = !std::is_same_v<T, Lock>;

// A Lock that its holder wants again is reported (lock_order_test has that, as
// somebody must let it go); the others may be taken again.
TYPED_TEST(LockOrderMatrixTest, AaOfARecursiveLockIsNeverReported) {
  this->With('B', [&](auto& lock) {
    if (!kRecursive<std::decay_t<decltype(lock)>>) GTEST_SKIP();
    EXPECT_EQ(this->Take("BB BBB"), 0);
  });
}

// A Lock may be released by any thread, and then nobody holds it; an RLock may
// not, and then it is still held.
#ifdef ABSL_HAVE_EXCEPTIONS
TYPED_TEST(LockOrderMatrixTest, ForeignUnlockIsFollowedOrRefused) {
  this->With('A', [&](auto& lock) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock.lock();
    bool released = false;
    std::thread([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      try {
        lock.unlock();
        released = true;
      } catch (const std::logic_error&) {
      }
    }).join();
    this->TakeAll("B");
    if (!released) lock.unlock();
    // "AB" was seen only where A was still held.
    EXPECT_EQ(this->Take("BA"), released ? 0 : 1);
  });
}
#endif

}  // namespace
}  // namespace heddle

#endif  // HEDDLE_LOCK_ORDER
