// Models of SharedLoop, (L1) and (L2), of LoopBoard, (B1), and of MapJob, (M1)
// and (M2), under every schedule.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/pool/internal/block_cache.h"
#include "heddle/pool/internal/loop.h"
#include "heddle/pool/internal/loop_board.h"
#include "heddle/pool/internal/map_input.h"
#include "heddle/pool/internal/map_job.h"
#include "heddle/pool/internal/result_handle.h"
#include "heddle/pool/internal/result_state.h"
#include "heddle/pool/internal/shared_loop.h"
#include "heddle/pool/task.h"
#include "heddle/thread/internal/var.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace pool_internal {
namespace {

using explore::Execution;
using explore::Holds;
using internal::Var;

// A body on the stack of a caller: it is gone when the caller returns.
struct Body {
  static void Piece(void* context, int64_t begin, int64_t end, int64_t& at) {
    auto& body = *static_cast<Body*>(context);
    for (at = begin; at < end; ++at) ++body.calls[static_cast<size_t>(at)];
  }
  explicit Body(size_t n) : calls(n) {}
  std::vector<Var<int>> calls;
};

SharedLoop::Work WorkOf(Body& body) {
  SharedLoop::Work work;
  work.body = &Body::Piece;
  work.context = &body;
  work.end = static_cast<int64_t>(body.calls.size());
  return work;
}

bool AllCalledOnce(const Body& body) {
  return std::all_of(body.calls.begin(), body.calls.end(),
                     [](const Var<int>& calls) { return calls == 1; });
}

InvitedLoop* MakeLoop(Body& body) {
  auto* const loop = MakeInBlock<InvitedLoop>();
  loop->Open(WorkOf(body));
  return loop;
}

TEST(LoopModel, EachElementIsDoneOnceAndTheCallerSeesAll) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    InvitedLoop* loop = nullptr;
    {
      Body body(3);
      loop = MakeLoop(body);
      loop->Ref();
      run.Run(
          [&] {
            explore::Check(loop->Run() == nullptr);
            explore::Check(AllCalledOnce(body));
          },
          [&] { loop->Help(); });
      loop->Unref();
    }
    loop->Unref();
  }));
}

TEST(LoopModel, AGuestThatComesLateTouchesNothing) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    auto* body = new Body(1);
    InvitedLoop* const loop = MakeLoop(*body);
    loop->Ref();
    run.Run(
        [&] {
          explore::Check(loop->Run() == nullptr);
          delete body;
          loop->Unref();
        },
        [&] {
          loop->Help();
          loop->Unref();
        });
  }));
}

// Runs a loop of `n` elements on `board`, if that is free; its body is gone
// afterwards.
void RunLoop(LoopBoard& board, size_t n) {
  const auto body = std::make_unique<Body>(n);
  std::exception_ptr error;
  if (!board.TryRun(WorkOf(*body), error)) return;
  explore::Check(error == nullptr);
  explore::Check(AllCalledOnce(*body));
}

TEST(LoopBoardModel, OneLoopFollowsAnother) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    LoopBoard board;
    run.Run(
        [&] {
          RunLoop(board, 2);
          RunLoop(board, 1);
        },
        [&] {
          board.Help();
          board.Help();
        });
  }));
}

TEST(LoopBoardModel, TwoWhoHaveLoopsDoNotMeet) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    LoopBoard board;
    run.Run([&] { RunLoop(board, 1); }, [&] { RunLoop(board, 1); },
            [&] { board.Help(); });
  }));
}

struct NeverStopped {
  bool operator()() const { return false; }
};

using Job =
    MapJob<int, std::function<int(int&)>, ViewInput<std::vector<int>::iterator>,
           TellNobody, NeverStopped>;

// As a pool's worker has it: a task, run or dropped.
Task Ticket(Job& job) { return Task(MakeInBlock<MapTicket>(job)); }

class Handle : public ResultHandle<std::vector<int>> {
 public:
  using ResultHandle::ResultHandle;
  std::vector<int>& Get() { return Await("none", WaitLimit()); }
  bool Cancelled() { return state("none").Cancelled(); }
  void Wait() { state("none").Wait(WaitLimit()); }
};

TEST(MapJobModel, AllChunksEndBeforeTheResultIsThere) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    std::vector<int> numbers = {1, 2};
    Var<int> calls[3] = {0, 0, 0};
    auto* const job = new Job(
        [&calls](int& x) {
          ++calls[x];
          return 10 * x;
        },
        View<std::function<int(int&)>>(numbers), 1, TellNobody(),
        NeverStopped(), /*pool=*/0);
    Handle result(job);
    job->Unref();
    Task first = Ticket(*job);
    Task second = Ticket(*job);
    run.Run([&] { std::move(first).Run(); }, [&] { std::move(second).Run(); },
            [&] {
              explore::Check(result.Get()[0] == 10);
              explore::Check(result.Get()[1] == 20);
              explore::Check(calls[1] == 1 && calls[2] == 1);
            });
  }));
}

TEST(MapJobModel, ATicketThatIsDroppedEndsTheJob) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    std::vector<int> numbers = {1, 2};
    auto* const job = new Job([](int& x) { return x; },
                              View<std::function<int(int&)>>(numbers), 1,
                              TellNobody(), NeverStopped(), /*pool=*/0);
    Handle result(job);
    job->Unref();
    Task first = Ticket(*job);
    Task second = Ticket(*job);
    run.Run([&] { std::move(first).Run(); },
            [&] { std::move(second).Drop(nullptr); }, [&] { result.Wait(); });
  }));
}

}  // namespace
}  // namespace pool_internal
}  // namespace heddle
