// The child of a fork(): everything of Heddle's is as in a new process. A test
// for each piece of process-wide state of this floor: the list is in
// thread/internal/README.md, "After fork()".

#include <sched.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/at_exit.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/fork_child.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/local.h"
#include "heddle/thread/this_thread.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/thread_handle.h"
#include "heddle/thread/timer.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using internal::ExitCodeOfChild;
using internal::kChildMayStartThreads;
using internal::kChildMayStartThreadsWhileParentDoes;
using internal::ParkingSpot;
using internal::Waiter;
using internal::WakeList;

// A flag that threads park on: an Event of this floor.
class Flag {
 public:
  void Wait() {
    while (!set_) {
      Waiter waiter;
      {
        ParkingSpot spot(this);
        if (set_) return;
        spot.Add(waiter);
      }
      waiter.Sleep(WaitLimit());
    }
  }
  void Set() {
    WakeList woken;
    ParkingSpot spot(this);
    set_ = true;
    spot.WakeAll(woken);
  }

 private:
  std::atomic<bool> set_{false};
};

// Threads of std's that do something over and over until this ends.
template <typename Function>
class Storm {
 public:
  explicit Storm(Function function) : function_(std::move(function)) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this] {
        while (!over_) function_();
      });
    }
  }
  ~Storm() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  Function function_;
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

constexpr int kForks = 50;

// Threads that meet, in a child.
int StartAndMeet() {
  if (!kChildMayStartThreads) return 0;
  for (int round = 0; round < 5; ++round) {
    Flag flags[4];
    Flag back[4];
    std::vector<std::unique_ptr<Thread>> threads;
    for (int i = 0; i < 4; ++i) {
      threads.push_back(std::make_unique<Thread>([&flags, &back, i] {
        flags[i].Wait();
        back[i].Set();
      }));
      threads.back()->Start();
    }
    for (Flag& flag : flags) flag.Set();
    for (Flag& flag : back) flag.Wait();
    for (auto& thread : threads) {
      if (!thread->Join()) return 1;
    }
  }
  return 0;
}

// The same while the parent starts and ends threads.
int StartAndMeetAnyway() {
  return kChildMayStartThreadsWhileParentDoes ? StartAndMeet() : 0;
}

// --- Parking ----------------------------------------------------------------

TEST(ForkTest, InTheChildNobodyIsQueuedInAnyBucket) {
  // One thread of the parent's stands in the queues of thousands of keys.
  constexpr int kKeys = 5000;
  static char keys[kKeys * 64];
  std::atomic<bool> queued{false};
  std::thread sleeper([&] {
    Waiter first;
    std::vector<std::unique_ptr<Waiter>> others;
    for (int i = 1; i < kKeys; ++i)
      others.push_back(std::make_unique<Waiter>(&first));
    ParkingSpot(&keys[0]).Add(first);
    for (int i = 1; i < kKeys; ++i)
      ParkingSpot(&keys[64 * i]).Add(*others[static_cast<size_t>(i - 1)]);
    queued = true;
    first.Sleep(WaitLimit());
    for (auto& other : others) other->Leave();
  });
  while (!queued) std::this_thread::yield();
  EXPECT_EQ(ExitCodeOfChild([&] {
              for (int i = 0; i < kKeys; ++i) {
                if (ParkingSpot(&keys[64 * i]).HasWaiters()) return 2;
              }
              return StartAndMeet();
            }),
            0);
  {
    WakeList woken;
    ParkingSpot spot(&keys[0]);
    EXPECT_EQ(spot.WakeAll(woken), 1U);
  }
  sleeper.join();
}

TEST(ForkTest, InTheChildNoBucketIsLocked) {
  const int key = 0;
  std::atomic<int> step{0};
  std::thread holder([&] {
    const ParkingSpot spot(&key);
    step = 1;
    while (step != 2) std::this_thread::yield();
  });
  while (step != 1) std::this_thread::yield();
  EXPECT_EQ(
      ExitCodeOfChild([&] { return ParkingSpot(&key).HasWaiters() ? 1 : 0; }),
      0);
  step = 2;
  holder.join();
}

