#include "heddle/thread/thread.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/timer.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

// Counts how often it is copied and moved, wherever it goes.
struct Counts {
  int copies = 0;
  int moves = 0;
};

template <bool kHasMove>
struct Counting {
  explicit Counting(Counts* to) : counts(to) {}
  Counting(const Counting& other) : counts(other.counts) { ++counts->copies; }
  Counting(Counting&& other) noexcept requires(kHasMove)
      : counts(other.counts) {
    ++counts->moves;
  }
  void operator()() const {}
  void operator()(const Counting& /*argument*/) const {}
  Counts* counts;
};

using internal::ManualClock;
using internal::ThreadId;

// A flag to wait for; //sync:event stands on this library and is not used here.
class Signal {
 public:
  void Set() { set_.store(true); }
  bool IsSet() const { return set_.load(); }
  void Await() const {
    while (!IsSet()) std::this_thread::yield();
  }

 private:
  std::atomic<bool> set_{false};
};

// Counts those that are alive, and remembers which thread destroyed the last.
struct Tracked {
  struct Log {
    std::atomic<int> live{0};
    std::atomic<uint64_t> destroyed_by{0};
  };
  explicit Tracked(Log& l) : log(&l) { ++log->live; }
  Tracked(Tracked&& other) noexcept : log(other.log) { ++log->live; }
  Tracked(const Tracked& other) : log(other.log) { ++log->live; }
  Tracked& operator=(const Tracked&) = delete;
  ~Tracked() {
    log->destroyed_by.store(ThreadId());
    --log->live;
  }
  Log* log;
};

