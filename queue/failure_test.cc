// Each operation that may throw does so in turn, in each call of each queue: a
// move, a copy, a comparison, an iterator, an allocation. Nothing is lost or
// doubled, and the queue goes on.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/queue/lifo_queue.h"
#include "heddle/queue/priority_queue.h"
#include "heddle/queue/queue.h"
#include "heddle/queue/select.h"
#include "heddle/queue/simple_queue.h"
#include "heddle/thread/internal/failing_new.h"
#include "heddle/thread/thread.h"

#ifdef ABSL_HAVE_EXCEPTIONS
namespace heddle {
namespace {

using internal::FailHereIfDue;

// Everything that it can do may fail, and then has changed nothing. 0: moved from.
struct Fragile {
  static inline int live = 0;

  explicit Fragile(int v) : value(v) { ++live; }
  Fragile(const Fragile& other) : value(other.value) {
    FailHereIfDue();
    ++live;
  }
  // NOLINTNEXTLINE(performance-noexcept-move-constructor): that it throws
  Fragile(Fragile&& other) : value(other.value) {
    FailHereIfDue();
    other.value = 0;
    ++live;
  }
  Fragile& operator=(const Fragile& other) {
    FailHereIfDue();
    value = other.value;
    return *this;
  }
  // NOLINTNEXTLINE(performance-noexcept-move-constructor): that it throws
  Fragile& operator=(Fragile&& other) {
    FailHereIfDue();
    value = std::exchange(other.value, 0);
    return *this;
  }
  ~Fragile() { --live; }
  bool operator<(const Fragile& other) const {
    FailHereIfDue();
    return value < other.value;
  }

  int value;
};

// The same, where a queue may rely on moves.
struct FragileButForMoves : Fragile {
  explicit FragileButForMoves(int v) : Fragile(v) {}
  FragileButForMoves(const FragileButForMoves&) = default;
  FragileButForMoves(FragileButForMoves&& other) noexcept
      : Fragile(std::exchange(other.value, 0)) {}
  FragileButForMoves& operator=(const FragileButForMoves&) = default;
  FragileButForMoves& operator=(FragileButForMoves&& other) noexcept {
    value = std::exchange(other.value, 0);
    return *this;
  }
  ~FragileButForMoves() = default;
};

template <typename Queue>
using ItemOf = typename decltype(std::declval<Queue>().TryGet())::value_type;

// What a call puts, and the values of what it got.
template <typename Item>
struct Caller {
  std::vector<Item> items;
  std::vector<int> got;
};

template <typename Queue>
class FailureTest : public testing::Test {
 protected:
  using Item = ItemOf<Queue>;
  using ACaller = Caller<Item>;

  // Makes `call` on a queue of 1, 2 and 3, by a caller who has 11, 12 and 13, with
  // each of its operations failing in turn, until none is left. What is then in
  // the queue goes to `check`, without those that it had, if the caller has not
  // `got` them.
  template <typename Call, typename Check>
  static void Sweep(Call call, Check check) {
    bool failed = true;
    int n = 0;
    for (; failed; ++n) {
      ASSERT_LT(n, 1000);
      SCOPED_TRACE(n);
      {
        Queue queue;
        for (const int i : {3, 1, 2}) queue.Put(Item(i));
        ACaller caller;
        caller.got.reserve(8);
        caller.items.reserve(3);
        for (const int i : {11, 12, 13}) caller.items.emplace_back(i);
        const bool done = internal::WithoutMemoryAfter(
            n, failed, [&] { call(queue, caller); });
        EXPECT_TRUE(done || failed);
        ExpectOthersGoOn(queue);
        std::vector<int> values = std::move(caller.got);
        while (auto got = queue.TryGet()) values.push_back(got->value);
        for (const int i : {1, 2, 3}) {
          const auto it = std::find(values.begin(), values.end(), i);
          ASSERT_NE(it, values.end()) << i << " is lost";
          values.erase(it);
        }
        std::sort(values.begin(), values.end());
        check(values, done, caller.items);
      }
      EXPECT_EQ(Fragile::live, 0);
    }
    if (std::is_same_v<Item, Fragile>) {
      EXPECT_GT(n, 1);
    }
  }

