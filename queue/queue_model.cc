// Models of Queue, LifoQueue and PriorityQueue: (Q1)-(Q6) of blocking_queue.h,
// under every schedule.

#include <cstddef>
#include <deque>
#include <iterator>
#include <optional>
#include <stop_token>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/queue/blocking_queue.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"
#include "heddle/tools/explore/linearizability.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using explore::HoldsInSamples;
using internal::Var;

TEST(QueueModel, WhatCameBeforePutIsVisibleAfterGet) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Queue<int> queue;
    Var<int> data = 0;
    run.Run(
        [&] {
          data = 1;
          queue.Put(1);
        },
        [&] {
          explore::Check(queue.Get() == 1);
          explore::Check(data == 1);
        });
  }));
}

TEST(QueueModel, ItemsComeOutInTheirOrder) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Queue<int> queue;
    run.Run(
        [&] {
          queue.Put(1);
          queue.Put(2);
        },
        [&] {
          explore::Check(queue.Get() == 1);
          explore::Check(queue.Get() == 2);
        });
  }));
}

TEST(QueueModel, PutWaitsForRoom) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> queue(1);
    run.Run(
        [&] {
          explore::Check(queue.Put(1));
          explore::Check(queue.Put(2));
        },
        [&] {
          explore::Check(queue.Get() == 1);
          explore::Check(queue.Get() == 2);
        });
  }));
}

TEST(QueueModel, TwoGettersGetOneEach) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> queue;
    int sum = 0;
    const auto get = [&] { sum += queue.Get().value_or(0); };
    run.Run(get, get, [&] {
      queue.Put(1);
      queue.Put(2);
    });
    explore::Check(sum == 3);
  }));
}

TEST(QueueModel, PutManyServesTwoGetters) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> queue;
    int sum = 0;
    const auto get = [&] { sum += queue.Get().value_or(0); };
    run.Run(get, get, [&] { queue.PutMany(std::vector<int>{1, 2}); });
    explore::Check(sum == 3);
  }));
}

TEST(QueueModel, PutManyOfOneItemServesAGetter) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Queue<int> queue;
    run.Run([&] { explore::Check(queue.Get() == 7); },
            [&] { queue.PutMany(std::vector<int>{7}); });
  }));
}

TEST(QueueModel, GetManyMakesRoomForTwoPutters) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> queue(2);
    queue.PutMany(std::vector<int>{1, 2});
    const auto put = [&] { explore::Check(queue.Put(3)); };
    run.Run(put, put, [&] {
      std::vector<int> got;
      static_cast<void>(queue.GetMany(std::back_inserter(got), 2));
    });
  }));
}

TEST(QueueModel, AGetWithALimitTakesTheItemOrLeavesIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Queue<int> queue;
    std::stop_source stop;
    bool got = false;
    run.Run(
        [&] {
          got = queue.Get({absl::Seconds(1), stop.get_token()}).has_value();
        },
        [&] { queue.Put(1); }, [&] { stop.request_stop(); });
    explore::Check(got != queue.TryGet().has_value());
  }));
}

TEST(QueueModel, APutWithALimitPutsTheItemOrKeepsIt) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> queue(1);
    queue.Put(1);
    bool put = false;
    run.Run([&] { put = queue.Put(2, absl::Seconds(1)); },
            [&] { explore::Check(queue.Get() == 1); });
    explore::Check(put == queue.TryGet().has_value());
  }));
}

TEST(QueueModel, APutAgainstShutdownIsGotOrRefused) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> queue;
    bool put = false;
    bool got = false;
    run.Run([&] { put = queue.Put(1); }, [&] { queue.Shutdown(); },
            [&] { got = queue.Get().has_value(); });
    explore::Check(put == got);
  }));
}

TEST(QueueModel, ShutdownReleasesAPutterAndTwoGetters) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> full(1);
    full.Put(1);
    run.Run([&] { explore::Check(!full.Put(2)); }, [&] { full.Shutdown(); });
  }));
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    Queue<int> empty;
    const auto get = [&] { explore::Check(!empty.Get().has_value()); };
    run.Run(get, get, [&] { empty.Shutdown(); });
  }));
}

TEST(QueueModel, ImmediateShutdownDropsWhatNobodyGot) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Queue<int> queue;
    queue.PutMany(std::vector<int>{1, 2});
    size_t got = 0;
    size_t dropped = 0;
    run.Run([&] { got += queue.Get().has_value() ? 1 : 0; },
            [&] { dropped = queue.Shutdown(QueueShutdown::kImmediate); });
    explore::Check(got + dropped == 2);
    explore::Check(queue.unfinished_tasks() == got);
  }));
}

