// Names, daemons, stack sizes, CPUs and niceness: what a Thread is told to be.

#include "heddle/thread/thread_options.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/failing_new.h"
#include "heddle/thread/internal/thread_name.h"
#include "heddle/thread/this_thread.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/thread_handle.h"

#if defined(__linux__)
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#endif

namespace heddle {
namespace {

using internal::CutToSystemName;
using internal::SystemName;

struct Indexer {
  void operator()() const {}
};
template <typename T>
struct IndexerOf {
  void operator()() const {}
};
void PlainFunction() {}

// Runs `thread` to its end.
void RunToEnd(Thread& thread) {
  thread.Start();
  EXPECT_TRUE(thread.Join());
}

bool IsDefaultName(const std::string& name, const std::string& end) {
  if (name.rfind("Thread-", 0) != 0) return false;
  const size_t digits = name.find_first_not_of("0123456789", 7);
  if (digits == 7) return false;
  return (digits == std::string::npos ? "" : name.substr(digits)) == end;
}

int NumberOf(const Thread& thread) {
  return std::stoi(thread.name().substr(7));
}

// ---------------------------------------------------------------------------
// Names

TEST(ThreadNameTest, DefaultIsThreadAndANumberWithTheClassIfItHasAName) {
  EXPECT_TRUE(IsDefaultName(Thread(Indexer()).name(), " (Indexer)"));
  EXPECT_TRUE(IsDefaultName(Thread(IndexerOf<int>()).name(), ""));
  EXPECT_TRUE(IsDefaultName(Thread([] {}).name(), ""));
  EXPECT_TRUE(IsDefaultName(Thread(PlainFunction).name(), ""));
  EXPECT_TRUE(
      IsDefaultName(Thread({.name = ""}, Indexer()).name(), " (Indexer)"));
}

TEST(ThreadNameTest, OnlyDefaultNamesAreCounted) {
  const Thread first([] {});
  const Thread named({.name = "named"}, [] {});
  const Thread second([] {});
  EXPECT_EQ(NumberOf(second), NumberOf(first) + 1);
}

TEST(ThreadNameTest, MayBeSetAtAnyTimeToAnyText) {
  std::atomic<bool> may_end{false};
  Thread thread({.name = "first"}, [&] {
    while (!may_end.load()) std::this_thread::yield();
  });
  EXPECT_EQ(thread.name(), "first");
  thread.set_name("second");
  EXPECT_EQ(thread.name(), "second");
  thread.Start();
  thread.set_name("third");
  EXPECT_EQ(thread.name(), "third");
  may_end.store(true);
  EXPECT_TRUE(thread.Join());
  thread.set_name("");
  EXPECT_EQ(thread.name(), "");
}

TEST(ThreadNameTest, NeedNotBeUnique) {
  const Thread one({.name = "same"}, [] {});
  const Thread other({.name = "same"}, [] {});
  EXPECT_EQ(one.name(), other.name());
  EXPECT_FALSE(one.handle() == other.handle());
}

TEST(ThreadNameTest, SystemShowsItFromTheStartCutTo15Bytes) {
  const std::pair<const char*, const char*> names[] = {
      {"short", "short"},
      {"exactly15 bytes", "exactly15 bytes"},
      {"one more than 15", "one more than 1"},
      {"umlaut at 14: \xc3\xbc", "umlaut at 14: "},
      {"umlaut at 13:\xc3\xbc", "umlaut at 13:\xc3\xbc"},
  };
  for (const auto& [name, shown] : names) {
    std::string seen;
    Thread thread({.name = name}, [&] { seen = SystemName(); });
    RunToEnd(thread);
    EXPECT_EQ(seen, shown);
    EXPECT_EQ(thread.name(), name);
  }
}

TEST(ThreadNameTest, SystemShowsTheDefaultName) {
  std::string seen;
  struct Named {
    void operator()() const { *seen = SystemName(); }
    std::string* seen;
  };
  Thread thread(Named{&seen});
  RunToEnd(thread);
  EXPECT_EQ(seen, std::string(CutToSystemName(thread.name())));
}

TEST(ThreadNameTest, SystemFollowsWhenAThreadNamesItself) {
  std::string seen;
  Thread thread({.name = "before"}, [&] {
    CurrentThread().set_name("itself");
    seen = SystemName();
  });
  RunToEnd(thread);
  EXPECT_EQ(seen, "itself");
  EXPECT_EQ(thread.name(), "itself");
}

TEST(ThreadNameTest, CutIsNeverWithinAUtf8Sequence) {
  EXPECT_EQ(CutToSystemName(""), "");
  EXPECT_EQ(CutToSystemName(std::string("ab\0cd", 5)), "ab");
  // Sequences of two, three and four bytes across the 15th.
  EXPECT_EQ(CutToSystemName("12345678901234\xc3\xa9"), "12345678901234");
  EXPECT_EQ(CutToSystemName("1234567890123\xe2\x82\xac"), "1234567890123");
  EXPECT_EQ(CutToSystemName("12345678901234\xe2\x82\xac"), "12345678901234");
  EXPECT_EQ(CutToSystemName("123456789012\xf0\x9f\x98\x80"), "123456789012");
  EXPECT_EQ(CutToSystemName("12345678901234\xf0\x9f\x98\x80"),
            "12345678901234");
  EXPECT_EQ(CutToSystemName("12345678901\xf0\x9f\x98\x80 more"),
            "12345678901\xf0\x9f\x98\x80");
  // What is no UTF-8 is cut at 15.
  EXPECT_EQ(CutToSystemName(std::string(20, '\x80')), std::string(15, '\x80'));
}

TEST(ThreadNameTest, CutSparesANumberAtTheEnd) {
  EXPECT_EQ(CutToSystemName("ThreadPoolExecutor-0_3"), "ThreadPoolE-0_3");
  EXPECT_EQ(CutToSystemName("ThreadPoolExecutor-12_345"), "ThreadPo-12_345");
  EXPECT_EQ(CutToSystemName("request-handler_1"), "request-handl_1");
  EXPECT_EQ(CutToSystemName("request-handler_4294967295"), "requ_4294967295");
  EXPECT_EQ(CutToSystemName("a long name of others-42"), "a long name -42");
  // Numbers before it too, while there is space for a beginning.
  EXPECT_EQ(CutToSystemName("backup-of-2024-11-30"), "back-2024-11-30");
  EXPECT_EQ(CutToSystemName("pool-1234567890-1234567_2"), "pool--1234567_2");
}

TEST(ThreadNameTest, WhatIsNoNumberAtTheEndIsCutOff) {
  EXPECT_EQ(CutToSystemName("a name that is long"), "a name that is ");
  EXPECT_EQ(CutToSystemName("Thread-12 (Indexer)"), "Thread-12 (Inde");
  EXPECT_EQ(CutToSystemName("long_name_of_a_thread_"), "long_name_of_a_");
  EXPECT_EQ(CutToSystemName("indexer of files 12"), "indexer of file");
  EXPECT_EQ(CutToSystemName("_1234567890123456789"), "_12345678901234");
  EXPECT_EQ(CutToSystemName("12345678901234567"), "123456789012345");
  EXPECT_EQ(CutToSystemName("x_0000000000000000"), "x_0000000000000");
}

TEST(ThreadNameTest, PrefixOfANumberIsNotCutWithinAUtf8Sequence) {
  EXPECT_EQ(CutToSystemName("123456789012\xc3\xa9 worker_7"), "123456789012_7");
  EXPECT_EQ(CutToSystemName("1234567890\xf0\x9f\x98\x80 worker_7"),
            "1234567890_7");
  EXPECT_EQ(CutToSystemName(std::string(20, '\x80') + "_7"),
            std::string(13, '\x80') + "_7");
}

// ---------------------------------------------------------------------------
// Daemons

TEST(ThreadDaemonTest, NoDaemonUnlessSaid) {
  EXPECT_FALSE(Thread([] {}).daemon());
  EXPECT_FALSE(Thread({.daemon = false}, [] {}).daemon());
  EXPECT_TRUE(Thread({.daemon = true}, [] {}).daemon());
}

TEST(ThreadDaemonTest, IsInheritedFromTheThreadThatMakesIt) {
  for (const bool daemon : {false, true}) {
    bool made_in_it = !daemon;
    bool said_in_it = daemon;
    Thread maker({.daemon = daemon}, [&] {
      made_in_it = Thread([] {}).daemon();
      said_in_it = Thread({.daemon = !daemon}, [] {}).daemon();
    });
    RunToEnd(maker);
    EXPECT_EQ(made_in_it, daemon);
    EXPECT_EQ(said_in_it, !daemon);
  }
}

TEST(ThreadDaemonTest, IsNotInheritedFromThreadsOfOthers) {
  bool made_in_it = true;
  std::thread([&] {
    EXPECT_TRUE(CurrentThread().daemon());
    made_in_it = Thread([] {}).daemon();
  }).join();
  EXPECT_FALSE(made_in_it);
}

TEST(ThreadDaemonTest, MayBeSetBeforeTheStart) {
  Thread thread([] {});
  thread.set_daemon(true);
  EXPECT_TRUE(thread.daemon());
  thread.set_daemon(false);
  EXPECT_FALSE(thread.daemon());
}

TEST(ThreadDaemonTest, DestructorLetsItGoUnasked) {
  std::atomic<bool> may_end{false};
  std::atomic<bool> asked{false};
  std::atomic<bool> ended{false};
  {
    Thread daemon({.daemon = true}, [&](std::stop_token stop) {
      while (!may_end.load()) std::this_thread::yield();
      asked.store(stop.stop_requested());
      ended.store(true);
    });
    daemon.Start();
  }
  EXPECT_FALSE(ended.load());
  may_end.store(true);
  while (!ended.load()) std::this_thread::yield();
  EXPECT_FALSE(asked.load());
}

TEST(ThreadDaemonTest, ThatWasLetGoCanBeAwaitedByItsHandle) {
  for (int i = 0; i < 100; ++i) {
    std::optional<ThreadHandle> handle;
    int value = 0;
    {
      Thread daemon({.daemon = true}, [&] { value = 42; });
      daemon.Start();
      handle = daemon.handle();
    }
    EXPECT_TRUE(handle->Join());
    EXPECT_EQ(value, 42);
  }
}

TEST(ThreadDaemonTest, CanBeJoined) {
  Thread daemon({.daemon = true}, [] {});
  RunToEnd(daemon);
  EXPECT_FALSE(daemon.IsAlive());
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ThreadDaemonTest, SetAfterTheStartThrowsLogicErrorAlsoAfterTheEnd) {
  std::atomic<bool> may_end{false};
  Thread thread([&] {
    while (!may_end.load()) std::this_thread::yield();
  });
  thread.Start();
  EXPECT_THROW(thread.set_daemon(true), std::logic_error);
  EXPECT_FALSE(thread.daemon());
  may_end.store(true);
  EXPECT_TRUE(thread.Join());
  EXPECT_THROW(thread.set_daemon(true), std::logic_error);
  EXPECT_FALSE(thread.daemon());
}
#endif

// ---------------------------------------------------------------------------
// Stop

TEST(ThreadStopTest, FunctionThatTakesATokenFirstIsGivenOne) {
  int sum = 0;
  Thread thread(
      [&](std::stop_token stop, int a, int b) {
        while (!stop.stop_requested()) std::this_thread::yield();
        sum = a + b;
      },
      1, 2);
  thread.Start();
  EXPECT_TRUE(thread.RequestStop());
  EXPECT_FALSE(thread.RequestStop());
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(sum, 3);
}

TEST(ThreadStopTest, MayBeRequestedBeforeTheStart) {
  bool asked = false;
  Thread thread([&](std::stop_token stop) { asked = stop.stop_requested(); });
  EXPECT_TRUE(thread.RequestStop());
  RunToEnd(thread);
  EXPECT_TRUE(asked);
}

TEST(ThreadStopTest, RequestIsFalseIfTheFunctionTakesNoToken) {
  Thread thread([] {});
  EXPECT_FALSE(thread.RequestStop());
}

TEST(ThreadStopTest, TokenThatIsPassedAsAnArgumentIsTheOneThatIsSeen) {
  std::stop_source mine;
  bool asked = true;
  Thread thread([&](std::stop_token stop) { asked = stop.stop_possible(); },
                std::stop_token());
  RunToEnd(thread);
  EXPECT_FALSE(asked);
}

TEST(ThreadStopTest, DestructorRequestsIt) {
  bool asked = false;
  {
    Thread thread([&](std::stop_token stop) {
      while (!stop.stop_requested()) std::this_thread::yield();
      asked = true;
    });
    thread.Start();
  }
  EXPECT_TRUE(asked);
}

// ---------------------------------------------------------------------------
// Stack size, CPUs, niceness

#if defined(__GLIBC__)
size_t StackSizeHere() {
  pthread_attr_t attributes;
  EXPECT_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
  size_t size = 0;
  EXPECT_EQ(pthread_attr_getstacksize(&attributes, &size), 0);
  pthread_attr_destroy(&attributes);
  return size;
}

// Larger than the default, because the system may give a thread the larger stack
// of one that has ended.
TEST(ThreadStackSizeTest, IsWhatTheOptionsSay) {
  for (const size_t size : {size_t{16} << 20, (size_t{18} << 20) + 1}) {
    size_t seen = 0;
    Thread thread({.stack_size = size}, [&] { seen = StackSizeHere(); });
    RunToEnd(thread);
    EXPECT_GE(seen, size);
  }
}

TEST(ThreadStackSizeTest, IsTheOneThatWasSetForAllUnlessTheOptionsSay) {
  constexpr size_t kForAll = size_t{32} << 20;
  constexpr size_t kMine = size_t{64} << 20;
  EXPECT_EQ(StackSize(), 0u);
  EXPECT_EQ(StackSize(kForAll), 0u);
  EXPECT_EQ(StackSize(), kForAll);
  size_t seen = 0;
  Thread thread([&] { seen = StackSizeHere(); });
  RunToEnd(thread);
  EXPECT_GE(seen, kForAll);
  Thread mine({.stack_size = kMine}, [&] { seen = StackSizeHere(); });
  RunToEnd(mine);
  EXPECT_GE(seen, kMine);
  EXPECT_EQ(StackSize(0), kForAll);
  EXPECT_EQ(StackSize(), 0u);
}

TEST(ThreadCpusTest, ThreadRunsOnThemOnly) {
  cpu_set_t mine;
  ASSERT_EQ(sched_getaffinity(0, sizeof(mine), &mine), 0);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(static_cast<size_t>(cpu), &mine)) continue;
    cpu_set_t seen;
    CPU_ZERO(&seen);
    Thread thread({.cpus = {cpu}},
                  [&] { sched_getaffinity(0, sizeof(seen), &seen); });
    RunToEnd(thread);
    EXPECT_EQ(CPU_COUNT(&seen), 1);
    EXPECT_TRUE(CPU_ISSET(static_cast<size_t>(cpu), &seen));
  }
}
#endif

