#include "heddle/thread/local.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/failing_new.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace {

using internal::RunConcurrently;

// Runs `body` in a thread of its own, from its beginning to its end.
void InAThread(std::function<void()> body) {
  Thread thread(std::move(body));
  thread.Start();
  EXPECT_TRUE(thread.Join());
}

// A thread that is told when to end; it has run `body` by then.
class HeldThread {
 public:
  explicit HeldThread(std::function<void()> body)
      : thread_([this, body = std::move(body)] {
          body();
          ready_.store(true);
          while (!may_end_.load()) std::this_thread::yield();
        }) {
    thread_.Start();
    while (!ready_.load()) std::this_thread::yield();
  }
  ~HeldThread() { End(); }
  void Release() { may_end_.store(true); }
  void End() {
    Release();
    EXPECT_TRUE(thread_.Join());
  }

 private:
  std::atomic<bool> ready_{false};
  std::atomic<bool> may_end_{false};
  Thread thread_;
};

// Counts those that are alive.
struct Counted {
  explicit Counted(std::atomic<int>& l) : live(&l) { ++*live; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*live; }
  std::atomic<int>* live;
};

// Calls `body` when it is destroyed.
struct Calls {
  explicit Calls(std::function<void()> b) : body(std::move(b)) {}
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;
  ~Calls() {
    if (body) body();
  }
  std::function<void()> body;
};

TEST(LocalTest, EachThreadHasAValueOfItsOwn) {
  Local<int> local;
  *local = 1;
  InAThread([&] {
    EXPECT_EQ(*local, 0);
    *local = 2;
    EXPECT_EQ(local.Get(), 2);
  });
  EXPECT_EQ(*local, 1);
}

TEST(LocalTest, EachObjectHasAValueOfItsOwn) {
  Local<std::string> first;
  Local<std::string> second;
  first->assign("first");
  second->assign("second");
  EXPECT_EQ(*first, "first");
  EXPECT_EQ(*second, "second");
}

TEST(LocalTest, FactoryRunsOnceInEachThreadThatAsks) {
  std::atomic<int> made{0};
  const Local<int> local([&] { return ++made; });
  EXPECT_EQ(made.load(), 0);
  EXPECT_EQ(*local, 1);
  EXPECT_EQ(*local, 1);
  InAThread([&] { EXPECT_EQ(*local, 2); });
  InAThread([] {});
  EXPECT_EQ(made.load(), 2);
}

TEST(LocalTest, FindMakesNothing) {
  std::atomic<int> made{0};
  const Local<int> local([&] { return ++made; });
  EXPECT_EQ(local.Find(), nullptr);
  EXPECT_EQ(made.load(), 0);
  int* const value = &*local;
  EXPECT_EQ(local.Find(), value);
  InAThread([&] { EXPECT_EQ(local.Find(), nullptr); });
}

TEST(LocalTest, ValuesNeedNotBeMovableAndFactoriesNotCopyable) {
  const Local<std::atomic<int>> local(
      [start = std::make_unique<int>(5)] { return std::atomic<int>(*start); });
  EXPECT_EQ(local->load(), 5);
}

TEST(LocalTest, ManyAtOnceAreAllFound) {
  constexpr size_t kLocals = 100;
  std::vector<std::unique_ptr<Local<size_t>>> locals;
  for (size_t i = 0; i < kLocals; ++i)
    locals.push_back(std::make_unique<Local<size_t>>([i] { return i; }));
  for (size_t i = kLocals; i-- > 0;) EXPECT_EQ(**locals[i], i);
  InAThread([&] {
    for (size_t i = 0; i < kLocals; ++i) EXPECT_EQ(**locals[i], i);
  });
  for (size_t i = 0; i < kLocals; ++i) EXPECT_EQ(**locals[i], i);
}

TEST(LocalTest, NewOneDoesNotSeeTheValuesOfOneThatHasDied) {
  for (int i = 0; i < 100; ++i) {
    const Local<int> local;
    EXPECT_EQ(local.Find(), nullptr);
    EXPECT_EQ(*local, 0);
    *local = 1;
  }
}

TEST(LocalTest, NewOneDoesNotSeeThoseOfThreadsThatGoOn) {
  std::optional<Local<int>> local(std::in_place);
  std::atomic<int> step{0};
  Thread thread([&] {
    **local = 1;
    step.store(1);
    while (step.load() != 2) std::this_thread::yield();
    EXPECT_EQ(**local, 0);
  });
  thread.Start();
  while (step.load() != 1) std::this_thread::yield();
  local.emplace();
  step.store(2);
  EXPECT_TRUE(thread.Join());
}