TEST(ThreadTest, CallsTheFunctionOnceInAThreadOfItsOwn) {
  std::atomic<int> calls{0};
  uint64_t id = 0;
  Thread thread([&] {
    ++calls;
    id = ThreadId();
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(calls.load(), 1);
  EXPECT_NE(id, ThreadId());
}

TEST(ThreadTest, MakingOneStartsNothing) {
  bool called = false;
  {
    Thread thread([&] { called = true; });
    EXPECT_FALSE(thread.IsAlive());
  }
  EXPECT_FALSE(called);
}

TEST(ThreadTest, IsAliveFromStartUntilTheFunctionHasEnded) {
  Signal may_end;
  Thread thread([&] { may_end.Await(); });
  EXPECT_FALSE(thread.IsAlive());
  thread.Start();
  EXPECT_TRUE(thread.IsAlive());
  may_end.Set();
  EXPECT_TRUE(thread.Join());
  EXPECT_FALSE(thread.IsAlive());
}

TEST(ThreadTest, WhatTheFunctionDidIsVisibleOnceIsAliveIsFalse) {
  for (int i = 0; i < 200; ++i) {
    int value = 0;
    Thread thread([&] { value = 42; });
    thread.Start();
    while (thread.IsAlive()) std::this_thread::yield();
    EXPECT_EQ(value, 42);
  }
}

TEST(ThreadTest, WhatCameBeforeStartIsVisibleToTheFunction) {
  int value = 0;
  int seen = 0;
  Thread thread([&] { seen = value; });
  value = 42;
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(seen, 42);
}

// ---------------------------------------------------------------------------
// The function and its arguments

TEST(ThreadTest, ArgumentsAreCopiedOrMovedInWhenItIsMade) {
  std::string copied = "copied";
  std::string moved = "moved, and long enough to have memory of its own";
  std::string result;
  Thread thread([&result](const std::string& a,
                          std::string&& b) { result = a + std::move(b); },
                copied, std::move(moved));
  copied = "changed";
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(result, "copiedmoved, and long enough to have memory of its own");
}

TEST(ThreadTest, TakesMoveOnlyFunctionsAndArguments) {
  int result = 0;
  Thread thread(
      [&result, captured = std::make_unique<int>(40)](
          std::unique_ptr<int> argument) { result = *captured + *argument; },
      std::make_unique<int>(2));
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(result, 42);
}

TEST(ThreadTest, SharesWhatIsPassedByRef) {
  int value = 1;
  Thread thread([](int& shared) { shared = 2; }, std::ref(value));
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(value, 2);
}

int last_sum = 0;
void StoreSum(int a, int b) { last_sum = a + b; }

TEST(ThreadTest, CallsPlainFunctionsAndMembers) {
  Thread plain(StoreSum, 1, 2);
  plain.Start();
  EXPECT_TRUE(plain.Join());
  EXPECT_EQ(last_sum, 3);

  struct Object {
    void Add(int n) { value += n; }
    int value = 1;
  } object;
  Thread member(&Object::Add, &object, 5);
  member.Start();
  EXPECT_TRUE(member.Join());
  EXPECT_EQ(object.value, 6);
}

TEST(ThreadTest, IgnoresWhatTheFunctionReturns) {
  Thread thread([] { return std::make_unique<int>(1); });
  thread.Start();
  EXPECT_TRUE(thread.Join());
}

TEST(ThreadTest, CallsTheFunctionAsAnRvalue) {
  struct OnceOnly {
    explicit OnceOnly(int& c) : calls(&c) {}
    void operator()() && { ++*calls; }
    int* calls;
  };
  int calls = 0;
  Thread thread{OnceOnly(calls)};
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(calls, 1);
}

TEST(ThreadTest, FunctionAndArgumentsAreDestroyedInTheThreadWhenItEnds) {
  Tracked::Log function;
  Tracked::Log argument;
  uint64_t id = 0;
  Thread thread(
      [tracked = Tracked(function), &id](const Tracked&) { id = ThreadId(); },
      Tracked(argument));
  EXPECT_EQ(function.live.load(), 1);
  EXPECT_EQ(argument.live.load(), 1);
  thread.Start();
  // Before IsAlive() says that it has ended, and without a Join().
  while (thread.IsAlive()) std::this_thread::yield();
  EXPECT_EQ(function.live.load(), 0);
  EXPECT_EQ(argument.live.load(), 0);
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(function.destroyed_by.load(), id);
  EXPECT_EQ(argument.destroyed_by.load(), id);
}

TEST(ThreadTest, FunctionThatNeverStartsIsDestroyedWithTheObject) {
  Tracked::Log function;
  Tracked::Log argument;
  {
    Thread thread([tracked = Tracked(function)](const Tracked&) {},
                  Tracked(argument));
    EXPECT_EQ(function.live.load(), 1);
    EXPECT_EQ(argument.live.load(), 1);
  }
  EXPECT_EQ(function.live.load(), 0);
  EXPECT_EQ(argument.live.load(), 0);
}

// ---------------------------------------------------------------------------
// Join

TEST(ThreadTest, JoinMayBeRepeatedAlsoAfterTheEnd) {
  Thread thread([] {});
  thread.Start();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(thread.Join());
  EXPECT_TRUE(thread.Join(absl::ZeroDuration()));
  EXPECT_TRUE(thread.Join(-absl::InfiniteDuration()));
}

TEST(ThreadTest, ManyThreadsMayJoinOne) {
  ManualClock clock;
  Signal may_end;
  int value = 0;
  Thread thread([&] {
    may_end.Await();
    value = 42;
  });
  thread.Start();
  std::deque<Thread> joiners;
  for (int i = 0; i < 8; ++i) {
    joiners.emplace_back([&] {
      EXPECT_TRUE(thread.Join(absl::Hours(1)));
      EXPECT_EQ(value, 42);
    });
    joiners.back().Start();
  }
  clock.AwaitSleepers(8);
  may_end.Set();
  for (Thread& joiner : joiners) EXPECT_TRUE(joiner.Join());
  EXPECT_TRUE(thread.Join());
}

TEST(ThreadTest, JoinersThatRaceWithTheEndAllReturn) {
  for (int i = 0; i < 300; ++i) {
    Thread thread([] {});
    thread.Start();
    std::thread first([&] { EXPECT_TRUE(thread.Join()); });
    std::thread second([&] { EXPECT_TRUE(thread.Join(absl::Hours(1))); });
    EXPECT_TRUE(thread.Join());
    first.join();
    second.join();
  }
}

TEST(ThreadTest, JoinReturnsFalseWhenTheLimitPassesAndNotBefore) {
  ManualClock clock;
  Signal may_end;
  Thread thread([&] { may_end.Await(); });
  thread.Start();
  std::optional<bool> joined;
  Thread joiner([&] { joined = thread.Join(absl::Seconds(1)); });
  joiner.Start();
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_TRUE(joiner.IsAlive());
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(joiner.Join());
  EXPECT_EQ(joined, false);
  EXPECT_TRUE(thread.IsAlive());
  may_end.Set();
  EXPECT_TRUE(thread.Join());
}

TEST(ThreadTest, JoinWithAZeroOrNegativeLimitLooksOnce) {
  Signal may_end;
  Thread thread([&] { may_end.Await(); });
  thread.Start();
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Nanoseconds(1), -absl::Hours(1),
        -absl::InfiniteDuration()}) {
    EXPECT_FALSE(thread.Join(timeout)) << timeout;
  }
  may_end.Set();
  EXPECT_TRUE(thread.Join());
}

TEST(ThreadTest, JoinWithAHugeLimitWaitsForTheEnd) {
  for (const absl::Duration timeout :
       {absl::InfiniteDuration(), absl::Hours(1e300),
        absl::Nanoseconds(INT64_MAX), absl::Nanoseconds(INT64_MAX - 1)}) {
    Signal begun;
    Signal may_end;
    Thread thread([&] {
      begun.Await();
      may_end.Await();
    });
    thread.Start();
    std::thread ender([&] {
      begun.Set();
      may_end.Set();
    });
    EXPECT_TRUE(thread.Join(timeout)) << timeout;
    ender.join();
  }
}