#if defined(__linux__)
TEST(ThreadNicenessTest, IsTheThreadsOwn) {
  const int mine = getpriority(PRIO_PROCESS, 0);
  int seen = 0;
  Thread thread({.niceness = 19}, [&] { seen = getpriority(PRIO_PROCESS, 0); });
  RunToEnd(thread);
  EXPECT_EQ(seen, 19);
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), mine);
}
#endif

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ThreadOptionsTest, WhatCannotBeRightIsAnInvalidArgument) {
  const auto make = [](Thread::Options options) {
    Thread thread(std::move(options), [] {});
  };
  EXPECT_THROW(make({.stack_size = 1}), std::invalid_argument);
  EXPECT_THROW(make({.stack_size = 32767}), std::invalid_argument);
  EXPECT_THROW(make({.stack_size = SIZE_MAX}), std::invalid_argument);
  EXPECT_THROW(make({.cpus = {0, -1}}), std::invalid_argument);
  EXPECT_THROW(make({.niceness = 20}), std::invalid_argument);
  EXPECT_THROW(make({.niceness = -21}), std::invalid_argument);
}

TEST(ThreadStackSizeTest, SmallerThan32768BytesIsRefusedAndChangesNothing) {
  EXPECT_THROW(StackSize(1), std::invalid_argument);
  EXPECT_THROW(StackSize(32767), std::invalid_argument);
  EXPECT_THROW(StackSize(SIZE_MAX), std::invalid_argument);
  EXPECT_EQ(StackSize(), 0u);
}

