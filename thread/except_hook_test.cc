#include "heddle/thread/except_hook.h"

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/thread_id.h"

#if defined(__linux__)
#include <pthread.h>
#endif

namespace heddle {
namespace {

using internal::ReportException;
using internal::ThreadId;

#ifdef ABSL_HAVE_EXCEPTIONS

struct OwnError : std::runtime_error {
  using runtime_error::runtime_error;
};
struct OwnType {};

template <typename Error>
std::exception_ptr Make(Error error) {
  return std::make_exception_ptr(std::move(error));
}

// What `body` prints to stderr.
std::string Printed(const std::function<void()>& body) {
  testing::internal::CaptureStderr();
  body();
  return testing::internal::GetCapturedStderr();
}

// Restores the default hook when the test ends.
class ExceptHookTest : public testing::Test {
 protected:
  ~ExceptHookTest() override { SetExceptHook(nullptr); }
};

TEST_F(ExceptHookTest, DescriptionIsTheTypeAndWhat) {
  EXPECT_EQ(DescribeException(Make(std::runtime_error("disk full"))),
            "std::runtime_error: disk full");
  EXPECT_EQ(DescribeException(Make(std::runtime_error("first\nsecond"))),
            "std::runtime_error: first\\nsecond");
  EXPECT_EQ(DescribeException(Make(OwnError("mine"))),
            "heddle::(anonymous namespace)::OwnError: mine");
  EXPECT_EQ(DescribeException(Make(std::bad_alloc())),
            "std::bad_alloc: std::bad_alloc");
}

TEST_F(ExceptHookTest, DescriptionOfWhatIsNoStdExceptionIsItsType) {
  EXPECT_EQ(DescribeException(Make(42)), "int");
  EXPECT_EQ(DescribeException(Make(OwnType())),
            "heddle::(anonymous namespace)::OwnType");
}

TEST_F(ExceptHookTest, DescribingLeavesTheExceptionAsItWas) {
  const std::exception_ptr error = Make(std::runtime_error("again"));
  EXPECT_EQ(DescribeException(error), DescribeException(error));
  EXPECT_THROW(std::rethrow_exception(error), std::runtime_error);
}

TEST_F(ExceptHookTest, DefaultHookPrintsOneLineOfThisForm) {
  const ExceptHookArgs args{Make(std::runtime_error("disk full")), "search",
                            4711};
  EXPECT_EQ(
      Printed([&] { DefaultExceptHook(args); }),
      "Exception in thread 4711 (search): std::runtime_error: disk full\n");
}

TEST_F(ExceptHookTest, ItIsOneLineWhateverNameAndMessageHave) {
  const ExceptHookArgs args{Make(std::runtime_error("disk\nfull\r")),
                            std::string("se\nar\0ch\r", 9), 4711};
  EXPECT_EQ(Printed([&] { DefaultExceptHook(args); }),
            "Exception in thread 4711 (se\\nar\\0ch\\r): "
            "std::runtime_error: disk\\nfull\\r\n");
}

TEST_F(ExceptHookTest, WhatIsReportedAtFirstGoesToTheDefaultHook) {
  std::string printed;
  std::string expected;
  std::thread thread([&] {
#if defined(__linux__)
    pthread_setname_np(pthread_self(), "search");
    expected = "(search)";
#endif
    expected = "Exception in thread " + std::to_string(ThreadId()) + " " +
               expected + ": std::runtime_error: disk full\n";
    printed =
        Printed([] { ReportException(Make(std::runtime_error("disk full"))); });
  });
  thread.join();
#if defined(__linux__)
  EXPECT_EQ(printed, expected);
#endif
}

TEST_F(ExceptHookTest, HookIsCalledOnceInTheThreadThatReports) {
  int calls = 0;
  uint64_t called_in = 0;
  ExceptHookArgs seen;
  SetExceptHook([&](const ExceptHookArgs& args) {
    ++calls;
    called_in = ThreadId();
    seen = args;
  });
  const std::exception_ptr error = Make(OwnError("mine"));
  uint64_t thread_id = 0;
  const std::string printed = Printed([&] {
    std::thread thread([&] {
#if defined(__linux__)
      pthread_setname_np(pthread_self(), "search");
#endif
      thread_id = ThreadId();
      ReportException(error);
    });
    thread.join();
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(called_in, thread_id);
  EXPECT_EQ(seen.thread_id, thread_id);
  EXPECT_EQ(seen.exception, error);  // the same object
#if defined(__linux__)
  EXPECT_EQ(seen.thread_name, "search");
#endif
  EXPECT_EQ(printed, "");  // the hook instead of the line, not beside it
}

TEST_F(ExceptHookTest, EmptyHookRestoresTheDefault) {
  bool called = false;
  SetExceptHook([&](const ExceptHookArgs&) { called = true; });
  SetExceptHook(ExceptHook());
  const std::string printed =
      Printed([] { ReportException(Make(std::runtime_error("back"))); });
  EXPECT_FALSE(called);
  EXPECT_NE(printed.find("std::runtime_error: back\n"), std::string::npos);
}

TEST_F(ExceptHookTest, HookMayCallTheDefaultHook) {
  SetExceptHook([](const ExceptHookArgs& args) { DefaultExceptHook(args); });
  const std::string printed =
      Printed([] { ReportException(Make(std::runtime_error("both"))); });
  EXPECT_NE(printed.find("std::runtime_error: both\n"), std::string::npos);
}

TEST_F(ExceptHookTest, HookThatThrowsIsContainedAndBothArePrinted) {
  SetExceptHook([](const ExceptHookArgs&) { throw OwnError("in the hook"); });
  const std::string printed =
      Printed([] { ReportException(Make(std::runtime_error("before"))); });
  const std::string thread =
      "Exception in thread " + std::to_string(ThreadId()) + " (";
  EXPECT_EQ(
      printed.find("Exception in the except hook, while it handled another:\n"),
      0u);
  const size_t first = printed.find(thread);
  ASSERT_NE(first, std::string::npos);
  const size_t second = printed.find(thread, first + 1);
  ASSERT_NE(second, std::string::npos);
  const size_t hook_error =
      printed.find("): heddle::(anonymous namespace)::OwnError: in the hook\n");
  const size_t error = printed.find("): std::runtime_error: before\n");
  EXPECT_TRUE(first < hook_error && hook_error < second && second < error)
      << printed;
}

TEST_F(ExceptHookTest, HookThatThrowsSomethingOfAnyTypeIsContained) {
  SetExceptHook([](const ExceptHookArgs&) { throw 42; });
  const std::string printed = Printed([] { ReportException(Make(OwnType())); });
  EXPECT_NE(printed.find("): int\n"), std::string::npos);
  EXPECT_NE(printed.find("OwnType\n"), std::string::npos);
}

TEST_F(ExceptHookTest, HookThatReportsAnotherIsCalledForThatToo) {
  int calls = 0;
  SetExceptHook([&](const ExceptHookArgs&) {
    if (++calls == 1) ReportException(Make(42));
  });
  ReportException(Make(1));
  EXPECT_EQ(calls, 2);
}

TEST_F(ExceptHookTest, HookMayReplaceItselfAndRunsOn) {
  auto alive = std::make_shared<int>(7);
  const std::weak_ptr<int> watch = alive;
  int seen = 0;
  SetExceptHook([&seen, alive = std::move(alive)](const ExceptHookArgs&) {
    SetExceptHook(nullptr);
    seen = *alive;  // not destroyed while it runs
  });
  ReportException(Make(1));
  EXPECT_EQ(seen, 7);
  EXPECT_TRUE(watch.expired());
}

TEST_F(ExceptHookTest, OldHookIsDestroyedWhenTheLastThatRunsIsDone) {
  auto token = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = token;
  std::atomic<bool> entered{false};
  std::atomic<bool> may_leave{false};
  SetExceptHook([&, token = std::move(token)](const ExceptHookArgs&) {
    entered.store(true);
    while (!may_leave.load()) std::this_thread::yield();
  });
  std::thread thread([] { ReportException(Make(1)); });
  while (!entered.load()) std::this_thread::yield();
  SetExceptHook(nullptr);
  EXPECT_FALSE(watch.expired());
  may_leave.store(true);
  thread.join();
  EXPECT_TRUE(watch.expired());
}

TEST_F(ExceptHookTest, DestructorOfAHookMaySetTheHook) {
  struct SetsAnother {
    explicit SetsAnother(bool& s) : set(&s) {}
    SetsAnother(SetsAnother&& other) noexcept
        : set(std::exchange(other.set, nullptr)) {}
    SetsAnother(const SetsAnother& other) : set(other.set) {}
    SetsAnother& operator=(const SetsAnother&) = delete;
    ~SetsAnother() {
      if (set == nullptr) return;
      *set = true;
      SetExceptHook(nullptr);  // would wait for itself under the lock
    }
    void operator()(const ExceptHookArgs&) const {}
    bool* set;
  };
  bool set = false;
  SetExceptHook(SetsAnother(set));
  SetExceptHook(nullptr);
  EXPECT_TRUE(set);
}

TEST_F(ExceptHookTest, HooksMayBeSetWhileOthersReport) {
  constexpr int kReports = 2000;
  std::atomic<int> first{0};
  std::atomic<int> second{0};
  std::atomic<bool> done{false};
  SetExceptHook([&](const ExceptHookArgs&) { ++first; });
  std::thread setter([&] {
    while (!done.load()) {
      SetExceptHook([&](const ExceptHookArgs&) { ++second; });
      SetExceptHook([&](const ExceptHookArgs&) { ++first; });
    }
  });
  std::vector<std::thread> reporters;
  for (int i = 0; i < 2; ++i) {
    reporters.emplace_back([] {
      const std::exception_ptr error = Make(1);
      for (int n = 0; n < kReports; ++n) ReportException(error);
    });
  }
  for (std::thread& reporter : reporters) reporter.join();
  done.store(true);
  setter.join();
  EXPECT_EQ(first.load() + second.load(), 2 * kReports);
}

#else

TEST(ExceptHookTest, DescriptionSaysThatTheBuildHasNoExceptions) {
  EXPECT_EQ(DescribeException(std::exception_ptr()),
            "an exception, in a build without exceptions");
}

TEST(ExceptHookTest, HookMayBeSetAndIsCalledWithoutExceptionsToo) {
  int calls = 0;
  SetExceptHook([&](const ExceptHookArgs& args) {
    ++calls;
    EXPECT_EQ(args.thread_id, ThreadId());
  });
  ReportException(std::exception_ptr());
  SetExceptHook(nullptr);
  EXPECT_EQ(calls, 1);
}

#endif

}  // namespace
}  // namespace heddle