TEST(ThreadTest, StopEndsAJoinButNotTheThread) {
  std::stop_source before;
  before.request_stop();
  ManualClock clock;
  Signal may_end;
  Thread thread([&] { may_end.Await(); });
  thread.Start();
  EXPECT_FALSE(thread.Join(before.get_token()));

  std::stop_source during;
  std::optional<bool> joined;
  Thread joiner([&] {
    joined = thread.Join({absl::Hours(1), during.get_token()});
  });
  joiner.Start();
  clock.AwaitSleepers(1);
  during.request_stop();
  EXPECT_TRUE(joiner.Join());
  EXPECT_EQ(joined, false);

  EXPECT_TRUE(thread.IsAlive());
  may_end.Set();
  EXPECT_TRUE(thread.Join());
}

TEST(ThreadTest, ThreadThatHasEndedWinsOverAStopAndAPassedLimit) {
  std::stop_source stop;
  stop.request_stop();
  Thread thread([] {});
  thread.Start();
  // IsAlive() may be false a moment before the system is done with the thread.
  ASSERT_TRUE(thread.Join());
  EXPECT_TRUE(thread.Join({-absl::Seconds(1), stop.get_token()}));
}

struct SetsWhenDestroyed {
  ~SetsWhenDestroyed() {
    if (flag != nullptr) *flag = true;
  }
  bool* flag = nullptr;
};

TEST(ThreadTest, ThreadLocalObjectsAreDestroyedWhenJoinReturnsTrue) {
  for (int i = 0; i < 100; ++i) {
    bool destroyed = false;
    Thread thread([&] {
      static thread_local SetsWhenDestroyed object;
      object.flag = &destroyed;
    });
    thread.Start();
    EXPECT_TRUE(thread.Join());
    EXPECT_TRUE(destroyed);
  }
}

TEST(ThreadTest, ThreadsMayJoinEachOtherInAChain) {
  constexpr int kThreads = 20;
  std::deque<Thread> threads;
  std::atomic<int> ended{0};
  threads.emplace_back([&] { ++ended; });
  for (int i = 1; i < kThreads; ++i) {
    Thread& previous = threads.back();
    threads.emplace_back([&] {
      EXPECT_TRUE(previous.Join());
      ++ended;
    });
  }
  for (Thread& thread : threads) thread.Start();
  EXPECT_TRUE(threads.back().Join());
  EXPECT_EQ(ended.load(), kThreads);
}

// ---------------------------------------------------------------------------
// Misuse

