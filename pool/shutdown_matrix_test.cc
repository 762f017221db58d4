// Shutdown, draining or dropping, in whatever place, a great many times: each
// task is run once, or dropped and counted, or refused and left with who wanted
// to schedule it; and none is left behind. What tasks schedule while their pool
// drains is run too, and after a dropping shutdown nothing begins any more.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/pool/internal/task_queue.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/task.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace {

using ShutdownMode = WorkerPool::ShutdownMode;

// How often each is tried: --test_env=HEDDLE_CYCLES=10000 for more. A process
// of its own takes longer than a pool.
int Cycles() {
  const char* const cycles = std::getenv("HEDDLE_CYCLES");
  int count = 500;
  if (cycles != nullptr && !absl::SimpleAtoi(cycles, &count))
    ADD_FAILURE() << "HEDDLE_CYCLES is not a number: " << cycles;
  return count;
}
int Processes() { return std::max(20, Cycles() / 10); }

// The tasks of one cycle, and what became of them.
class Cycle {
 public:
  // Wants a task to be run that then calls `then()`; false if it is refused.
  template <typename Then>
  bool SubmitWith(WorkerPool& pool, Then then) {
    Task task([this, held = held_, then] {
      ++ran_;
      if (dropped_all_) ++begun_late_;
      then();
    });
    ++accepted_;  // before it can run
    if (pool.Schedule(task)) return true;
    --accepted_;
    lost_ = lost_ || !task;
    return false;
  }
  bool Submit(WorkerPool& pool) {
    return SubmitWith(pool, [] {});
  }
  void Shutdown(WorkerPool& pool, ShutdownMode mode,
                const WaitLimit& limit = {}) {
    dropped_ += pool.Shutdown(mode, limit).dropped;
    if (mode == ShutdownMode::kDropQueued) dropped_all_ = true;
  }
  int ran() const { return ran_; }

  // Whether all is accounted for. REQUIRES: the pool has ended.
  bool AddsUp() const {
    return !lost_ && accepted_ == ran_ + static_cast<int>(dropped_) &&
           held_.use_count() == 1 && begun_late_ <= kMostWorkers;
  }

  static constexpr int kMostWorkers = 2;

 private:
  const std::shared_ptr<int> held_ = std::make_shared<int>(0);  // by each task
  std::atomic<int> accepted_{0};
  std::atomic<int> ran_{0};
  std::atomic<size_t> dropped_{0};
  std::atomic<bool> lost_{false};
  // Tasks that ran their first line after a dropping shutdown had returned. A
  // task begins when its worker has taken it, and the worker may be held up
  // between that and the task's first line: one task of each.
  std::atomic<bool> dropped_all_{false};
  std::atomic<int> begun_late_{0};
};

class ShutdownMatrixTest : public testing::TestWithParam<ShutdownMode> {
 protected:
  // cycle(c) for a new Cycle, over and over.
  template <typename Function>
  void Repeat(Function cycle) {
    const int cycles = Cycles();
    for (int i = 0; i < cycles; ++i) {
      Cycle c;
      cycle(c);
      ASSERT_TRUE(c.AddsUp()) << "in cycle " << i;
    }
  }