TEST(ForkTest, InTheChildNobodyHasATurnToSpin) {
  std::atomic<int> holding{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> spinners;
  for (int i = 0; i < internal::UsableCpus(); ++i) {
    spinners.emplace_back([&] {
      const internal::SpinTurn turn;
      ++holding;
      while (!over) std::this_thread::yield();
    });
  }
  while (holding < internal::UsableCpus()) std::this_thread::yield();
  EXPECT_FALSE(internal::SpinTurn());
  EXPECT_EQ(ExitCodeOfChild([] { return internal::SpinTurn() ? 0 : 1; }), 0);
  over = true;
  for (std::thread& spinner : spinners) spinner.join();
}

// --- Threads ----------------------------------------------------------------

TEST(ForkTest, InTheChildTheParentsThreadsHaveEnded) {
  auto thread = std::make_unique<Thread>([](std::stop_token stop) {
    const int key = 0;
    Waiter waiter;
    ParkingSpot(&key).Add(waiter);
    waiter.Sleep(stop);
  });
  Thread daemon({.daemon = true}, [](std::stop_token stop) {
    const int key = 0;
    Waiter waiter;
    ParkingSpot(&key).Add(waiter);
    waiter.Sleep(stop);
  });
  thread->Start();
  daemon.Start();
  // So that the stop in the child would reach a callback on a lost stack.
  while (!thread->native_id().has_value()) std::this_thread::yield();
  EXPECT_EQ(ExitCodeOfChild([&] {
              if (thread->IsAlive() || daemon.IsAlive()) return 1;
              if (ActiveCount() != 1 || Enumerate().size() != 1) return 2;
              if (thread->RequestStop()) return 3;
              if (!thread->Join() || !daemon.Join(absl::ZeroDuration()))
                return 4;
              if (thread->name().empty()) return 5;
              thread.reset();
              return StartAndMeet();
            }),
            0);
  EXPECT_TRUE(thread->IsAlive());
  daemon.RequestStop();
  EXPECT_TRUE(daemon.Join());
}

TEST(ForkTest, AThreadThatWasNotStartedCanBeStartedInTheChild) {
  std::atomic<bool> ran{false};
  Thread thread([&] { ran = true; });
  EXPECT_EQ(ExitCodeOfChild([&] {
              if (!kChildMayStartThreads) return 0;
              if (thread.IsAlive()) return 1;
              thread.Start();
              if (!thread.Join() || !ran) return 2;
              return thread.IsAlive() ? 3 : 0;
            }),
            0);
  EXPECT_FALSE(ran);
  thread.Start();
  EXPECT_TRUE(thread.Join());
}

TEST(ForkTest, ThreadsOfTheChildEndBeforeItDoes) {
  Storm storm([] {
    Thread thread([] {});
    thread.Start();
  });
  for (int i = 0; i < kForks; ++i) {
    ASSERT_EQ(ExitCodeOfChild([]() -> int {
                if (kChildMayStartThreadsWhileParentDoes) {
                  // Let go, so that only the end of the program joins it.
                  auto* const thread = new Thread([] { _exit(7); });
                  thread->Start();
                } else {
                  _exit(7);
                }
                std::exit(0);
              }),
              7);
  }
}

TEST(ForkTest, ThreadsStartAndEndWhileOneForks) {
  Storm storm([] {
    Thread thread([] {});
    thread.Start();
    thread.Join();
  });
  for (int i = 0; i < kForks; ++i)
    ASSERT_EQ(ExitCodeOfChild(&StartAndMeetAnyway), 0);
}

// --- Who is who -------------------------------------------------------------

int IsAlone(ThreadHandle me) {
  if (GetNativeId() != static_cast<uint64_t>(getpid())) return 11;
  if (CurrentThread() != MainThread() || CurrentThread() != me) return 12;
  if (ActiveCount() != 1 || Enumerate().size() != 1) return 13;
  if (Enumerate()[0] != me || !me.IsAlive()) return 14;
  if (me.native_id() != GetNativeId() || me.ident() != GetIdent()) return 15;
  return 0;
}

TEST(ForkTest, AChildOfMainHasMainAsItsOnlyThread) {
  const ThreadHandle me = CurrentThread();
  EXPECT_EQ(me, MainThread());
  EXPECT_EQ(ExitCodeOfChild([me] { return IsAlone(me); }), 0);
}

TEST(ForkTest, AChildOfAThreadOfHeddlesHasThatOneAsItsMainThread) {
  Thread thread([] {
    const ThreadHandle me = CurrentThread();
    const ThreadHandle main = MainThread();
    EXPECT_EQ(ExitCodeOfChild([&] {
                if (main.IsAlive()) return 1;
                if (const int wrong = IsAlone(me); wrong != 0) return wrong;
                return StartAndMeet();
              }),
              0);
    EXPECT_NE(me, MainThread());
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
}

TEST(ForkTest, AChildOfAForeignThreadHasThatOneAsItsMainThread) {
  std::thread known([] {
    const ThreadHandle me = CurrentThread();
    EXPECT_EQ(ExitCodeOfChild([me] { return IsAlone(me); }), 0);
  });
  known.join();
  const ThreadHandle main = MainThread();
  std::thread unknown([main] {
    EXPECT_EQ(ExitCodeOfChild([main] {
                if (main.IsAlive() || main == MainThread()) return 1;
                return IsAlone(MainThread());
              }),
              0);
  });
  unknown.join();
}

// Its function returns in the child too, and then the child ends as a process
// whose last thread has ended.
TEST(ForkTest, AThreadThatForkedMayReturnInTheChild) {
  if (!internal::kLastThreadMayEnd) GTEST_SKIP();
  pid_t child = -1;
  Thread thread([&child] {
    child = fork();
    if (child == 0) internal::PassOverLostThreadsAtExit();
  });
  const pid_t parent = getpid();
  thread.Start();
  EXPECT_TRUE(thread.Join());
  ASSERT_EQ(getpid(), parent);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// The last thread calls exit() when Heddle is done with it, and is not waited
// for.
TEST(ForkTest, TheLastThreadOfTheChildMayBeAnotherOne) {
  if (!internal::kLastThreadMayEnd) GTEST_SKIP();
  pid_t child = -1;
  Thread thread([&child] {
    child = fork();
    if (child != 0) return;
    alarm(60);
    internal::PassOverLostThreadsAtExit();
    auto* const last = new Thread([] {
      while (MainThread().IsAlive()) std::this_thread::yield();
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    });
    last->Start();
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(ForkTest, NamesAreChangedWhileOneForks) {
  const ThreadHandle me = CurrentThread();
  Storm storm([] { MainThread().set_name("MainThread"); });
  for (int i = 0; i < kForks; ++i) {
    ASSERT_EQ(ExitCodeOfChild([&me] {
                if (me.name() != "MainThread") return 1;
                MainThread().set_name("child");
                return me.name() == "child" ? 0 : 2;
              }),
              0);
  }
}

TEST(ForkTest, ThreadsOfOthersComeAndGoWhileOneForks) {
  Storm storm(
      [] { std::thread([] { static_cast<void>(CurrentThread()); }).join(); });
  for (int i = 0; i < kForks; ++i) {
    ASSERT_EQ(ExitCodeOfChild([] { return IsAlone(CurrentThread()); }), 0);
  }
}

#if defined(__linux__)
// The first process of a namespace of pids has the number 1, and so has its
// child that is the first of the next.
TEST(ForkTest, AChildMayHaveThePidOfItsParent) {
  const int code = ExitCodeOfChild([] {
    static_cast<void>(ActiveCount());
    // Where that takes root, a namespace of users makes one of this process.
    if (unshare(CLONE_NEWPID) != 0 &&
        unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) {
      return 77;
    }
    return ExitCodeOfChild([] {
      if (getpid() != 1 || unshare(CLONE_NEWPID) != 0) return 77;
      const uint32_t before = internal::Forks();
      return ExitCodeOfChild([before] {
        if (getpid() != 1) return 77;
        return internal::Forks() == before + 1 ? 0 : 1;
      });
    });
  });
  if (code == 77) GTEST_SKIP() << "the system refuses a namespace";
  EXPECT_EQ(code, 0);
}
#endif

// --- The end of the process -------------------------------------------------

std::atomic<bool> static_is_gone{false};
struct StaticOfTheChild {
  ~StaticOfTheChild() { static_is_gone = true; }
};

// Whatever thread called fork(); until the child's first Start().
TEST(ForkTest, ThreadsOfTheChildAreJoinedBeforeItsStaticsAreDestroyed) {
  if (!kChildMayStartThreads) GTEST_SKIP();
  Thread first([] {});  // the parent has seen to its own end
  first.Start();
  first.Join();
  int code = -1;
  const auto forks = [&code] {
    code = ExitCodeOfChild([]() -> int {
      static const StaticOfTheChild object;
      auto* const thread = new Thread([](const std::stop_token& stop) {
        while (!stop.stop_requested()) std::this_thread::yield();
        for (int i = 0; i < 1000; ++i) std::this_thread::yield();
        _exit(static_is_gone ? 8 : 7);
      });
      thread->Start();
      std::exit(9);
    });
  };
  forks();
  EXPECT_EQ(code, 7);
  std::thread(forks).join();
  EXPECT_EQ(code, 7);
  Thread thread(forks);
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(code, 7);
}

TEST(ForkTest, HooksOfTheParentAreNotCalledInTheChildAndItsOwnAre) {
  auto* const parents =
      new internal::ExitHook([](void*) { _exit(3); }, nullptr);
  ASSERT_TRUE(parents->Register());
  Storm storm([] {
    internal::ExitHook hook([](void*) {}, nullptr);
    EXPECT_TRUE(hook.Register());
  });
  for (int i = 0; i < kForks; ++i) {
    ASSERT_EQ(ExitCodeOfChild([&]() -> int {
                delete parents;  // in no list here
                internal::ExitHook own([](void*) { _exit(7); }, nullptr);
                if (!own.Register()) return 1;
                std::exit(0);
              }),
              7);
  }
  delete parents;
}

// --- Locals -----------------------------------------------------------------

struct Counted {
  explicit Counted(std::atomic<int>& counter) : live(counter) { ++live; }
  ~Counted() { --live; }
  std::atomic<int>& live;
};

TEST(ForkTest, InTheChildALocalHasTheValueOfTheThreadThatForked) {
  std::atomic<int> live{0};
  auto local =
      std::make_unique<Local<Counted>>([&live] { return Counted(live); });
  static_cast<void>(**local);
  std::atomic<int> step{0};
  std::thread other([&] {
    static_cast<void>(**local);
    step = 1;
    while (step != 2) std::this_thread::yield();
  });
  while (step != 1) std::this_thread::yield();
  const int before = live;
  EXPECT_EQ(ExitCodeOfChild([&] {
              Counted& mine = **local;
              if (&mine.live != &live || live != before) return 1;
              local.reset();  // its own is destroyed, the other's is left
              if (live != before - 1) return 2;
              Local<int> fresh([] { return 5; });
              return *fresh == 5 ? StartAndMeet() : 3;
            }),
            0);
  step = 2;
  other.join();
}

TEST(ForkTest, LocalsAreUsedWhileOneForks) {
  Local<std::string> shared([] { return std::string(100, 'x'); });
  static_cast<void>(shared->size());
  Storm storm([&shared] {
    std::thread([&shared] {
      Local<std::string> local([] { return std::string(100, 'y'); });
      static_cast<void>(local->size() + shared->size());
    }).join();
  });
  for (int i = 0; i < kForks; ++i) {
    ASSERT_EQ(ExitCodeOfChild([&shared] {
                if (shared->size() != 100) return 1;
                Local<int> local([] { return 5; });
                return *local == 5 ? StartAndMeetAnyway() : 2;
              }),
              0);
  }
}

// Forks when it is destroyed, and ends the child's Local while others of its
// values are being destroyed.
struct ForksAtItsEnd {
  explicit ForksAtItsEnd(int& c) : code(c) {}
  ~ForksAtItsEnd() {
    code = ExitCodeOfChild([] {
      Local<int> local([] { return 5; });
      return *local == 5 ? StartAndMeet() : 1;
    });
  }
  int& code;
};

TEST(ForkTest, ThreadsMayForkAtTheirEnd) {
  int code = -2;
  Local<std::string> before([] { return std::string(100, 'x'); });
  Local<ForksAtItsEnd> forking([&code] { return ForksAtItsEnd(code); });
  Local<std::string> after([] { return std::string(100, 'x'); });
  Thread thread([&] {
    static_cast<void>(before->size());
    static_cast<void>(*forking);
    static_cast<void>(after->size());
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(code, 0);
}

TEST(ForkTest, AFactoryMayFork) {
  int code = -2;
  Local<int> local([&code] {
    code = ExitCodeOfChild([] {
      Local<int> own([] { return 5; });
      return *own == 5 ? StartAndMeet() : 1;
    });
    return 6;
  });
  EXPECT_EQ(*local, 6);
  EXPECT_EQ(code, 0);
}

// --- The except hook --------------------------------------------------------

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ForkTest, TheExceptHookIsSetWhileOneForks) {
  static std::atomic<int> reported{0};
  const auto count = [](const ExceptHookArgs&) { ++reported; };
  SetExceptHook(count);
  Storm storm([&count] { SetExceptHook(count); });
  for (int i = 0; i < kForks; ++i) {
    ASSERT_EQ(ExitCodeOfChild([] {
                const int before = reported;
                internal::ReportException(
                    std::make_exception_ptr(std::runtime_error("lost")));
                if (reported != before + 1) return 1;
                SetExceptHook([](const ExceptHookArgs&) { reported = 100; });
                internal::ReportException(
                    std::make_exception_ptr(std::runtime_error("lost")));
                return reported == 100 ? 0 : 2;
              }),
              0);
  }
  SetExceptHook(nullptr);
}
#endif

// --- Timers -----------------------------------------------------------------

TEST(ForkTest, InTheChildATimerOfTheParentsMayBeCancelledAndDestroyed) {
  auto timer = std::make_unique<Timer>(absl::Hours(1), [] {});
  timer->Start();
  EXPECT_EQ(ExitCodeOfChild([&] {
              timer->Cancel();
              timer.reset();
              return 0;
            }),
            0);
  EXPECT_TRUE(timer->IsAlive());
  timer->Cancel();
}

}  // namespace
}  // namespace heddle