#ifdef ABSL_HAVE_EXCEPTIONS
template <typename Body>
std::string LogicErrorOf(Body body) {
  try {
    body();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ThreadTest, SecondStartThrowsLogicErrorAndChangesNothing) {
  std::atomic<int> calls{0};
  Signal may_end;
  Thread thread([&] {
    ++calls;
    may_end.Await();
  });
  thread.Start();
  EXPECT_EQ(LogicErrorOf([&] { thread.Start(); }),
            "Thread::Start: a thread can only be started once");
  EXPECT_TRUE(thread.IsAlive());
  may_end.Set();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(LogicErrorOf([&] { thread.Start(); }),
            "Thread::Start: a thread can only be started once");
  EXPECT_FALSE(thread.IsAlive());
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(calls.load(), 1);
}

TEST(ThreadTest, JoinBeforeStartThrowsLogicErrorAndChangesNothing) {
  bool called = false;
  Thread thread([&] { called = true; });
  EXPECT_EQ(LogicErrorOf([&] { thread.Join(); }),
            "Thread::Join: the thread was not started");
  EXPECT_EQ(LogicErrorOf(
                [&] { static_cast<void>(thread.Join(absl::ZeroDuration())); }),
            "Thread::Join: the thread was not started");
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_TRUE(called);
}

TEST(ThreadTest, JoiningOneselfThrowsLogicErrorAndChangesNothing) {
  std::string error;
  std::string limited_error;
  std::unique_ptr<Thread> thread;
  thread = std::make_unique<Thread>([&] {
    error = LogicErrorOf([&] { thread->Join(); });
    limited_error = LogicErrorOf(
        [&] { static_cast<void>(thread->Join(absl::ZeroDuration())); });
  });
  thread->Start();
  EXPECT_TRUE(thread->Join());
  EXPECT_EQ(error, "Thread::Join: a thread cannot join itself");
  EXPECT_EQ(limited_error, "Thread::Join: a thread cannot join itself");
}

// Throws when it is destroyed, unless it was moved from.
struct ThrowsWhenDestroyed {
  ThrowsWhenDestroyed() = default;
  ThrowsWhenDestroyed(ThrowsWhenDestroyed&& other) noexcept
      : throws(std::exchange(other.throws, false)) {}
  ~ThrowsWhenDestroyed() noexcept(false) {
    if (throws) throw std::runtime_error("destructor");
  }
  bool throws = true;
};

TEST(ThreadTest, WhatADestructorThrowsIsReported) {
  std::atomic<int> reported{0};
  SetExceptHook([&reported](const ExceptHookArgs&) { ++reported; });
  int ran = 0;
  {
    Thread of_a_function([&ran, object = ThrowsWhenDestroyed()] { ++ran; });
    of_a_function.Start();
  }
  EXPECT_EQ(reported, 1);
  {
    Thread of_an_argument([&ran](const ThrowsWhenDestroyed&) { ++ran; },
                          ThrowsWhenDestroyed());
    of_an_argument.Start();
  }
  EXPECT_EQ(reported, 2);
  {
    Timer timer(absl::ZeroDuration(),
                [&ran, object = ThrowsWhenDestroyed()] { ++ran; });
    timer.Start();
    timer.WaitFinished();
  }
  EXPECT_EQ(reported, 3);
  EXPECT_EQ(ran, 3);
  {
    const Thread unstarted([object = ThrowsWhenDestroyed()] {});
  }
  EXPECT_EQ(reported, 4);
  {
    const Timer unstarted(absl::Hours(1), [object = ThrowsWhenDestroyed()] {});
  }
  EXPECT_EQ(reported, 5);
  SetExceptHook(nullptr);
}

TEST(ThreadTest, JoiningOneselfAtTheVeryEndThrowsLogicErrorToo) {
  {
    Thread first([] {});  // Heddle's key is older, and comes first
    first.Start();
  }
  static Thread* thread;
  static std::string error;
  pthread_key_t key;
  ASSERT_EQ(
      pthread_key_create(
          &key, [](void*) { error = LogicErrorOf([] { thread->Join(); }); }),
      0);
  Thread own([&key] { pthread_setspecific(key, &key); });
  thread = &own;
  own.Start();
  EXPECT_TRUE(own.Join());
  EXPECT_EQ(error, "Thread::Join: a thread cannot join itself");
  pthread_key_delete(key);
}

TEST(ThreadTest, StartingOneselfAgainThrowsLogicError) {
  std::string error;
  std::unique_ptr<Thread> thread;
  thread = std::make_unique<Thread>(
      [&] { error = LogicErrorOf([&] { thread->Start(); }); });
  thread->Start();
  EXPECT_TRUE(thread->Join());
  EXPECT_EQ(error, "Thread::Start: a thread can only be started once");
}
#else
TEST(ThreadDeathTest, MisuseIsFatalWithoutExceptions) {
  Thread thread([] {});
  EXPECT_DEATH(thread.Join(),
               "heddle: fatal: Thread::Join: the thread was not started");
}
#endif

#if defined(__GLIBC__)
// While one exists, no thread can be started: new ones are given a stack as
// large as all of the address space.
class NoNewThreads {
 public:
  NoNewThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    EXPECT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 47), 0);
    EXPECT_EQ(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
  }
  ~NoNewThreads() {
    EXPECT_EQ(pthread_setattr_default_np(&before_), 0);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(ThreadTest, StartThatTheSystemRefusesThrowsSystemErrorAndMayBeRepeated) {
  Tracked::Log function;
  std::atomic<int> calls{0};
  Thread thread([&calls, tracked = Tracked(function)] { ++calls; });
  for (int i = 0; i < 3; ++i) {
    NoNewThreads refused;
    try {
      thread.Start();
      ADD_FAILURE() << "no exception";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
    }
    EXPECT_FALSE(thread.IsAlive());
    EXPECT_EQ(function.live.load(), 1);
    EXPECT_EQ(LogicErrorOf([&] { thread.Join(); }),
              "Thread::Join: the thread was not started");
  }
  EXPECT_EQ(calls.load(), 0);
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(calls.load(), 1);
  EXPECT_EQ(function.live.load(), 0);
}

TEST(ThreadTest, ThreadWhoseStartWasRefusedMayBeDestroyed) {
  Tracked::Log function;
  {
    Thread thread([tracked = Tracked(function)] {});
    NoNewThreads refused;
    EXPECT_THROW(thread.Start(), std::system_error);
  }
  EXPECT_EQ(function.live.load(), 0);
}
#else
TEST(ThreadDeathTest, StartThatTheSystemRefusesIsFatalWithoutExceptions) {
  Thread thread([] {});
  EXPECT_DEATH(
      {
        NoNewThreads refused;
        thread.Start();
      },
      "heddle: fatal: Thread::Start: the system refused a new thread");
}
#endif
#endif  // __GLIBC__

// ---------------------------------------------------------------------------
// Destroying and moving

TEST(ThreadTest, DestructorJoins) {
  bool ended = false;
  bool thread_locals_destroyed = false;
  {
    Thread thread([&] {
      static thread_local SetsWhenDestroyed object;
      object.flag = &thread_locals_destroyed;
      for (int i = 0; i < 100; ++i) std::this_thread::yield();
      ended = true;
    });
    thread.Start();
  }
  EXPECT_TRUE(ended);
  EXPECT_TRUE(thread_locals_destroyed);
}

TEST(ThreadTest, DestructorOfAJoinedThreadDoesNotWaitAgain) {
  Thread thread([] {});
  thread.Start();
  EXPECT_TRUE(thread.Join());
}

TEST(ThreadTest, MovingHandsTheRunningThreadOver) {
  Signal may_end;
  bool ended = false;
  Thread source([&] {
    may_end.Await();
    ended = true;
  });
  source.Start();
  Thread target(std::move(source));
  EXPECT_TRUE(target.IsAlive());
  EXPECT_FALSE(target.Join(absl::ZeroDuration()));
  may_end.Set();
  EXPECT_TRUE(target.Join());
  EXPECT_TRUE(ended);
}

TEST(ThreadTest, ThreadThatWasNotStartedMayBeMovedAndStarted) {
  bool ended = false;
  Thread source([&] { ended = true; });
  Thread target(std::move(source));
  target.Start();
  EXPECT_TRUE(target.Join());
  EXPECT_TRUE(ended);
}

TEST(ThreadTest, AssignmentFirstJoinsWhatWasThere) {
  Tracked::Log first_function;
  bool first_ended = false;
  Thread thread([&first_ended, tracked = Tracked(first_function)] {
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    first_ended = true;
  });
  thread.Start();
  bool second_ended = false;
  Thread second([&] { second_ended = true; });
  thread = std::move(second);
  EXPECT_TRUE(first_ended);
  EXPECT_EQ(first_function.live.load(), 0);
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_TRUE(second_ended);
}

TEST(ThreadTest, MovedFromThreadMayBeAssignedTo) {
  Thread thread([] {});
  thread.Start();
  Thread other(std::move(thread));
  bool ended = false;
  thread = Thread([&] { ended = true; });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_TRUE(ended);
}

TEST(ThreadTest, AssignmentToItselfChangesNothing) {
  bool ended = false;
  Thread thread([&] { ended = true; });
  Thread& same = thread;
  thread = std::move(same);
  thread.Start();
  EXPECT_TRUE(thread.Join());
  EXPECT_TRUE(ended);
}

TEST(ThreadTest, MayBeHeldInAVector) {
  std::atomic<int> calls{0};
  std::vector<Thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&calls] { ++calls; });
    threads.back().Start();  // running ones are moved when the vector grows
  }
  for (Thread& thread : threads) EXPECT_TRUE(thread.Join());
  EXPECT_EQ(calls.load(), 20);
  EXPECT_TRUE(std::is_nothrow_move_constructible_v<Thread>);
  EXPECT_FALSE(std::is_copy_constructible_v<Thread>);
}