#if defined(__GLIBC__)
TEST(ThreadOptionsTest, WhatTheSystemRefusesIsASystemErrorAndNoStart) {
  bool called = false;
  // CPUs that no machine has, but that could be.
  Thread thread({.name = "nowhere", .cpus = {CPU_SETSIZE - 1}},
                [&] { called = true; });
  const size_t before = ActiveCount();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(thread.Start(), std::system_error);
    EXPECT_FALSE(thread.IsAlive());
    EXPECT_EQ(thread.ident(), std::nullopt);
    EXPECT_EQ(thread.native_id(), std::nullopt);
    EXPECT_EQ(ActiveCount(), before);
    EXPECT_THROW(thread.Join(), std::logic_error);
    thread.set_daemon(i == 0);  // as before any start
  }
  EXPECT_FALSE(called);
}

TEST(ThreadOptionsTest, RefusedNicenessIsASystemErrorAndMayBeRepeated) {
  // In a thread that has no rights, nor have those that it starts.
  std::thread([] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct none[2] = {};
    ASSERT_EQ(syscall(SYS_capset, &header, none), 0);
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NICE, &limit), 0);
    limit.rlim_cur = 0;
    ASSERT_EQ(setrlimit(RLIMIT_NICE, &limit), 0);

    bool called = false;
    Thread thread({.niceness = -20}, [&] { called = true; });
    const size_t alive = ActiveCount();
    for (int i = 0; i < 2; ++i) {
      EXPECT_THROW(thread.Start(), std::system_error);
      EXPECT_FALSE(thread.IsAlive());
      EXPECT_EQ(ActiveCount(), alive);
    }
    EXPECT_FALSE(called);
  }).join();
}
#endif

