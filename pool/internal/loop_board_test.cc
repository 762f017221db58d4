#include "heddle/pool/internal/loop_board.h"

#ifdef __linux__
#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/pool/internal/shared_loop.h"
#include "heddle/pool/internal/testing.h"
#include "heddle/pool/worker_pool.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/thread.h"

namespace heddle {
namespace pool_internal {
namespace {

// A loop that counts the calls of each of its elements, and throws those numbers
// that it is told to.
struct Counts {
  static void Piece(void* context, int64_t first, int64_t last, int64_t& at) {
    auto& counts = *static_cast<Counts*>(context);
    for (at = first; at < last; ++at) {
      ++counts.calls[static_cast<size_t>(at)];
#ifdef ABSL_HAVE_EXCEPTIONS
      if (at >= counts.throws_from) throw at;
#endif
    }
  }
  explicit Counts(size_t n) : calls(n) {}

  SharedLoop::Work work() {
    SharedLoop::Work work;
    work.body = &Piece;
    work.context = this;
    work.share = 2;
    work.most = 10;
    work.end = static_cast<int64_t>(calls.size());
    return work;
  }
  bool AllCalledOnce() const {
    return std::all_of(calls.begin(), calls.end(),
                       [](const std::atomic<int>& n) { return n == 1; });
  }

  std::vector<std::atomic<int>> calls;
  int64_t throws_from = INT64_MAX;
};

TEST(LoopBoardTest, NobodyNeedHelp) {
  LoopBoard board;
  for (const size_t n : {size_t{1}, size_t{2}, size_t{1000}}) {
    Counts counts(n);
    std::exception_ptr error;
    ASSERT_TRUE(board.TryRun(counts.work(), error));
    EXPECT_EQ(error, nullptr);
    EXPECT_TRUE(counts.AllCalledOnce());
  }
  board.Help();  // there is none
}

TEST(LoopBoardTest, ALoopInALoopFindsTheBoardTaken) {
  LoopBoard board;
  struct Outer {
    static void Piece(void* context, int64_t first, int64_t last, int64_t& at) {
      auto& outer = *static_cast<Outer*>(context);
      Counts inner(3);
      std::exception_ptr error;
      for (at = first; at < last; ++at)
        outer.refused += outer.board.TryRun(inner.work(), error) ? 0 : 1;
    }
    LoopBoard& board;
    int refused = 0;
  } outer{board};
  SharedLoop::Work work;
  work.body = &Outer::Piece;
  work.context = &outer;
  work.end = 5;
  std::exception_ptr error;
  EXPECT_TRUE(board.TryRun(work, error));
  EXPECT_EQ(outer.refused, 5);
  Counts later(3);
  EXPECT_TRUE(board.TryRun(later.work(), error));
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(LoopBoardTest, TheLowestErrorComesOutAndTheBoardCanBeUsedAgain) {
  LoopBoard board;
  Counts counts(1000);
  counts.throws_from = 700;
  std::exception_ptr error;
  ASSERT_TRUE(board.TryRun(counts.work(), error));
  ASSERT_NE(error, nullptr);
  try {
    std::rethrow_exception(error);
  } catch (int64_t at) {
    EXPECT_EQ(at, 700);
  }
  Counts next(1000);
  ASSERT_TRUE(board.TryRun(next.work(), error));
  EXPECT_EQ(error, nullptr);
  EXPECT_TRUE(next.AllCalledOnce());
}
#endif  // ABSL_HAVE_EXCEPTIONS

TEST(LoopBoardTest, EachElementIsDoneOnceWhoeverHelps) {
  LoopBoard board;
  std::atomic<bool> over{false};
  const auto help = [&] {
    while (!over) board.Help();
  };
  Thread one(help);
  Thread two(help);
  one.Start();
  two.Start();
  int wrong = 0;
  for (size_t i = 0; i < 20'000; ++i) {
    Counts counts(1 + i % 50);
    bool throws = false;
#ifdef ABSL_HAVE_EXCEPTIONS
    if (i % 7 == 0) {
      counts.throws_from = static_cast<int64_t>(i % 25);
      throws = i % 25 < counts.calls.size();
    }
#endif
    std::exception_ptr error;
    ASSERT_TRUE(board.TryRun(counts.work(), error));
    if (throws != (error != nullptr)) ++wrong;
    if (!throws && !counts.AllCalledOnce()) ++wrong;
  }
  over = true;
  one.Join();
  two.Join();
  EXPECT_EQ(wrong, 0);
}

class LoopBoardStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    if (internal::UsableCpus() == 1)
      GTEST_SKIP() << "with one processor nobody watches";
  }