TEST(ThreadTest, ThreadDestroyedInItsOwnFunctionIsLetGo) {
  Tracked::Log function;
  Signal started;
  Signal ended;
  std::unique_ptr<Thread> thread;
  thread = std::make_unique<Thread>(
      [&thread, &started, &ended, tracked = Tracked(function)] {
        started.Await();
        thread.reset();
        EXPECT_EQ(tracked.log->live.load(), 1);  // still running, still there
        ended.Set();
      });
  thread->Start();
  started.Set();
  ended.Await();
  EXPECT_EQ(thread, nullptr);
  // Nobody can join it; its end is seen by what it destroys.
  while (function.live.load() != 0) std::this_thread::yield();
}

// The shape of "fire and forget": nobody waits for Start() to return.
TEST(ThreadTest, MayDestroyItselfBeforeStartHasReturned) {
  constexpr int kThreads = 2000;
  std::atomic<int> ended{0};
  for (int i = 0; i < kThreads; ++i) {
    auto** const self = new Thread*;
    *self = new Thread([self, &ended] {
      delete *self;
      delete self;
      ++ended;
    });
    (*self)->Start();
  }
  while (ended.load() != kThreads) std::this_thread::yield();
}

TEST(ThreadTest, ThreadAssignedToInItsOwnFunctionIsLetGo) {
  Signal may_assign;
  Signal assigned;
  std::optional<Thread> thread;
  bool second_ended = false;
  thread.emplace([&] {
    may_assign.Await();
    *thread = Thread([&] { second_ended = true; });
    assigned.Set();
  });
  thread->Start();
  may_assign.Set();
  assigned.Await();
  thread->Start();
  EXPECT_TRUE(thread->Join());
  EXPECT_TRUE(second_ended);
}

// A thread that was let go ends; a thread_local of its makes and joins another,
// whose state may lie where the first one's was. They must not be confused.
struct JoinsAnotherWhenDestroyed {
  ~JoinsAnotherWhenDestroyed() {
    if (joined != nullptr) Run(joined, /*let_go=*/false);
  }
  static void Run(std::atomic<int>* joined, bool let_go);
  std::atomic<int>* joined = nullptr;
};

void JoinsAnotherWhenDestroyed::Run(std::atomic<int>* joined, bool let_go) {
  auto* const self = new std::unique_ptr<Thread>;
  auto* const may_run = new Signal;
  auto* const ran = new std::atomic<bool>(false);
  *self = std::make_unique<Thread>([=] {
    may_run->Await();
    if (!let_go) {
      ran->store(true);
      return;
    }
    self->reset();
    delete self;
    delete may_run;
    delete ran;
    static thread_local JoinsAnotherWhenDestroyed object;
    object.joined = joined;
  });
  (*self)->Start();
  if (let_go) {
    may_run->Set();
    return;
  }
  may_run->Set();
  if ((*self)->Join() && ran->load()) ++*joined;
  delete self;
  delete may_run;
  delete ran;
}