TEST(QueueModel, JoinReturnsWhenAllIsDone) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> queue;
    queue.PutMany(std::vector<int>{1, 2});
    Var<int> work = 0;
    run.Run([&] { explore::Check(queue.Join()); },
            [&] {
              queue.TaskDone();
              work = 1;
              queue.TaskDone();
            });
    explore::Check(work == 1);
  }));
}

TEST(QueueModel, WhatCameBeforeTaskDoneIsVisibleAfterJoin) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> queue;
    queue.PutMany(std::vector<int>{1, 2});
    Var<int> first = 0;
    Var<int> second = 0;
    run.Run(
        [&] {
          queue.Join();
          explore::Check(first == 1 && second == 1);
        },
        [&] {
          first = 1;
          queue.TaskDone();
        },
        [&] {
          second = 1;
          queue.TaskDone();
        });
  }));
}

// Either thread may get the item of the other: what it then says done came with
// that item, and so does the count of puts.
TEST(QueueModel, TaskDoneOncePerItemNeverThrows) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> queue;
    const auto work = [&] {
      queue.Put(1);
      if (queue.TryGet().has_value()) queue.TaskDone();
    };
    run.Run(work, work);
    explore::Check(queue.unfinished_tasks() == queue.Size());
  }));
}

TEST(QueueModel, ImmediateShutdownReleasesWhoJoins) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> queue;
    queue.Put(1);
    run.Run([&] { explore::Check(queue.Join()); },
            [&] { queue.Shutdown(QueueShutdown::kImmediate); });
  }));
}

// The other two orders have one lock, and their gates with it.

template <typename AnyQueue>
void PutTwoThroughRoomForOne(Execution& run) {
  AnyQueue queue(1);
  int sum = 0;
  run.Run(
      [&] {
        queue.Put(1);
        queue.Put(2);
      },
      [&] {
        sum += queue.Get().value_or(0);
        sum += queue.Get().value_or(0);
      });
  explore::Check(sum == 3);
}

TEST(LifoQueueModel, PutWaitsForRoomAndGetForAnItem) {
  EXPECT_TRUE(HoldsInSamples(PutTwoThroughRoomForOne<LifoQueue<int>>));
}

TEST(PriorityQueueModel, PutWaitsForRoomAndGetForAnItem) {
  EXPECT_TRUE(HoldsInSamples(PutTwoThroughRoomForOne<PriorityQueue<int>>));
}

TEST(LifoQueueModel, ImmediateShutdownDropsWhatNobodyGot) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    LifoQueue<int> queue;
    queue.PutMany(std::vector<int>{1, 2});
    size_t got = 0;
    size_t dropped = 0;
    run.Run([&] { got += queue.Get().has_value() ? 1 : 0; },
            [&] { dropped = queue.Shutdown(QueueShutdown::kImmediate); });
    explore::Check(got + dropped == 2);
  }));
}

// (Q7): a thread that has seen what a call has done may destroy the queue,
// though the call has not returned.

template <typename AnyQueue>
void DestroyWithTheOnlyItem(Execution& run) {
  auto* const queue = new AnyQueue;
  run.Run([&] { queue->Put(1); },
          [&] {
            explore::Check(queue->Get() == 1);
            delete queue;
          });
}

TEST(QueueModel, WhoGotTheOnlyItemMayDestroyIt) {
  EXPECT_TRUE(Holds(1, DestroyWithTheOnlyItem<Queue<int>>));
}
TEST(LifoQueueModel, WhoGotTheOnlyItemMayDestroyIt) {
  EXPECT_TRUE(Holds(1, DestroyWithTheOnlyItem<LifoQueue<int>>));
}
TEST(PriorityQueueModel, WhoGotTheOnlyItemMayDestroyIt) {
  EXPECT_TRUE(Holds(1, DestroyWithTheOnlyItem<PriorityQueue<int>>));
}

TEST(QueueModel, WhoGotTheLastOfManyMayDestroyIt) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    auto* const queue = new Queue<int>;
    run.Run(
        [&] {
          queue->PutMany(std::vector<int>{1, 2});
        },
        [&] {
          explore::Check(queue->Get().has_value());
          explore::Check(queue->Get().has_value());
          delete queue;
        });
  }));
}

