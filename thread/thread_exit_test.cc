// How programs end that have threads. Each test is a program of its own: a death
// test's child, which runs until its exit.

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/at_exit.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/this_thread.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/timer.h"

namespace heddle {
namespace {

// What the programs print, on stderr, where death tests look for it. Without
// <iostream>: it must work while statics die.
void Say(const char* text) { std::fputs(text, stderr); }

// As a program's static, made before the first thread is started.
struct SaysWhenDestroyed {
  ~SaysWhenDestroyed() { Say(text); }
  const char* text;
};

// A thread that gives the exit a chance to come first, and then says something.
void YieldAndSay(const char* text) {
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  Say(text);
}

class ThreadExitDeathTest : public testing::Test {
 protected:
  ThreadExitDeathTest() {
    // A program of its own and not a fork of this one.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
};

TEST_F(ThreadExitDeathTest, NonDaemonIsJoinedBeforeStaticsAreDestroyed) {
  EXPECT_EXIT(
      {
        static const SaysWhenDestroyed object{"[static]"};
        static auto* const thread = new Thread([] { YieldAndSay("[thread]"); });
        thread->Start();  // and never joined
        std::exit(7);
      },
      testing::ExitedWithCode(7), "^\\[thread\\]\\[static\\]$");
}

TEST_F(ThreadExitDeathTest, ThreadLocalsOfMainEndBeforeItsThreadsAreJoined) {
  EXPECT_EXIT(
      {
        static std::atomic<bool> gone{false};
        struct SetsWhenDestroyed {
          ~SetsWhenDestroyed() {
            if (in_use) gone.store(true);
          }
          bool in_use = false;
        };
        static thread_local SetsWhenDestroyed object;
        object.in_use = true;
        static auto* const thread = new Thread([] {
          while (!gone.load()) std::this_thread::yield();
          Say("[thread]");
        });
        thread->Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[thread\\]$");
}

TEST_F(ThreadExitDeathTest, ThreadsThatThreadsStartMeanwhileAreJoinedToo) {
  EXPECT_EXIT(
      {
        static const SaysWhenDestroyed object{"[static]"};
        static auto* const outer = new Thread([] {
          for (int i = 0; i < 1000; ++i) std::this_thread::yield();
          static auto* const inner = new Thread([] { YieldAndSay("[inner]"); });
          Say("[outer]");  // before there is another that speaks
          inner->Start();
        });
        outer->Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[outer\\]\\[inner\\]\\[static\\]$");
}

TEST_F(ThreadExitDeathTest, ThreadThatTakesATokenIsAskedToStop) {
  EXPECT_EXIT(
      {
        static const SaysWhenDestroyed object{"[static]"};
        static auto* const thread = new Thread([](std::stop_token stop) {
          while (!stop.stop_requested()) std::this_thread::yield();
          Say("[stopped]");
        });
        thread->Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[stopped\\]\\[static\\]$");
}

TEST_F(ThreadExitDeathTest, DaemonIsNotWaitedForAndMayRunOn) {
  EXPECT_EXIT(
      {
        static const SaysWhenDestroyed object{"[static]"};
        static auto* const daemon = new Thread({.daemon = true}, [] {
          for (;;) {
            // All that is Heddle's and that a thread may touch.
            Thread short_lived({.daemon = true}, [] {});
            static_cast<void>(CurrentThread().name());
            static_cast<void>(ActiveCount());
            std::this_thread::yield();
          }
        });
        daemon->Start();
        std::exit(3);
      },
      testing::ExitedWithCode(3), "^\\[static\\]$");
}

TEST_F(ThreadExitDeathTest, DaemonOfADestroyedThreadIsNotWaitedForEither) {
  EXPECT_EXIT(
      {
        {
          Thread daemon({.daemon = true}, [] {
            for (;;) std::this_thread::yield();
          });
          daemon.Start();
        }
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(ThreadExitDeathTest, UnfiredTimerIsCancelled) {
  EXPECT_EXIT(
      {
        static auto* const timer =
            new Timer(absl::Hours(1), [] { Say("[fired]"); });
        timer->Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^$");
}

// An object with static storage, a thread of which runs until it is destroyed.
class Owner {
 public:
  explicit Owner(Thread::Options options) {
    thread_.emplace(std::move(options), [this](const std::stop_token& stop) {
      while (!over_.load()) std::this_thread::yield();
      Say(stop.stop_requested() ? "[asked]" : "[not asked]");
    });
    thread_->Start();
  }
  ~Owner() {
    Say("[owner]");
    over_.store(true);
    thread_->Join();
    Say("[joined]");
  }

 private:
  std::atomic<bool> over_{false};
  std::optional<Thread> thread_;
};

TEST_F(ThreadExitDeathTest, ThreadThatDoesNotJoinAtExitIsLeftToItsOwner) {
  EXPECT_EXIT(
      {
        static const SaysWhenDestroyed object{"[static]"};
        static const Owner owner({.join_at_exit = false});
        static auto* const other = new Thread([] { YieldAndSay("[other]"); });
        other->Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      "^\\[other\\]\\[owner\\]\\[not asked\\]\\[joined\\]\\[static\\]$");
}

TEST_F(ThreadExitDeathTest, DestructorAsksAndJoinsWhatDoesNotJoinAtExit) {
  EXPECT_EXIT(
      {
        static Thread thread({.join_at_exit = false},
                             [](const std::stop_token& stop) {
                               while (!stop.stop_requested())
                                 std::this_thread::yield();
                               Say("[asked]");
                             });
        thread.Start();
        static const SaysWhenDestroyed object{"[static]"};
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[static\\]\\[asked\\]$");
}

TEST_F(ThreadExitDeathTest, TimerThatDoesNotJoinAtExitIsLeftToItsOwner) {
  EXPECT_EXIT(
      {
        static Timer timer({.join_at_exit = false}, absl::Hours(1),
                           [] { Say("[fired]"); });
        timer.Start();
        static struct AsksWhenDestroyed {
          ~AsksWhenDestroyed() {
            Say(timer.IsFinished() ? "[finished]" : "[pending]");
          }
        } asks;
        static_cast<void>(asks);
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[pending\\]$");
}

TEST_F(ThreadExitDeathTest, LeakedThreadThatDoesNotJoinAtExitHoldsUpNothing) {
  EXPECT_EXIT(
      {
        static auto* const thread = new Thread({.join_at_exit = false}, [] {
          for (;;) std::this_thread::yield();
        });
        thread->Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^$");
}

TEST_F(ThreadExitDeathTest, ThreadsThatAreWaitedForTooLongAreNamedOnce) {
  EXPECT_EXIT(
      {
        static internal::ManualClock clock;
        static std::atomic<bool> over{false};
        static auto* const awaited = new Thread({.name = "sp\nins"}, [] {
          while (!over.load()) std::this_thread::yield();
        });
        static auto* const waits = new Thread({.name = "waits"}, [] {
          static_cast<void>(awaited->Join(absl::Hours(1000)));
        });
        static auto* const quick = new Thread({.name = "quick"}, [] {});
        static auto* const daemon =
            new Thread({.name = "d", .daemon = true}, [] {
              for (;;) std::this_thread::yield();
            });
        static auto* const moves_time = new Thread({.daemon = true}, [] {
          for (int i = 0; i < 3; ++i) {
            clock.AwaitSleepers(2);  // "waits", and the end of the program
            clock.Advance(absl::Seconds(3));
          }
          clock.AwaitSleepers(2);
          over.store(true);
          for (;;) std::this_thread::yield();
        });
        for (Thread* thread : {awaited, waits, quick, daemon}) thread->Start();
        while (quick->IsAlive()) std::this_thread::yield();
        moves_time->Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      "^heddle: the end of the program waits for the thread 'sp\\\\nins' "
      "\\([0-9]+\\)"
      ", which runs, or waits elsewhere\n"
      "heddle: the end of the program waits for the thread 'waits' \\([0-9]+\\)"
      ", which waits in a call of Heddle's\n$");
}

#ifdef ABSL_HAVE_EXCEPTIONS
struct StartsWhenDestroyed {
  ~StartsWhenDestroyed() {
    Thread late([] { Say("[late]"); });
    try {
      late.Start();
    } catch (const std::logic_error& error) {
      Say(error.what());
    }
    Say(late.IsAlive() ? "[alive]" : "[not alive]");
  }
};

TEST_F(ThreadExitDeathTest, StartWhileStaticsDieThrowsLogicErrorAndIsNoStart) {
  EXPECT_EXIT(
      {
        static const StartsWhenDestroyed object;
        Thread first([] {});
        first.Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      "^Thread::Start: the process is exiting, no thread can be "
      "started\\[not alive\\]$");
}

TEST_F(ThreadExitDeathTest, ExceptionsOfThreadsAreStillReported) {
  EXPECT_EXIT(
      {
        static auto* const thread = new Thread({.name = "late"}, [] {
          for (int i = 0; i < 1000; ++i) std::this_thread::yield();
          throw std::runtime_error("disk full");
        });
        thread->Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      "Exception in thread [0-9]+ \\(late\\): std::runtime_error: disk full");
}
#endif

TEST_F(ThreadExitDeathTest, ExitInAThreadJoinsTheOthersAndNotItself) {
  EXPECT_EXIT(
      {
        static const SaysWhenDestroyed object{"[static]"};
        static auto* const other = new Thread([] { YieldAndSay("[other]"); });
        other->Start();
        Thread exits([] { std::exit(5); });
        exits.Start();
        exits.Join();  // does not return
      },
      testing::ExitedWithCode(5), "^\\[other\\]\\[static\\]$");
}

TEST_F(ThreadExitDeathTest, StaticThreadIsJoinedOnce) {
  EXPECT_EXIT(
      {
        static Thread thread([] { YieldAndSay("[thread]"); });
        thread.Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[thread\\]$");
}

TEST_F(ThreadExitDeathTest, ThreadIsJoinedAlsoWhenHeddleIsDoneWithIt) {
  EXPECT_EXIT(
      {
        static const SaysWhenDestroyed object{"[static]"};
        {
          Thread first([] {});  // Heddle's key is older, and comes first
          first.Start();
        }
        static std::atomic<bool> ending{false};
        static pthread_key_t key;
        if (pthread_key_create(&key, [](void*) {
              ending.store(true);
              YieldAndSay("[key]");
            }) != 0) {
          std::exit(1);
        }
        static auto* const thread =
            new Thread([] { pthread_setspecific(key, &key); });
        thread->Start();
        while (!ending.load()) std::this_thread::yield();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[key\\]\\[static\\]$");
}

TEST_F(ThreadExitDeathTest, ExitAtTheVeryEndOfAThreadDoesNotWaitForIt) {
  EXPECT_EXIT(
      {
        static const SaysWhenDestroyed object{"[static]"};
        {
          Thread first([] {});  // Heddle's key is older, and comes first
          first.Start();
        }
        static pthread_key_t key;
        if (pthread_key_create(&key, [](void*) { std::exit(5); }) != 0)
          std::exit(1);
        Thread thread([] { pthread_setspecific(key, &key); });
        thread.Start();
        thread.Join();  // does not return
      },
      testing::ExitedWithCode(5), "^\\[static\\]$");
}

// Its destructor lets it go, and no end of the process waits for it.
TEST_F(ThreadExitDeathTest, ThreadMayBeDestroyedAtItsOwnVeryEnd) {
  EXPECT_EXIT(
      {
        static const SaysWhenDestroyed object{"[static]"};
        {
          Thread first([] {});
          first.Start();
        }
        static std::atomic<Thread*> thread{nullptr};
        static std::atomic<bool> destroyed{false};
        static pthread_key_t key;
        if (pthread_key_create(&key, [](void*) {
              delete thread.load();
              destroyed = true;
            }) != 0) {
          std::exit(1);
        }
        thread = new Thread([] { pthread_setspecific(key, &key); });
        thread.load()->Start();
        while (!destroyed.load()) std::this_thread::yield();
        std::exit(3);
      },
      testing::ExitedWithCode(3), "^\\[static\\]$");
}

TEST_F(ThreadExitDeathTest, UnderscoreExitWaitsForNothing) {
  EXPECT_EXIT(
      {
        static auto* const thread = new Thread([] {
          for (;;) std::this_thread::yield();
        });
        thread->Start();
        _exit(4);
      },
      testing::ExitedWithCode(4), "");
}

// ---------------------------------------------------------------------------
// Exit hooks: executors end their workers in them

void SayIt(void* text) { Say(static_cast<const char*>(text)); }
char first_text[] = "[first]";
char second_text[] = "[second]";

TEST_F(ThreadExitDeathTest, HooksRunTheNewestFirstAndBeforeThreadsAreJoined) {
  EXPECT_EXIT(
      {
        static internal::ExitHook first(&SayIt, first_text);
        static internal::ExitHook second(&SayIt, second_text);
        static std::atomic<bool> may_end{false};
        static internal::ExitHook lets_it_end(
            [](void*) { may_end.store(true); }, nullptr);
        if (!lets_it_end.Register() || !first.Register() || !second.Register())
          std::exit(1);
        static auto* const thread = new Thread([] {
          while (!may_end.load()) std::this_thread::yield();
          Say("[thread]");
        });
        thread->Start();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[second\\]\\[first\\]\\[thread\\]$");
}

TEST_F(ThreadExitDeathTest, HookThatIsTakenBackDoesNotRun) {
  EXPECT_EXIT(
      {
        {
          internal::ExitHook hook(&SayIt, first_text);
          if (!hook.Register()) std::exit(1);
        }
        static internal::ExitHook kept(&SayIt, second_text);
        if (!kept.Register()) std::exit(1);
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[second\\]$");
}

struct RegistersWhenDestroyed {
  ~RegistersWhenDestroyed() {
    internal::ExitHook late(&SayIt, first_text);
    Say(late.Register() ? "[registered]" : "[too late]");
  }
};

TEST_F(ThreadExitDeathTest, HookIsRefusedOnceTheyHaveRun) {
  EXPECT_EXIT(
      {
        static const RegistersWhenDestroyed object;
        static internal::ExitHook hook(&SayIt, second_text);
        if (!hook.Register()) std::exit(1);
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^\\[second\\]\\[too late\\]$");
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST_F(ThreadExitDeathTest, HookThatThrowsIsReportedAndTheNextRuns) {
  EXPECT_EXIT(
      {
        static internal::ExitHook next(&SayIt, first_text);
        static internal::ExitHook throws(
            [](void*) { throw std::runtime_error("hook"); }, nullptr);
        if (!next.Register() || !throws.Register()) std::exit(1);
        std::exit(0);
      },
      testing::ExitedWithCode(0), "std::runtime_error: hook\n\\[first\\]$");
}
#endif

}  // namespace
}  // namespace heddle