  // For calls that put nothing.
  template <typename Call>
  static void SweepGetting(Call call) {
    Sweep(call, [](const std::vector<int>& values, bool /*done*/,
                   const std::vector<Item>& /*items*/) {
      EXPECT_THAT(values, testing::IsEmpty());
    });
  }

  // For calls that put as many of 11, 12, 13 as they can, and leave the others to
  // the caller if they take any away from it at all.
  template <typename Call>
  static void SweepPutting(bool moves, size_t most, Call call) {
    Sweep(call, [=](const std::vector<int>& values, bool done,
                    const std::vector<Item>& items) {
      if (done) {
        EXPECT_EQ(values.size(), most);
      }
      ASSERT_LE(values.size(), most);
      for (size_t i = 0; i < 3; ++i) {
        const int value = 11 + static_cast<int>(i);
        const bool is_put = i < values.size();
        if (is_put) {
          EXPECT_EQ(values[i], value);
        }
        EXPECT_EQ(items[i].value, is_put && moves ? 0 : value);
      }
    });
  }

 private:
  // Neither lock is held, and whoever waits is served.
  static void ExpectOthersGoOn(Queue& queue) {
    Thread other([&] {
      queue.Put(Item(2));
      auto got = queue.Get(absl::Minutes(1));
      ASSERT_TRUE(got.has_value());
      queue.Put(std::move(*got));
      // One 2 is as good as the other.
      std::vector<Item> all;
      all.reserve(8);
      static_cast<void>(queue.GetMany(std::back_inserter(all), 8));
      bool is_dropped = false;
      for (Item& item : all) {
        if (item.value == 2 && !std::exchange(is_dropped, true)) continue;
        queue.Put(std::move(item));
      }
    });
    other.Start();
    other.Join();
  }
};

using Queues =
    testing::Types<Queue<Fragile>, LifoQueue<Fragile>, PriorityQueue<Fragile>,
                   SimpleQueue<Fragile>, Queue<FragileButForMoves>,
                   LifoQueue<FragileButForMoves>,
                   PriorityQueue<FragileButForMoves>,
                   SimpleQueue<FragileButForMoves>>;
TYPED_TEST_SUITE(FailureTest, Queues);

// An iterator that gives what another does, and may fail at it.
template <typename Iterator>
struct Failing {
  using value_type = std::iter_value_t<Iterator>;
  using difference_type = std::ptrdiff_t;

  decltype(auto) operator*() const {
    FailHereIfDue();
    return *iterator;
  }
  Failing& operator++() {
    FailHereIfDue();
    ++iterator;
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Failing& a, const Failing& b) {
    FailHereIfDue();
    return a.iterator == b.iterator;
  }

  Iterator iterator;
};

// Where items go to, one after the other.
template <typename Item>
struct FailingOutput {
  FailingOutput& operator*() { return *this; }
  FailingOutput& operator++(int) {
    FailHereIfDue();
    return *this;
  }
  FailingOutput& operator=(Item&& item) {
    const Item taken(std::move(item));
    FailHereIfDueAfterMove(item, taken);
    got->push_back(taken.value);
    return *this;
  }
  // What it has taken away it gives back, if it fails.
  static void FailHereIfDueAfterMove(Item& item, const Item& taken) {
    try {
      FailHereIfDue();
    } catch (...) {
      item.value = taken.value;
      throw;
    }
  }

