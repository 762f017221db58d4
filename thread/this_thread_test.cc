#include "heddle/thread/this_thread.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/thread_handle.h"
#include "heddle/thread/wait_limit.h"

#if defined(__linux__)
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace heddle {
namespace {

using internal::ManualClock;

bool IsIn(const std::vector<ThreadHandle>& threads, const ThreadHandle& one) {
  return std::find(threads.begin(), threads.end(), one) != threads.end();
}

// A thread of somebody else's that stays until it is told to go.
class ForeignThread {
 public:
  ForeignThread() {
    while (!handle_set_.load()) std::this_thread::yield();
  }
  ~ForeignThread() { End(); }
  void End() {
    if (!thread_.joinable()) return;
    may_end_.store(true);
    thread_.join();
  }
  const ThreadHandle& handle() const { return *handle_; }

 private:
  std::atomic<bool> handle_set_{false};
  std::atomic<bool> may_end_{false};
  std::optional<ThreadHandle> handle_;
  std::thread thread_{[this] {
    handle_.emplace(CurrentThread());
    handle_set_.store(true);
    while (!may_end_.load()) std::this_thread::yield();
  }};
};

TEST(CurrentThreadTest, IsTheThreadThatCallsIt) {
  std::optional<ThreadHandle> seen;
  Thread thread({.name = "me"}, [&] {
    seen.emplace(CurrentThread());
    EXPECT_EQ(seen->ident(), GetIdent());
    EXPECT_EQ(seen->native_id(), GetNativeId());
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_TRUE(*seen == thread.handle());
  EXPECT_EQ(seen->name(), "me");
  EXPECT_FALSE(*seen == CurrentThread());
  EXPECT_TRUE(CurrentThread() == CurrentThread());
}

TEST(CurrentThreadTest, HandleOutlivesThreadAndObject) {
  std::optional<ThreadHandle> handle;
  {
    Thread thread({.name = "gone"}, [] {});
    handle = thread.handle();
    EXPECT_EQ(handle->ident(), std::nullopt);
    thread.Start();
  }
  EXPECT_EQ(handle->name(), "gone");
  EXPECT_FALSE(handle->IsAlive());
  EXPECT_TRUE(handle->Join());
  EXPECT_TRUE(handle->ident().has_value());
}

TEST(CurrentThreadTest, IsKnownWhileThreadLocalObjectsAreDestroyed) {
  static std::atomic<bool> known{false};
  struct AsksWhenDestroyed {
    ~AsksWhenDestroyed() {
      if (in_use) known.store(CurrentThread().name() == "ends");
    }
    bool in_use = false;
  };
  Thread thread({.name = "ends"}, [] {
    static thread_local AsksWhenDestroyed object;
    object.in_use = true;
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_TRUE(known.load());
}

TEST(MainThreadTest, IsTheOneThatRunsMain) {
  EXPECT_TRUE(MainThread() == CurrentThread());
  EXPECT_EQ(MainThread().name(), "MainThread");
  EXPECT_FALSE(MainThread().daemon());
  EXPECT_TRUE(MainThread().IsAlive());
  EXPECT_EQ(MainThread().ident(), 1u);
  EXPECT_EQ(MainThread().ident(), GetIdent());
  EXPECT_EQ(MainThread().native_id(), GetNativeId());
  EXPECT_EQ(MainThread().DebugString(), "<Thread(MainThread, started 1)>");
}

TEST(MainThreadTest, IsTheSameSeenFromOthers) {
  std::optional<ThreadHandle> seen;
  Thread thread([&] { seen.emplace(MainThread()); });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_TRUE(*seen == CurrentThread());
}

TEST(ForeignThreadTest, IsADummyADaemonAndAlive) {
  ForeignThread first;
  ForeignThread second;
  for (const ForeignThread* thread : {&first, &second}) {
    const ThreadHandle& handle = thread->handle();
    EXPECT_EQ(handle.name().rfind("Dummy-", 0), 0u) << handle.name();
    EXPECT_TRUE(handle.daemon());
    EXPECT_TRUE(handle.IsAlive());
    EXPECT_TRUE(handle.ident().has_value());
    EXPECT_TRUE(handle.native_id().has_value());
    EXPECT_FALSE(handle.RequestStop());
  }
  EXPECT_EQ(std::stoi(second.handle().name().substr(6)),
            std::stoi(first.handle().name().substr(6)) + 1);
  EXPECT_NE(first.handle().ident(), second.handle().ident());
}

TEST(ForeignThreadTest, IsNotAliveAndNotListedOnceItHasEnded) {
  ForeignThread thread;
  const ThreadHandle handle = thread.handle();
  EXPECT_TRUE(IsIn(Enumerate(), handle));
  const auto ident = handle.ident();
  thread.End();
  EXPECT_FALSE(handle.IsAlive());
  EXPECT_FALSE(IsIn(Enumerate(), handle));
  EXPECT_EQ(handle.ident(), ident);
}

// ThreadSanitizer has let go of a thread before the last of those rounds.
#if defined(__linux__) && !defined(ABSL_HAVE_THREAD_SANITIZER)
// What the system calls at a thread's end may make it known, also in the last of
// the rounds that it gives that.
TEST(ForeignThreadTest, IsNotListedIfItBecomesKnownInTheLastMomentOfItsEnd) {
  static pthread_key_t key;
  static std::optional<ThreadHandle> handle;
  static thread_local int rounds = 0;
  ASSERT_EQ(pthread_key_create(&key,
                               [](void* value) {
                                 if (++rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
                                   pthread_setspecific(key, value);
                                 } else {
                                   handle = CurrentThread();
                                 }
                               }),
            0);
  const size_t before = ActiveCount();
  std::thread([] { pthread_setspecific(key, &rounds); }).join();
  ASSERT_TRUE(handle.has_value());
  // The kernel has it for a moment longer than pthread_join() does.
  while (ActiveCount() != before) std::this_thread::yield();
  EXPECT_FALSE(handle->IsAlive());
  EXPECT_FALSE(IsIn(Enumerate(), *handle));
  handle.reset();
  pthread_key_delete(key);
}
#endif

TEST(ForeignThreadTest, MayBeNamed) {
  ForeignThread thread;
  thread.handle().set_name("borrowed");
  EXPECT_EQ(thread.handle().name(), "borrowed");
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ForeignThreadTest, JoinThrowsLogicError) {
  ForeignThread thread;
  EXPECT_THROW(thread.handle().Join(), std::logic_error);
  EXPECT_THROW(static_cast<void>(thread.handle().Join(absl::ZeroDuration())),
               std::logic_error);
  EXPECT_THROW(MainThread().Join(), std::logic_error);
}

TEST(CurrentThreadTest, JoiningItThrowsLogicError) {
  std::atomic<bool> threw{false};
  Thread thread([&] {
    try {
      CurrentThread().Join();
    } catch (const std::logic_error&) {
      threw.store(true);
    }
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_TRUE(threw.load());
}
#endif

TEST(EnumerateTest, ListsMainFirstAndThoseThatAreAlive) {
  std::atomic<bool> may_end{false};
  const auto wait = [&] {
    while (!may_end.load()) std::this_thread::yield();
  };
  const size_t before = ActiveCount();
  Thread unstarted(wait);
  Thread plain(wait);
  Thread daemon({.daemon = true}, wait);
  plain.Start();
  daemon.Start();
  const std::vector<ThreadHandle> threads = Enumerate();
  EXPECT_EQ(threads.size(), before + 2);
  EXPECT_EQ(ActiveCount(), threads.size());
  EXPECT_TRUE(threads.front() == MainThread());
  EXPECT_TRUE(IsIn(threads, plain.handle()));
  EXPECT_TRUE(IsIn(threads, daemon.handle()));
  EXPECT_FALSE(IsIn(threads, unstarted.handle()));
  may_end.store(true);
  EXPECT_TRUE(plain.Join());
  EXPECT_TRUE(daemon.Join());
  EXPECT_EQ(ActiveCount(), before);
  EXPECT_FALSE(IsIn(Enumerate(), plain.handle()));
}

TEST(EnumerateTest, ThreadIsInItWhenItsFunctionBegins) {
  for (int i = 0; i < 50; ++i) {
    bool listed = false;
    Thread thread([&] { listed = IsIn(Enumerate(), CurrentThread()); });
    thread.Start();
    EXPECT_TRUE(thread.Join());
    EXPECT_TRUE(listed);
  }
}

TEST(EnumerateTest, MayRaceWithStartsAndEnds) {
  std::atomic<bool> done{false};
  Thread lister([&] {
    while (!done.load()) {
      for (const ThreadHandle& thread : Enumerate()) {
        static_cast<void>(thread.DebugString());
        static_cast<void>(thread.native_id());
      }
    }
  });
  lister.Start();
  for (int i = 0; i < 300; ++i) {
    Thread thread([] {});
    thread.Start();
    std::thread([] { static_cast<void>(CurrentThread()); }).join();
  }
  done.store(true);
  EXPECT_TRUE(lister.Join());
}

TEST(IdentTest, IsNoneBeforeTheStartAndStaysAfterTheEnd) {
  std::optional<uint64_t> ident;
  std::optional<uint64_t> native_id;
  Thread thread([&] {
    ident = GetIdent();
    native_id = GetNativeId();
  });
  EXPECT_EQ(thread.ident(), std::nullopt);
  EXPECT_EQ(thread.native_id(), std::nullopt);
  thread.Start();
  const auto seen_ident = thread.ident();
  const auto seen_native_id = thread.native_id();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(seen_ident, ident);
  EXPECT_EQ(seen_native_id, native_id);
  EXPECT_EQ(thread.ident(), ident);
  EXPECT_EQ(thread.native_id(), native_id);
}

TEST(IdentTest, IsNeverZeroAndNeverUsedAgain) {
  std::set<uint64_t> seen = {GetIdent()};
  for (int i = 0; i < 50; ++i) {
    uint64_t ident = 0;
    if (i % 2 == 0) {
      Thread thread([&] { ident = GetIdent(); });
      thread.Start();
    } else {
      std::thread([&] { ident = GetIdent(); }).join();
    }
    EXPECT_NE(ident, 0u);
    EXPECT_TRUE(seen.insert(ident).second) << ident;
  }
}

#if defined(__linux__)
TEST(IdentTest, NativeIdIsTheKernels) {
  uint64_t kernels = 0;
  uint64_t ours = 0;
  Thread thread([&] {
    kernels = static_cast<uint64_t>(syscall(SYS_gettid));
    ours = GetNativeId();
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(ours, kernels);
  EXPECT_EQ(GetNativeId(), static_cast<uint64_t>(getpid()));
}
#endif

TEST(ThreadHandleTest, EqualOnesHaveEqualHashes) {
  std::unordered_set<ThreadHandle> set;
  set.insert(MainThread());
  set.insert(CurrentThread());
  EXPECT_EQ(set.size(), 1u);
  Thread thread([] {});
  set.insert(thread.handle());
  set.insert(thread.handle());
  EXPECT_EQ(set.size(), 2u);
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ExceptHookNameTest, IsTheThreadsNameInHeddle) {
  std::vector<std::string> names;
  SetExceptHook(
      [&](const ExceptHookArgs& args) { names.push_back(args.thread_name); });
  Thread given({.name = "a name of more than 15 bytes"}, [] { throw 1; });
  given.Start();
  EXPECT_TRUE(given.Join());
  Thread numbered([] { throw 1; });
  numbered.Start();
  EXPECT_TRUE(numbered.Join());
  internal::ReportException(std::make_exception_ptr(1));
  std::string dummy;
  std::thread([&] {
    dummy = CurrentThread().name();
    internal::ReportException(std::make_exception_ptr(1));
  }).join();
  SetExceptHook(nullptr);
  EXPECT_EQ(names,
            (std::vector<std::string>{"a name of more than 15 bytes",
                                      numbered.name(), "MainThread", dummy}));
}
#endif

// ---------------------------------------------------------------------------
// SleepFor()

TEST(SleepForTest, SleepsTheWholeTime) {
  ManualClock clock;
  std::atomic<bool> over{false};
  bool slept = false;
  Thread sleeper([&] {
    slept = SleepFor(std::chrono::seconds(10));
    over.store(true);
  });
  sleeper.Start();
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_FALSE(over.load());
  clock.Advance(absl::Nanoseconds(1));
  sleeper.Join();
  EXPECT_TRUE(slept);
}

TEST(SleepForTest, IsStopped) {
  std::stop_source stop;
  bool slept = true;
  Thread sleeper([&] { slept = SleepFor({absl::Hours(1), stop.get_token()}); });
  sleeper.Start();
  stop.request_stop();
  sleeper.Join();
  EXPECT_FALSE(slept);
  EXPECT_FALSE(SleepFor(stop.get_token()));
  EXPECT_FALSE(SleepFor({absl::Hours(1), stop.get_token()}));
}

TEST(SleepForTest, TimeThatHasPassedIsSleptAlsoWhenStopped) {
  std::stop_source stop;
  EXPECT_TRUE(SleepFor(absl::ZeroDuration()));
  EXPECT_TRUE(SleepFor(std::chrono::hours::min()));
  EXPECT_TRUE(SleepFor(WaitLimit::Until(std::chrono::steady_clock::now())));
  stop.request_stop();
  EXPECT_TRUE(SleepFor({absl::ZeroDuration(), stop.get_token()}));
}

}  // namespace
}  // namespace heddle