TEST(ThreadTest, ThreadLocalOfAThreadThatWasLetGoMayJoinAnother) {
  std::atomic<int> joined{0};
  for (int i = 0; i < 20; ++i) {
    JoinsAnotherWhenDestroyed::Run(&joined, /*let_go=*/true);
    while (joined.load() <= i) std::this_thread::yield();
  }
}

TEST(ThreadTest, ThreadLocalMayDestroyItsOwnThread) {
  struct DestroysItsThread {
    ~DestroysItsThread() {
      delete thread;
      destroyed->Set();
    }
    Thread* thread = nullptr;
    Signal* destroyed = nullptr;
  };
  Signal destroyed;
  Signal made;
  Thread* thread = nullptr;
  thread = new Thread([&] {
    made.Await();
    static thread_local DestroysItsThread object;
    object.thread = thread;
    object.destroyed = &destroyed;
  });
  thread->Start();
  made.Set();
  destroyed.Await();
}

TEST(ThreadTest, ManyMayBeStartedAndJoined) {
  constexpr int kThreads = 200;
  std::atomic<int> calls{0};
  std::deque<Thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&calls](int n) { calls += n; }, i);
  }
  for (Thread& thread : threads) thread.Start();
  for (Thread& thread : threads) EXPECT_TRUE(thread.Join());
  EXPECT_EQ(calls.load(), kThreads * (kThreads - 1) / 2);
}

TEST(ThreadTest, ThreadsMayStartThreads) {
  std::atomic<int> calls{0};
  std::function<void(int)> spawn = [&](int depth) {
    ++calls;
    if (depth == 0) return;
    Thread left(spawn, depth - 1);
    Thread right(spawn, depth - 1);
    left.Start();
    right.Start();
  };
  spawn(5);
  EXPECT_EQ(calls.load(), 63);
}

// ---------------------------------------------------------------------------
// Exceptions

#ifdef ABSL_HAVE_EXCEPTIONS
// Collects what reaches the except hook while it exists.
class CollectExceptions {
 public:
  CollectExceptions() {
    SetExceptHook([this](const ExceptHookArgs& args) {
      std::lock_guard<std::mutex> lock(mutex_);
      seen_.push_back(args);
    });
  }
  ~CollectExceptions() { SetExceptHook(nullptr); }
  std::vector<ExceptHookArgs> seen() {
    std::lock_guard<std::mutex> lock(mutex_);
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::vector<ExceptHookArgs> seen_;
};

TEST(ThreadTest, WhatTheFunctionThrowsGoesToTheExceptHookWhateverItsType) {
  struct OwnType {};
  struct NotCopied : std::runtime_error {
    using runtime_error::runtime_error;
  };
  const std::vector<std::pair<std::function<void()>, std::string>> throwers = {
      {[] { throw std::runtime_error("disk full"); },
       "std::runtime_error: disk full"},
      {[] { throw 42; }, "int"},
      {[] { throw "text"; }, "char const*"},
      {[] { throw NotCopied("mine"); }, "mine"},
      {[] { throw OwnType(); }, "OwnType"},
  };
  for (const auto& [thrower, description] : throwers) {
    CollectExceptions hook;
    uint64_t id = 0;
    Thread thread([&id, &thrower = thrower] {
      id = ThreadId();
      thrower();
    });
    thread.Start();
    EXPECT_TRUE(thread.Join());  // nothing reaches it
    EXPECT_FALSE(thread.IsAlive());
    const std::vector<ExceptHookArgs> seen = hook.seen();
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_NE(DescribeException(seen[0].exception).find(description),
              std::string::npos)
        << DescribeException(seen[0].exception);
    EXPECT_EQ(seen[0].thread_id, id);
  }
}

TEST(ThreadTest, FunctionThatThrewIsDestroyedInTheThread) {
  CollectExceptions hook;
  Tracked::Log function;
  Thread thread([tracked = Tracked(function)] { throw 1; });
  thread.Start();
  while (thread.IsAlive()) std::this_thread::yield();
  EXPECT_EQ(function.live.load(), 0);
  EXPECT_TRUE(thread.Join());
  EXPECT_NE(function.destroyed_by.load(), ThreadId());
}

TEST(ThreadTest, HookHasRunWhenIsAliveTurnsFalse) {
  for (int i = 0; i < 50; ++i) {
    CollectExceptions hook;
    Thread thread([] { throw 1; });
    thread.Start();
    while (thread.IsAlive()) std::this_thread::yield();
    EXPECT_EQ(hook.seen().size(), 1u);
  }
}

TEST(ThreadTest, HookThatThrowsDoesNotEndTheProgram) {
  SetExceptHook(
      [](const ExceptHookArgs&) { throw std::runtime_error("hook"); });
  testing::internal::CaptureStderr();
  Thread thread([] { throw std::runtime_error("function"); });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  const std::string output = testing::internal::GetCapturedStderr();
  SetExceptHook(nullptr);
  EXPECT_NE(output.find("std::runtime_error: hook"), std::string::npos);
  EXPECT_NE(output.find("std::runtime_error: function"), std::string::npos);
}

TEST(ThreadTest, FunctionWhoseMoveThrowsThrowsAtTheMaker) {
  struct ThrowsWhenMoved {
    ThrowsWhenMoved() = default;
    ThrowsWhenMoved(const ThrowsWhenMoved&) { throw std::runtime_error("no"); }
    ThrowsWhenMoved& operator=(const ThrowsWhenMoved&) = delete;
    ~ThrowsWhenMoved() = default;
    void operator()() const {}
  };
  const ThrowsWhenMoved function;
  EXPECT_THROW(Thread{function}, std::runtime_error);
}
#endif

// ---------------------------------------------------------------------------
// Copies and moves: as many as std::thread makes

TEST(ThreadCopiesTest, CallableThatIsAnLvalueIsCopiedOnce) {
  Counts counts;
  Counting<true> callable(&counts);
  Thread plain(callable);
  EXPECT_EQ(counts.copies, 1);
  EXPECT_EQ(counts.moves, 0);
  plain.Start();
  plain.Join();
  Thread with_options({.name = "copied"}, callable);
  with_options.Start();
  with_options.Join();
  EXPECT_EQ(counts.copies, 2);
  EXPECT_EQ(counts.moves, 0);
}

TEST(ThreadCopiesTest, CallableThatIsAnRvalueIsMovedOnce) {
  Counts counts;
  Thread thread{Counting<true>(&counts)};
  thread.Start();
  thread.Join();
  EXPECT_EQ(counts.copies, 0);
  EXPECT_EQ(counts.moves, 1);
}

TEST(ThreadCopiesTest, CallableWithoutAMoveIsCopiedOnce) {
  Counts counts;
  const Counting<false> callable(&counts);
  Thread thread(callable);
  thread.Start();
  thread.Join();
  EXPECT_EQ(counts.copies, 1);
}

TEST(ThreadCopiesTest, ArgumentIsCopiedOnce) {
  Counts of_callable;
  Counts of_argument;
  const Counting<true> argument(&of_argument);
  Thread thread(Counting<true>(&of_callable), argument);
  thread.Start();
  thread.Join();
  EXPECT_EQ(of_argument.copies, 1);
  EXPECT_EQ(of_argument.moves, 0);
}

// ---------------------------------------------------------------------------
// What comes after Heddle's own end of a thread: keys of others

// A pthread key younger than Heddle's. At the end of a thread that has set it,
// its destructor says so, and holds up the end.
class HoldsUpItsEnd {
 public:
  HoldsUpItsEnd() {
    Thread first([] {});  // makes Heddle's key
    first.Start();
    first.Join();
    EXPECT_EQ(pthread_key_create(&key_,
                                 [](void* opaque) {
                                   auto& self =
                                       *static_cast<HoldsUpItsEnd*>(opaque);
                                   self.ending.store(true);
                                   while (!self.may_end.load())
                                     std::this_thread::yield();
                                   self.after.store(1);
                                 }),
              0);
  }
  HoldsUpItsEnd(const HoldsUpItsEnd&) = delete;
  HoldsUpItsEnd& operator=(const HoldsUpItsEnd&) = delete;
  ~HoldsUpItsEnd() { pthread_key_delete(key_); }