TEST(ThreadOptionsTest, OutOfMemoryIsThrownAtTheMakerAndNothingIsLeft) {
  const size_t before = ActiveCount();
  bool failed = true;
  int failures = 0;
  for (int n = 0; failed; ++n) {
    bool called = false;
    if (!internal::WithoutMemoryAfter(n, failed, [&] {
          Thread thread({.name = "a name that is too long for its own place",
                         .stack_size = 1 << 20},
                        [&called](std::stop_token) { called = true; });
          thread.Start();
          thread.Join();
        })) {
      ++failures;
      EXPECT_FALSE(called);
    }
    EXPECT_EQ(ActiveCount(), before);
  }
  EXPECT_GT(failures, 0);
}

TEST(ThreadOptionsTest, StartAllocatesNothingOfItsOwn) {
  Thread first([] {});
  RunToEnd(first);
  Thread thread([] {});
  const int64_t before = internal::AllocationsOfThisThread();
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(internal::AllocationsOfThisThread(), before);
}
#endif

// ---------------------------------------------------------------------------
// Text

TEST(ThreadTextTest, SaysNameStateDaemonAndIdent) {
  std::atomic<bool> may_end{false};
  Thread thread({.name = "search", .daemon = true}, [&] {
    while (!may_end.load()) std::this_thread::yield();
  });
  EXPECT_EQ(thread.DebugString(), "<Thread(search, initial daemon)>");
  thread.Start();
  const std::string id = std::to_string(*thread.ident());
  EXPECT_EQ(thread.DebugString(),
            "<Thread(search, started daemon " + id + ")>");
  may_end.store(true);
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(thread.DebugString(),
            "<Thread(search, stopped daemon " + id + ")>");
  std::ostringstream out;
  out << thread << thread.handle();
  EXPECT_EQ(out.str(), thread.DebugString() + thread.DebugString());
}

}  // namespace
}  // namespace heddle