// The putter may have waited for room.
TEST(QueueModel, WhoGotTheLastThroughRoomForOneMayDestroyIt) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    auto* const queue = new Queue<int>(1);
    run.Run(
        [&] {
          queue->Put(1);
          queue->Put(2);
        },
        [&] {
          explore::Check(queue->Get().has_value());
          explore::Check(queue->Get() == 2);
          delete queue;
        });
  }));
}

// The getter may have waited for the item.
TEST(QueueModel, WhoPutInPlaceOfWhatWasGotMayDestroyIt) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    auto* const queue = new Queue<int>(1);
    run.Run([&] { explore::Check(queue->Get() == 1); },
            [&] {
              queue->Put(1);
              queue->Put(2);
              delete queue;
            });
  }));
}
TEST(LifoQueueModel, WhoPutInPlaceOfWhatWasGotMayDestroyIt) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    auto* const queue = new LifoQueue<int>(1);
    run.Run([&] { explore::Check(queue->Get() == 1); },
            [&] {
              queue->Put(1);
              queue->Put(2);
              delete queue;
            });
  }));
}

TEST(QueueModel, WhoSawTheEndMayDestroyIt) {
  for (const QueueShutdown how :
       {QueueShutdown::kDrain, QueueShutdown::kImmediate}) {
    EXPECT_TRUE(Holds(2, [how](Execution& run) {
      auto* const queue = new Queue<int>;
      run.Run([&] { queue->Shutdown(how); },
              [&] {
                explore::Check(!queue->Get().has_value());
                delete queue;
              });
    }));
  }
}

TEST(QueueModel, WhoJoinedMayDestroyIt) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    auto* const queue = new Queue<int>;
    queue->PutMany(std::vector<int>{1, 2});
    explore::Check(queue->TryGet().has_value());
    explore::Check(queue->TryGet().has_value());
    run.Run([&] { queue->TaskDone(); }, [&] { queue->TaskDone(); },
            [&] {
              explore::Check(queue->Join());
              delete queue;
            });
  }));
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    auto* const queue = new Queue<int>;
    queue->Put(1);
    run.Run([&] { queue->Shutdown(QueueShutdown::kImmediate); },
            [&] {
              explore::Check(queue->Join());
              delete queue;
            });
  }));
}

// (D2), (Q5): done ahead of its Get(), against what drops it.
TEST(QueueModel, AnItemIsDoneOnceThoughItIsAlsoDropped) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> queue;
    queue.PutMany(std::vector<int>{1, 2});
    queue.TaskDone();
    run.Run([&] { explore::Check(queue.Join()); },
            [&] { queue.Shutdown(QueueShutdown::kImmediate); });
    explore::Check(queue.unfinished_tasks() == 0);
  }));
}

// What Size() says was so at some moment: there is never more than one here.
TEST(QueueModel, SizeIsOneThatWas) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Queue<int> queue(2);
    run.Run(
        [&] {
          for (int i = 0; i < 2; ++i) {
            explore::Check(queue.TryPut(i));
            explore::Check(queue.TryGet() == i);
          }
        },
        [&] { explore::Check(!queue.Full()); });
  }));
}

// Linearizability, of calls that do not wait.

struct Call {
  bool puts;
  bool succeeded;
  int item;
};

template <typename Queue>
Call TryPut(Queue& queue, int item) {
  return {true, queue.TryPut(item), item};
}
template <typename Queue>
Call TryGet(Queue& queue) {
  const std::optional<int> item = queue.TryGet();
  return {false, item.has_value(), item.value_or(0)};
}

TEST(QueueModel, IsLinearizable) {
  EXPECT_TRUE(HoldsInSamples([](Execution& run) {
    constexpr size_t kBound = 2;
    Queue<int> queue(kBound);
    explore::History<Call> history;
    run.Run(
        [&] {
          history.Add([&] { return TryPut(queue, 1); });
          history.Add([&] { return TryPut(queue, 2); });
        },
        [&] {
          history.Add([&] { return TryPut(queue, 3); });
          history.Add([&] { return TryGet(queue); });
        },
        [&] {
          history.Add([&] { return TryGet(queue); });
          history.Add([&] { return TryGet(queue); });
        });
    explore::Check(explore::IsLinearizable(
        history, std::deque<int>(),
        [](std::deque<int>& items, const Call& call) {
          if (call.puts) {
            if (call.succeeded != (items.size() < kBound)) return false;
            if (call.succeeded) items.push_back(call.item);
            return true;
          }
          if (call.succeeded == items.empty()) return false;
          if (!call.succeeded) return true;
          if (items.front() != call.item) return false;
          items.pop_front();
          return true;
        }));
  }));
}

}  // namespace
}  // namespace heddle