// ---------------------------------------------------------------------------
// Ends

TEST(LocalTest, ValueIsDestroyedAtTheEndOfItsThread) {
  std::atomic<int> live{0};
  const Local<Counted> local([&] { return Counted(live); });
  InAThread([&] {
    static_cast<void>(local.Get());
    EXPECT_EQ(live.load(), 1);
  });
  EXPECT_EQ(live.load(), 0);
}

TEST(LocalTest, ValueIsDestroyedAtTheEndOfAThreadOfSomebodyElses) {
  std::atomic<int> live{0};
  const Local<Counted> local([&] { return Counted(live); });
  std::thread([&] { static_cast<void>(local.Get()); }).join();
  EXPECT_EQ(live.load(), 0);
}

TEST(LocalTest, ValuesOfAllThreadsAreDestroyedWithTheLocal) {
  std::atomic<int> live{0};
  std::optional<Local<Counted>> local(std::in_place,
                                      [&] { return Counted(live); });
  static_cast<void>(local->Get());
  HeldThread first([&] { static_cast<void>(local->Get()); });
  HeldThread second([&] { static_cast<void>(local->Get()); });
  EXPECT_EQ(live.load(), 3);
  local.reset();
  EXPECT_EQ(live.load(), 0);
  first.End();
  second.End();
  EXPECT_EQ(live.load(), 0);
}

TEST(LocalTest, EndOfThreadAndEndOfLocalMayRace) {
  std::atomic<int> live{0};
  for (int i = 0; i < 300; ++i) {
    std::optional<Local<Counted>> local(std::in_place,
                                        [&] { return Counted(live); });
    static_cast<void>(local->Get());
    HeldThread first([&] { static_cast<void>(local->Get()); });
    HeldThread second([&] { static_cast<void>(local->Get()); });
    first.Release();
    second.Release();
    local.reset();
    EXPECT_EQ(live.load(), 0);
  }
}

TEST(LocalTest, DestructorWaitsForAValueThatAThreadsEndIsDestroying) {
  std::atomic<bool> destroying{false};
  std::atomic<bool> may_go_on{false};
  std::atomic<bool> destroyed{false};
  std::optional<Local<Calls>> local(std::in_place, [&] {
    return Calls([&] {
      destroying.store(true);
      while (!may_go_on.load()) std::this_thread::yield();
      destroyed.store(true);
    });
  });
  Thread thread([&] { static_cast<void>(local->Get()); });
  thread.Start();
  while (!destroying.load()) std::this_thread::yield();
  Thread destroyer([&] {
    local.reset();
    EXPECT_TRUE(destroyed.load());
  });
  destroyer.Start();
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  EXPECT_FALSE(destroyed.load());
  may_go_on.store(true);
  EXPECT_TRUE(destroyer.Join());
  EXPECT_TRUE(thread.Join());
}

TEST(LocalTest, ValueMayDestroyItsOwnLocalAtItsThreadsEnd) {
  struct Owner {
    std::atomic<bool> gone{false};
    std::shared_ptr<Local<Calls>> local;
  } owner;
  owner.local = std::make_shared<Local<Calls>>([&owner] {
    return Calls([&owner] {
      if (owner.local == nullptr) return;
      owner.local.reset();
      owner.gone.store(true);
    });
  });
  InAThread([&] { static_cast<void>(owner.local->Get()); });
  EXPECT_TRUE(owner.gone.load());
}

TEST(LocalTest, NewestValueIsDestroyedFirst) {
  std::vector<int> order;
  const Local<Calls> first([&] { return Calls([&] { order.push_back(1); }); });
  const Local<Calls> second([&] { return Calls([&] { order.push_back(2); }); });
  const Local<Calls> third([&] { return Calls([&] { order.push_back(3); }); });
  InAThread([&] {
    static_cast<void>(second.Get());
    static_cast<void>(first.Get());
    static_cast<void>(third.Get());
  });
  EXPECT_EQ(order, (std::vector<int>{3, 1, 2}));
}

