#include "heddle/thread/internal/throw.h"

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "absl/base/config.h"
#include "gtest/gtest.h"

namespace heddle {
namespace internal {
namespace {

TEST(ThrowTest, CatchAllReturnsNullWhenNothingIsThrown) {
  bool called = false;
  EXPECT_EQ(CatchAll([&] { called = true; }), nullptr);
  EXPECT_TRUE(called);
}

TEST(ThrowTest, CatchAllCallsAnRvalueBodyAsOne) {
  struct Body {
    void operator()() && { *called = true; }
    bool* called;
  };
  bool called = false;
  EXPECT_EQ(CatchAll(Body{&called}), nullptr);
  EXPECT_TRUE(called);
}

TEST(ThrowDeathTest, FatalSaysWhatAndAborts) {
  EXPECT_DEATH(Fatal("the roof is on fire"),
               "^heddle: fatal: the roof is on fire\n");
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ThrowTest, ThrowThrowsItsArgumentWithItsType) {
  try {
    Throw(std::out_of_range("too far"));
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "too far");
    return;
  }
  FAIL() << "thrown with another type";
}

TEST(ThrowTest, CatchAllReturnsWhatWasThrownWhateverItsType) {
  struct OwnType {
    int value;
  };
  const std::exception_ptr standard =
      CatchAll([] { throw std::runtime_error("no"); });
  ASSERT_NE(standard, nullptr);
  EXPECT_THROW(Rethrow(standard), std::runtime_error);
  const std::exception_ptr integer = CatchAll([] { throw 42; });
  ASSERT_NE(integer, nullptr);
  EXPECT_THROW(Rethrow(integer), int);
  const std::exception_ptr own = CatchAll([] { throw OwnType{7}; });
  ASSERT_NE(own, nullptr);
  try {
    Rethrow(own);
  } catch (const OwnType& caught) {
    EXPECT_EQ(caught.value, 7);
  }
}

TEST(ThrowTest, RethrowThrowsTheSameObject) {
  const void* thrown = nullptr;
  const std::exception_ptr error = CatchAll([&] {
    try {
      throw std::runtime_error("one object");
    } catch (const std::runtime_error& object) {
      thrown = &object;
      throw;
    }
  });
  for (int i = 0; i < 2; ++i) {
    try {
      Rethrow(error);
    } catch (const std::runtime_error& object) {
      EXPECT_EQ(&object, thrown);
    }
  }
}
#else
TEST(ThrowDeathTest, ThrowIsFatalWithoutExceptions) {
  EXPECT_DEATH(Throw(std::out_of_range("too far")),
               "^heddle: fatal: too far\n");
}

TEST(ThrowDeathTest, RethrowIsFatalWithoutExceptions) {
  EXPECT_DEATH(Rethrow(nullptr), "^heddle: fatal: an exception was to be");
}
#endif

}  // namespace
}  // namespace internal
}  // namespace heddle