  std::vector<int>* got;
};

TYPED_TEST(FailureTest, Put) {
  using Caller = typename TestFixture::ACaller;
  this->SweepPutting(/*moves=*/true, 1, [](TypeParam& queue, Caller& caller) {
    queue.Put(std::move(caller.items[0]));
  });
  this->SweepPutting(/*moves=*/false, 1, [](TypeParam& queue, Caller& caller) {
    queue.Put(std::as_const(caller.items[0]));
  });
}

TYPED_TEST(FailureTest, PutMany) {
  using Caller = typename TestFixture::ACaller;
  this->SweepPutting(/*moves=*/false, 3, [](TypeParam& queue, Caller& caller) {
    queue.PutMany(caller.items);
  });
  this->SweepPutting(/*moves=*/true, 3, [](TypeParam& queue, Caller& caller) {
    queue.PutMany(std::move(caller.items));
  });
}

TYPED_TEST(FailureTest, PutManyOfARangeThatFails) {
  using Caller = typename TestFixture::ACaller;
  this->SweepPutting(/*moves=*/false, 3, [](TypeParam& queue, Caller& caller) {
    using Iterator = Failing<decltype(caller.items.begin())>;
    queue.PutMany(std::ranges::subrange(Iterator{caller.items.begin()},
                                        Iterator{caller.items.end()}));
  });
}

TYPED_TEST(FailureTest, Get) {
  using Caller = typename TestFixture::ACaller;
  this->SweepGetting([](TypeParam& queue, Caller& caller) {
    caller.got.push_back(queue.Get()->value);
    caller.got.push_back(queue.TryGet()->value);
  });
}

TYPED_TEST(FailureTest, GetIntoAnObject) {
  using Caller = typename TestFixture::ACaller;
  this->SweepGetting([](TypeParam& queue, Caller& caller) {
    typename TestFixture::Item item(0);
    if (queue.Get(item)) caller.got.push_back(item.value);
    if (queue.Get(item)) caller.got.push_back(item.value);
  });
}

TYPED_TEST(FailureTest, GetMany) {
  using Caller = typename TestFixture::ACaller;
  this->SweepGetting([](TypeParam& queue, Caller& caller) {
    // (One that grows loses what it is to add, if a copy fails meanwhile.)
    std::vector<typename TestFixture::Item> items;
    items.reserve(3);
    const absl::Cleanup keep = [&] {
      for (const auto& item : items) caller.got.push_back(item.value);
    };
    static_cast<void>(queue.GetMany(std::back_inserter(items), 3));
  });
}

TYPED_TEST(FailureTest, GetManyToAnOutputThatFails) {
  using Caller = typename TestFixture::ACaller;
  this->SweepGetting([](TypeParam& queue, Caller& caller) {
    static_cast<void>(queue.GetMany(
        FailingOutput<typename TestFixture::Item>{&caller.got}, 3));
  });
}

TYPED_TEST(FailureTest, SelectGet) {
  using Caller = typename TestFixture::ACaller;
  this->SweepGetting([](TypeParam& queue, Caller& caller) {
    Queue<int> another(1);
    const auto got = SelectGet(another, queue);
    caller.got.push_back(std::get<1>(*got).value);
  });
}

TYPED_TEST(FailureTest, Loop) {
  using Caller = typename TestFixture::ACaller;
  if constexpr (std::ranges::range<TypeParam>) {
    this->SweepGetting([](TypeParam& queue, Caller& caller) {
      auto it = queue.begin();
      caller.got.push_back((*it).value);
      ++it;
      caller.got.push_back((*it).value);
    });
  }
}

// What ends a queue may not fail, so nothing of that kind is done.
TYPED_TEST(FailureTest, TheEndNeedsNothingThatMayFail) {
  for (const bool shuts_down : {false, true}) {
    auto queue = std::make_unique<TypeParam>();
    for (int i = 0; i < 200; ++i) {
      queue->Put(typename TestFixture::Item(i + 1));
    }
    internal::FailAllocationAfter(0);
    if constexpr (std::ranges::range<TypeParam>) {
      if (shuts_down) queue->Shutdown(QueueShutdown::kImmediate);
    }
    queue.reset();
    EXPECT_TRUE(internal::FailureIsAhead());
    internal::FailAllocationAfter(-1);
    EXPECT_EQ(Fragile::live, 0);
  }
}

}  // namespace
}  // namespace heddle
#endif