TEST(LocalTest, ThreadLocalObjectsMayUseItWhileTheyAreDestroyed) {
  static std::atomic<int> seen{0};
  static std::atomic<int> live{0};
  static Local<Counted>* used = nullptr;
  Local<Counted> local([] { return Counted(live); });
  used = &local;
  struct UsesItWhenDestroyed {
    ~UsesItWhenDestroyed() {
      if (in_use && &used->Get() == used->Find()) seen.store(live.load());
    }
    bool in_use = false;
  };
  InAThread([] {
    static thread_local UsesItWhenDestroyed object;
    object.in_use = true;
  });
  used = nullptr;
  EXPECT_EQ(seen.load(), 1);
  EXPECT_EQ(live.load(), 0);
}

TEST(LocalTest, DestructorMayUseOthersWhichAreMadeAnewIfTheyAreGone) {
  std::vector<std::string> log;
  const Local<Calls> other([&] {
    log.emplace_back("made");
    return Calls([&] { log.emplace_back("destroyed"); });
  });
  const Local<Calls> user([&] {
    return Calls([&] {
      static_cast<void>(other.Get());
      log.emplace_back("used");
    });
  });
  InAThread([&] {
    static_cast<void>(user.Get());
    static_cast<void>(other.Get());  // newer: destroyed first
  });
  EXPECT_EQ(log, (std::vector<std::string>{"made", "destroyed", "made", "used",
                                           "destroyed"}));
}

TEST(LocalTest, ValuesThatAreMadeAnewForEverEndWithTheLocal) {
  std::atomic<int> made{0};
  std::atomic<int> destroyed{0};
  {
    std::optional<Local<Calls>> local;
    local.emplace([&] {
      ++made;
      return Calls([&] {
        ++destroyed;
        // While the Local lives: as it dies nobody may use it.
        if (destroyed.load() <= 4) static_cast<void>(local->Get());
      });
    });
    InAThread([&] { static_cast<void>(local->Get()); });
    EXPECT_EQ(made.load(), 5);
    EXPECT_EQ(destroyed.load(), 4);
  }
  EXPECT_EQ(destroyed.load(), made.load());
}

TEST(LocalTest, ManyThreadsUseManyAtOnce) {
  std::atomic<int> live{0};
  RunConcurrently(
      100,
      [&] {
        const Local<Counted> mine([&] { return Counted(live); });
        static_cast<void>(mine.Get());
        InAThread([&] { static_cast<void>(mine.Get()); });
      },
      [&] {
        const Local<Counted> mine([&] { return Counted(live); });
        InAThread([&] { static_cast<void>(mine.Get()); });
        static_cast<void>(mine.Get());
      });
  EXPECT_EQ(live.load(), 0);
}

// ---------------------------------------------------------------------------
// Errors

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(LocalTest, WhatTheFactoryThrowsComesToWhoAsksAndTheNextTriesAgain) {
  bool fails = true;
  const Local<int> local([&] {
    if (fails) throw std::runtime_error("no");
    return 7;
  });
  EXPECT_THROW(local.Get(), std::runtime_error);
  EXPECT_EQ(local.Find(), nullptr);
  fails = false;
  EXPECT_EQ(*local, 7);
}

TEST(LocalTest, FactoryThatAsksForItsOwnValueIsALogicError) {
  std::unique_ptr<Local<int>> local;
  bool asks = true;
  local = std::make_unique<Local<int>>([&] { return asks ? **local + 1 : 1; });
  EXPECT_THROW(local->Get(), std::logic_error);
  EXPECT_EQ(local->Find(), nullptr);
  asks = false;
  EXPECT_EQ(**local, 1);
}

TEST(LocalTest, FactoryMayUseOthers) {
  const Local<int> other([] { return 20; });
  const Local<int> local([&] { return *other + 1; });
  EXPECT_EQ(*local, 21);
}

TEST(LocalTest, OutOfMemoryIsThrownAndNothingHasChanged) {
  bool failed = true;
  int failures = 0;
  for (int n = 0; failed; ++n) {
    std::atomic<int> live{0};
    InAThread([&] {
      std::optional<Local<Counted>> local;
      if (internal::WithoutMemoryAfter(n, failed, [&] {
            local.emplace([&] { return Counted(live); });
            static_cast<void>(local->Get());
          })) {
        EXPECT_EQ(live.load(), 1);
        return;
      }
      ++failures;
      EXPECT_EQ(live.load(), 0);
      if (!local.has_value()) return;
      EXPECT_EQ(local->Find(), nullptr);
      static_cast<void>(local->Get());
      EXPECT_EQ(live.load(), 1);
    });
    EXPECT_EQ(live.load(), 0);
  }
  EXPECT_GT(failures, 1);
}
#endif

}  // namespace
}  // namespace heddle
