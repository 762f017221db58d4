// Every queue behaves as if each call happened at one moment: what several
// threads saw of it is explained by some order of their calls that respects who
// ended before whom began.

#include "heddle/tools/explore/linearizability.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/thread/internal/run_concurrently.h"

namespace heddle {
namespace {

using explore::History;
using explore::IsLinearizable;

// A call, and what came of it.
struct Call {
  bool puts;
  bool succeeded;
  int item;  // that was put, or got
};

// A queue is explained by a list of its items, from which a kind takes the next.
struct UnboundedFifo {
  static auto Make() { return std::make_unique<Queue<int>>(); }
  static constexpr size_t kBound = 100;
  static auto Next(std::deque<int>& items) { return items.begin(); }
};
struct Ring {
  static auto Make() { return std::make_unique<Queue<int>>(2); }
  static constexpr size_t kBound = 2;
  static auto Next(std::deque<int>& items) { return items.begin(); }
};
struct Simple {
  static auto Make() { return std::make_unique<SimpleQueue<int>>(); }
  static constexpr size_t kBound = 100;
  static auto Next(std::deque<int>& items) { return items.begin(); }
};
struct Lifo {
  static auto Make() { return std::make_unique<LifoQueue<int>>(2); }
  static constexpr size_t kBound = 2;
  static auto Next(std::deque<int>& items) { return items.end() - 1; }
};
struct Priority {
  static auto Make() { return std::make_unique<PriorityQueue<int>>(2); }
  static constexpr size_t kBound = 2;
  static auto Next(std::deque<int>& items) {
    return std::min_element(items.begin(), items.end());
  }
};

template <typename Kind>
bool Explains(std::deque<int>& items, const Call& call) {
  if (call.puts) {
    if (call.succeeded != (items.size() < Kind::kBound)) return false;
    if (call.succeeded) items.push_back(call.item);
    return true;
  }
  if (call.succeeded == items.empty()) return false;
  if (!call.succeeded) return true;
  const auto next = Kind::Next(items);
  if (*next != call.item) return false;
  items.erase(next);
  return true;
}

template <typename Kind>
class LinearizabilityTest : public ::testing::Test {};
using Kinds = ::testing::Types<UnboundedFifo, Ring, Simple, Lifo, Priority>;
TYPED_TEST_SUITE(LinearizabilityTest, Kinds);

template <typename Queue>
Call Put(Queue& queue, int item) {
  if constexpr (std::is_same_v<Queue, SimpleQueue<int>>) {
    queue.Put(item);
    return {true, true, item};
  } else {
    return {true, queue.TryPut(item), item};
  }
}

template <typename Queue>
Call Get(Queue& queue) {
  const std::optional<int> item = queue.TryGet();
  return {false, item.has_value(), item.value_or(0)};
}

TYPED_TEST(LinearizabilityTest, SomeOrderOfTheCallsExplainsWhatTheyReturned) {
  constexpr int kRounds = 300;
  constexpr size_t kThreads = 3;
  // What a thread does in a round: P puts, G gets.
  const std::vector<std::string> programs = {"PGP", "GPG", "PPG",
                                             "GGP", "PGG", "GPPG"};
  // A round has a queue and a history of its own.
  using QueuePtr = decltype(TypeParam::Make());
  std::vector<QueuePtr> queues;
  std::vector<std::unique_ptr<History<Call>>> histories;
  for (int i = 0; i < kRounds; ++i) {
    queues.push_back(TypeParam::Make());
    histories.push_back(std::make_unique<History<Call>>());
  }
  std::vector<std::function<void()>> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t, round = size_t{0}]() mutable {
      const std::string& program =
          programs[(round * (t + 1) + t) % programs.size()];
      int item = static_cast<int>((t * 7 + round) % 5) * 100 +
                 static_cast<int>(t) * 10;
      for (const char operation : program) {
        histories[round]->Add([&] {
          return operation == 'P' ? Put(*queues[round], ++item)
                                  : Get(*queues[round]);
        });
      }
      ++round;
    });
  }
  internal::RunConcurrently(kRounds, threads);
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_TRUE(IsLinearizable(*histories[static_cast<size_t>(i)],
                               std::deque<int>(), Explains<TypeParam>))
        << "round " << i;
  }
}

}  // namespace
}  // namespace heddle