  // child() in processes of their own, each of which must exit with 0; what ends
  // the process sees to the code.
  template <typename Function>
  void RepeatInChildren(Function child) {
    const int processes = Processes();
    for (int i = 0; i < processes; ++i) {
      const auto run = [&] {
        child();
        return 3;
      };
      ASSERT_EQ(pool_internal::ExitCodeOfChild(run), 0) << "in process " << i;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(, ShutdownMatrixTest,
                         testing::Values(ShutdownMode::kDrain,
                                         ShutdownMode::kDropQueued),
                         [](const auto& mode) {
                           return mode.param == ShutdownMode::kDrain
                                      ? "Drain"
                                      : "DropQueued";
                         });

TEST_P(ShutdownMatrixTest, AgainstASubmitter) {
  Repeat([](Cycle& c) {
    WorkerPool pool({.max_workers = 2});
    std::thread submitter([&] {
      for (int i = 0; i < 50 && c.Submit(pool); ++i) {
      }
    });
    c.Submit(pool);
    c.Shutdown(pool, GetParam());
    submitter.join();
  });
}

TEST_P(ShutdownMatrixTest, WhileTasksSubmitOthers) {
  Repeat([](Cycle& c) {
    WorkerPool pool({.max_workers = 2});
    for (int i = 0; i < 5; ++i) {
      c.SubmitWith(pool, [&] {
        c.SubmitWith(pool, [&] { c.Submit(pool); });
        c.Submit(pool);
      });
    }
    c.Shutdown(pool, GetParam());
  });
}

// Each task schedules two, down to a depth.
void Grow(Cycle& c, WorkerPool& pool, int depth) {
  if (depth == 0) return;
  for (int i = 0; i < 2; ++i)
    c.SubmitWith(pool, [&c, &pool, depth] { Grow(c, pool, depth - 1); });
}

TEST_P(ShutdownMatrixTest, WhileTasksGrowATree) {
  for (const auto order :
       {WorkerPool::Order::kNewestFirst, WorkerPool::Order::kOldestFirst}) {
    Repeat([order](Cycle& c) {
      WorkerPool pool({.max_workers = 2, .order = order});
      c.SubmitWith(pool, [&] { Grow(c, pool, 4); });
      c.Shutdown(pool, GetParam());
      EXPECT_FALSE(c.Submit(pool));
      if (GetParam() == ShutdownMode::kDrain) {
        EXPECT_EQ(c.ran(), 31);
      }
    });
  }
}

// Of long rows of tasks a worker takes many at a time.
TEST_P(ShutdownMatrixTest, WhileManyAreQueued) {
  Repeat([](Cycle& c) {
    WorkerPool pool({.max_workers = 2});
    for (int i = 0; i < 500; ++i) c.Submit(pool);
    c.Shutdown(pool, GetParam());
  });
}

// A chain: there is never more than one task.
TEST_P(ShutdownMatrixTest, WhileAChainGoesOn) {
  Repeat([](Cycle& c) {
    WorkerPool pool(
        {.max_workers = 2, .order = WorkerPool::Order::kOldestFirst});
    std::function<void()> next = [&, left = 100]() mutable {
      if (left-- > 0) c.SubmitWith(pool, [&next] { next(); });
    };
    c.SubmitWith(pool, [&next] { next(); });
    c.Shutdown(pool, GetParam());
    if (GetParam() == ShutdownMode::kDrain) {
      EXPECT_EQ(c.ran(), 101);
    }
  });
}

TEST_P(ShutdownMatrixTest, OfManyByATask) {
  Repeat([](Cycle& c) {
    WorkerPool pool({.max_workers = 1});
    for (int i = 0; i < 5; ++i) c.Submit(pool);
    c.SubmitWith(pool, [&] {
      TaskQueue tasks;
      c.Shutdown(pool, GetParam(), absl::ZeroDuration());
      for (int i = 0; i < 3; ++i) tasks.Push(Task([] {}));
      EXPECT_EQ(pool.ScheduleMany(tasks), GetParam() == ShutdownMode::kDrain);
    });
  });
}

TEST_P(ShutdownMatrixTest, SubmittedAfterTheEnd) {
  Repeat([](Cycle& c) {
    WorkerPool pool({.max_workers = 1});
    for (int i = 0; i < 5; ++i) c.Submit(pool);
    c.Shutdown(pool, GetParam());
    EXPECT_FALSE(c.Submit(pool));
  });
}

TEST_P(ShutdownMatrixTest, TwiceAtATimeAndOnceMore) {
  Repeat([](Cycle& c) {
    WorkerPool pool({.max_workers = 2});
    for (int i = 0; i < 10; ++i) c.Submit(pool);
    std::thread other([&] { c.Shutdown(pool, GetParam()); });
    c.Shutdown(pool, GetParam());
    other.join();
    c.Shutdown(pool, GetParam());
  });
}

TEST_P(ShutdownMatrixTest, ByATaskOfItsOwn) {
  Repeat([](Cycle& c) {
    WorkerPool pool({.max_workers = 2});
    for (int i = 0; i < 5; ++i) c.Submit(pool);
    c.SubmitWith(pool, [&] { c.Shutdown(pool, GetParam()); });
    for (int i = 0; i < 5; ++i) c.Submit(pool);
  });
}

TEST_P(ShutdownMatrixTest, InAThreadLocalsDestructor) {
  struct Owner {
    ~Owner() {
      if (!pool.has_value()) return;
      c->Submit(*pool);
      c->Shutdown(*pool, mode);
      EXPECT_FALSE(c->Submit(*pool));
    }
    Cycle* c = nullptr;
    ShutdownMode mode = ShutdownMode::kDrain;
    std::optional<WorkerPool> pool;
  };
  Repeat([](Cycle& c) {
    std::thread([&] {
      static thread_local Owner owner;
      owner.c = &c;
      owner.mode = GetParam();
      owner.pool.emplace(WorkerPool::Options{.max_workers = 1});
      for (int i = 0; i < 5; ++i) c.Submit(*owner.pool);
    }).join();
  });
}

// --- The end of the program ----------------------------------------------------

// As the first static of a program, and so the last that is destroyed: ends it,
// with 0 if all of the cycle is accounted for.
struct Verdict {
  ~Verdict() { _exit(c.AddsUp() ? 0 : 1); }
  Cycle c;
};

TEST_P(ShutdownMatrixTest, ThereAtExit) {
  RepeatInChildren([] {
    static Verdict verdict;
    auto* const pool = new WorkerPool({.max_workers = 2});
    for (int i = 0; i < 10; ++i) verdict.c.Submit(*pool);
    if (GetParam() == ShutdownMode::kDropQueued)
      verdict.c.Shutdown(*pool, GetParam(), absl::ZeroDuration());
    std::exit(2);
  });
}

TEST_P(ShutdownMatrixTest, InAStaticsDestructor) {
  RepeatInChildren([] {
    static Verdict verdict;
    struct Owner {
      ~Owner() {
        verdict.c.Submit(pool);  // refused: the program ends
        verdict.c.Shutdown(pool, mode);
      }
      ShutdownMode mode;
      WorkerPool pool{{.max_workers = 2}};
    };
    static Owner owner{.mode = GetParam()};
    for (int i = 0; i < 10; ++i) verdict.c.Submit(owner.pool);
    std::exit(2);
  });
}

}  // namespace
}  // namespace heddle