  // Begins with one that is the first of a stream.
  void Miss(int loops) {
    now_ += 2 * LoopBoard::kStreamNanos;
    for (int i = 0; i < loops; ++i) board_->Missed(pool_, now_ += 1'000);
  }
  // The only one is at a task until go_on_ is set.
  void OccupyWorker() {
    MustSchedule(pool_, [this] {
      begun_.Set();
      go_on_.Wait();
    });
    begun_.Wait();
  }
  uint64_t submitted() const { return pool_.Stats().submitted; }
  void AwaitAllDone() const {
    WaitUntil([&] { return pool_.Stats().done == submitted(); });
  }

  const std::shared_ptr<LoopBoard> board_ = std::make_shared<LoopBoard>();
  // Before the pool: its worker is at them until it has ended.
  Event begun_;
  Event go_on_;
  WorkerPool pool_{{.max_workers = 1, .max_spares = 0}};
  int64_t now_ = 0;
};

TEST_F(LoopBoardStreamTest, FewLoopsCallNobody) {
  Miss(LoopBoard::kStream - 1);
  Miss(LoopBoard::kStream - 1);
  EXPECT_EQ(submitted(), 0u);
}

TEST_F(LoopBoardStreamTest, LooksAtOneLoopAreOneLoop) {
  now_ += 2 * LoopBoard::kStreamNanos;
  for (int i = 0; i < 10 * LoopBoard::kStream; ++i) board_->Missed(pool_, now_);
  EXPECT_EQ(submitted(), 0u);
}

TEST_F(LoopBoardStreamTest, AStreamCallsOneWorkerUntilThatHasEnded) {
  OccupyWorker();
  Miss(10 * LoopBoard::kStream);
  EXPECT_EQ(submitted(), 2u);
  go_on_.Set();
  AwaitAllDone();
  // It watched in vain, so it takes a stream again.
  EXPECT_FALSE(board_->IsWatched());
  Miss(LoopBoard::kStream - 1);
  EXPECT_EQ(submitted(), 2u);
  board_->Missed(pool_, now_ += 1'000);
  EXPECT_EQ(submitted(), 3u);
}

TEST_F(LoopBoardStreamTest, AnInvitationThatIsDroppedMayBeRepeated) {
  OccupyWorker();
  Miss(LoopBoard::kStream);
  EXPECT_EQ(Close(pool_, WorkerPool::ShutdownMode::kDropQueued), 1u);
  Miss(LoopBoard::kStream);  // nobody comes any more
  go_on_.Set();
  ASSERT_TRUE(pool_.Join());
  WorkerPool other({.max_workers = 1});
  board_->Missed(other, now_ += 1'000);
  EXPECT_EQ(other.Stats().submitted, 1u);
}

TEST_F(LoopBoardStreamTest, WhoWatchesHelpsUntilATaskComes) {
  Miss(LoopBoard::kStream);
  // A loop that ends only when somebody else has done a piece.
  struct Meeting {
    static void Piece(void* context, int64_t first, int64_t last, int64_t& at) {
      auto& meeting = *static_cast<Meeting*>(context);
      at = first;
      for (; at < last; ++at) {
        ++meeting.here;
        while (meeting.here < 2 && !meeting.gives_up) {
        }
      }
    }
    std::atomic<int> here{0};
    std::atomic<bool> gives_up{false};
  };
  // The watcher may have gone before the loop came: then another is called.
  for (bool met = false; !met;) {
    if (!board_->IsWatched()) {
      Miss(LoopBoard::kStream);
      continue;
    }
    Meeting meeting;
    Event over;
    Thread impatient([&] {
      if (!over.Wait(absl::Milliseconds(20))) meeting.gives_up = true;
    });
    impatient.Start();
    SharedLoop::Work work;
    work.body = &Meeting::Piece;
    work.context = &meeting;
    work.end = 2;
    std::exception_ptr error;
    ASSERT_TRUE(board_->TryRun(work, error));
    over.Set();
    impatient.Join();
    met = meeting.here == 2 && !meeting.gives_up;
  }
  Event done;
  MustSchedule(pool_, [&] { done.Set(); });
  EXPECT_TRUE(done.Wait(absl::Seconds(60)));
}

#if defined(ABSL_HAVE_EXCEPTIONS) && defined(__GLIBC__)
TEST(LoopBoardTest, WhoEndsItsThreadWaitsForWhoHelps) {
  struct Loop {
    LoopBoard board;
    std::thread::id caller;
    Event guest_is_in;
    Event caller_ends;
    std::atomic<bool> guest_has_done{false};
    static void Body(void* context, int64_t first, int64_t last, int64_t& at) {
      auto& loop = *static_cast<Loop*>(context);
      for (at = first; at < last; ++at) {
        if (std::this_thread::get_id() == loop.caller) {
          loop.guest_is_in.Wait();
          loop.caller_ends.Set();
          pthread_exit(nullptr);
        }
        loop.guest_is_in.Set();
        loop.caller_ends.Wait();
        for (int i = 0; i < 100; ++i) std::this_thread::yield();
        loop.guest_has_done = true;
      }
    }
    SharedLoop::Work work() {
      SharedLoop::Work work;
      work.body = &Body;
      work.context = this;
      work.end = 2;
      return work;
    }
  } loop;
  bool waited = false;
  Thread caller([&] {
    loop.caller = std::this_thread::get_id();
    const absl::Cleanup unwound = [&] { waited = loop.guest_has_done; };
    std::exception_ptr error;
    loop.board.TryRun(loop.work(), error);
  });
  caller.Start();
  while (!loop.guest_has_done) loop.board.Help();
  caller.Join();
  EXPECT_TRUE(waited);
  // The board is free again.
  std::vector<int> calls(1);
  SharedLoop::Work work;
  work.body = [](void* context, int64_t first, int64_t last, int64_t& at) {
    for (at = first; at < last; ++at) ++*static_cast<int*>(context);
  };
  work.context = calls.data();
  work.end = 1;
  std::exception_ptr error;
  EXPECT_TRUE(loop.board.TryRun(work, error));
  EXPECT_EQ(calls[0], 1);
}
#endif

#ifdef __linux__
TEST(LoopBoardTest, WhoHelpsAndForksDoesNoMoreInTheChild) {
  struct Loop {
    LoopBoard board;
    std::thread::id caller;
    Event guest_has_forked;
    std::atomic<int> code{-1};
    bool in_child = false;
    int done_in_child = 0;
    static void Body(void* context, int64_t first, int64_t last, int64_t& at) {
      auto& loop = *static_cast<Loop*>(context);
      for (at = first; at < last; ++at) {
        if (loop.in_child) ++loop.done_in_child;
        if (std::this_thread::get_id() == loop.caller) {
          loop.guest_has_forked.Wait();
        } else if (loop.code == -1) {
          const pid_t pid = fork();
          if (pid == 0) {
            loop.in_child = true;
            continue;
          }
          int status = -1;
          waitpid(pid, &status, 0);
          loop.code = status;
          loop.guest_has_forked.Set();
        }
      }
    }
  } loop;
  Thread caller([&] {
    loop.caller = std::this_thread::get_id();
    SharedLoop::Work work;
    work.body = &Loop::Body;
    work.context = &loop;
    work.share = 4;
    work.most = 100;
    work.end = 100;
    std::exception_ptr error;
    loop.board.TryRun(work, error);
  });
  caller.Start();
  while (loop.code == -1) {
    loop.board.Help();
    if (loop.in_child) _exit(loop.done_in_child);
  }
  caller.Join();
  EXPECT_EQ(loop.code, 0);
}
#endif

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