  // What a thread calls.
  void HoldUp() { pthread_setspecific(key_, this); }
  void AwaitEnding() const {
    while (!ending.load()) std::this_thread::yield();
  }

  std::atomic<bool> ending{false};
  std::atomic<bool> may_end{false};
  std::atomic<int> after{0};  // the thread's last touch of it

 private:
  pthread_key_t key_{};
};

#if defined(__linux__)
TEST(ThreadJoinTest, LimitCoversWhatOthersDoAtTheThreadsEnd) {
  HoldsUpItsEnd end;
  Thread thread([&] { end.HoldUp(); });
  thread.Start();
  end.AwaitEnding();
  EXPECT_FALSE(thread.IsAlive());
  EXPECT_FALSE(thread.Join(absl::ZeroDuration()));
  EXPECT_FALSE(thread.Join(std::chrono::milliseconds(1)));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(thread.Join(stop.get_token()));
  end.may_end.store(true);
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(end.after.load(), 1);
  EXPECT_TRUE(thread.Join(absl::ZeroDuration()));
}

TEST(ThreadJoinTest, StopEndsAJoinThatHasBegunToReap) {
  HoldsUpItsEnd end;
  Thread thread([&] { end.HoldUp(); });
  thread.Start();
  end.AwaitEnding();
  std::stop_source stop;
  bool joined = true;
  Thread joiner([&] { joined = thread.Join(stop.get_token()); });
  joiner.Start();
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  stop.request_stop();
  joiner.Join();
  EXPECT_FALSE(joined);
  end.may_end.store(true);
}

TEST(ThreadJoinTest, OfManyJoinersEachKeepsItsOwnLimit) {
  for (int round = 0; round < 20; ++round) {
    HoldsUpItsEnd end;
    Thread thread([&] { end.HoldUp(); });
    thread.Start();
    end.AwaitEnding();
    // Those that give up are right to, and the others get what those leave.
    std::vector<Thread> joiners;
    std::atomic<int> joined{0};
    std::atomic<int> gave_up{0};
    for (int i = 0; i < 4; ++i) {
      joiners.emplace_back([&] {
        if (thread.Join(absl::Microseconds(100))) {
          ++joined;
        } else {
          ++gave_up;
        }
      });
      joiners.emplace_back([&] {
        EXPECT_TRUE(thread.Join(absl::Hours(1)));
        EXPECT_EQ(end.after.load(), 1);
      });
      joiners.emplace_back([&] { EXPECT_TRUE(thread.Join()); });
    }
    for (Thread& joiner : joiners) joiner.Start();
    while (gave_up.load() == 0) std::this_thread::yield();
    end.may_end.store(true);
    for (Thread& joiner : joiners) joiner.Join();
    EXPECT_EQ(joined.load() + gave_up.load(), 4);
  }
}

TEST(ThreadJoinTest, DaemonThatIsLetGoWhileAJoinerWaitsIsStillJoined) {
  for (const bool gives_up : {false, true}) {
    HoldsUpItsEnd end;
    auto thread = std::make_unique<Thread>(Thread::Options{.daemon = true},
                                           [&] { end.HoldUp(); });
    thread->Start();
    const ThreadHandle handle = thread->handle();
    end.AwaitEnding();
    std::stop_source stop;
    bool joined = false;
    Thread joiner([&] { joined = handle.Join(stop.get_token()); });
    joiner.Start();
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    thread.reset();  // lets it go
    if (gives_up) stop.request_stop();
    if (gives_up) joiner.Join();
    end.may_end.store(true);
    joiner.Join();
    EXPECT_TRUE(joined || gives_up);
    EXPECT_TRUE(handle.Join());
    while (end.after.load() == 0) std::this_thread::yield();
  }
}
#endif

// ---------------------------------------------------------------------------
// Foreign ways to end a thread

#if defined(ABSL_HAVE_EXCEPTIONS) && defined(__GLIBC__)
TEST(ThreadForeignEndTest, PthreadExitEndsTheThreadAndUnwindsIt) {
  struct Says {
    ~Says() { said->store(true); }
    std::atomic<bool>* said;
  };
  std::atomic<bool> unwound{false};
  const auto captured = std::make_shared<int>(7);
  int reported = 0;
  SetExceptHook([&](const ExceptHookArgs& /*args*/) { ++reported; });
  Thread thread([&, captured] {
    const Says says{&unwound};
    pthread_exit(nullptr);
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  SetExceptHook(nullptr);
  EXPECT_TRUE(unwound.load());
  EXPECT_FALSE(thread.IsAlive());
  EXPECT_EQ(captured.use_count(), 1);  // the function is destroyed
  EXPECT_EQ(reported, 0);              // and it is no exception
}

TEST(ThreadForeignEndTest, PthreadCancelEndsItAtACallThatCanBeCancelled) {
  std::atomic<bool> runs{false};
  std::atomic<pthread_t> system_thread{};
  const auto captured = std::make_shared<int>(7);
  Thread thread([&, captured] {
    system_thread.store(pthread_self());
    runs.store(true);
    for (;;) pthread_testcancel();
  });
  thread.Start();
  while (!runs.load()) std::this_thread::yield();
  EXPECT_EQ(pthread_cancel(system_thread.load()), 0);
  EXPECT_TRUE(thread.Join());
  EXPECT_EQ(captured.use_count(), 1);
}

TEST(ThreadForeignEndTest, PthreadCancelDoesNotEndAWaitOfHeddles) {
  Thread awaited([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  awaited.Start();
  std::atomic<bool> runs{false};
  std::atomic<pthread_t> system_thread{};
  bool joined = false;
  std::stop_source stop;
  Thread waits([&] {
    system_thread.store(pthread_self());
    runs.store(true);
    // In parking, in pthread_join(), and while it reports.
    const bool in_time = awaited.Join({absl::Hours(1), stop.get_token()});
    joined = awaited.Join() && in_time;
  });
  waits.Start();
  while (!runs.load()) std::this_thread::yield();
  EXPECT_EQ(pthread_cancel(system_thread.load()), 0);
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  EXPECT_TRUE(waits.IsAlive());
  awaited.RequestStop();
  EXPECT_TRUE(waits.Join());
  EXPECT_TRUE(joined);
}

TEST(ThreadForeignEndTest, PendingCancelDisturbsNoReport) {
  int reported = 0;
  SetExceptHook([&](const ExceptHookArgs& /*args*/) {
    ++reported;
    pthread_testcancel();
  });
  Thread thread([] {
    pthread_cancel(pthread_self());
    throw std::runtime_error("disk full");
  });
  thread.Start();
  EXPECT_TRUE(thread.Join());
  SetExceptHook(nullptr);
  EXPECT_EQ(reported, 1);
}

TEST(ThreadForeignEndTest, TimerWhoseFunctionEndsItsThreadIsFinished) {
  Timer timer(absl::ZeroDuration(), [] { pthread_exit(nullptr); });
  timer.Start();
  EXPECT_TRUE(timer.WaitFinished());
  EXPECT_TRUE(timer.Join());
}
#endif

}  // namespace
}  // namespace heddle
