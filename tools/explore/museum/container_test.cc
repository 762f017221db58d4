// Queues, stacks and deques that lost items or gave them out twice.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"
#include "heddle/tools/explore/museum/museum.h"

namespace heddle {
namespace explore {
namespace museum {
namespace {

// Treiber's stack whose pop is fooled by a node that came back (ABA; in musl's
// condition 97c5b5a8). Nodes are numbers, so that nothing is freed.
template <bool kRight>
void StackWhoseNodesComeBack(Execution& run) {
  constexpr uint32_t kNone = 3;
  constexpr uint32_t kTag = 1 << 8;  // right: counts the changes
  Atomic<uint32_t> top{0};           // 0 -> 1 -> 2
  Atomic<uint32_t> next[3] = {{1}, {2}, {kNone}};
  int popped[3] = {};
  const auto changed = [](uint32_t seen, uint32_t node) {
    return kRight ? ((seen + kTag) & ~(kTag - 1)) | node : node;
  };
  const auto pop = [&]() -> uint32_t {
    uint32_t seen = top.load(kAcquire);
    for (;;) {
      const uint32_t node = seen & (kTag - 1);
      if (node == kNone) return kNone;
      const uint32_t after = next[node].load(kRelaxed);
      if (top.compare_exchange_strong(seen, changed(seen, after), kAcqRel,
                                      kAcquire)) {
        return node;
      }
    }
  };
  const auto push = [&](uint32_t node) {
    uint32_t seen = top.load(kRelaxed);
    do {
      next[node].store(seen & (kTag - 1), kRelaxed);
    } while (!top.compare_exchange_strong(seen, changed(seen, node), kAcqRel,
                                          kRelaxed));
  };
  run.Run([&] { ++popped[pop()]; },
          [&] {
            const uint32_t first = pop();
            const uint32_t second = pop();
            if (second != kNone) ++popped[second];
            if (first != kNone) push(first);
          });
  for (uint32_t node; (node = pop()) != kNone;) ++popped[node];
  Check(popped[0] == 1 && popped[1] == 1 && popped[2] == 1, "each once");
}
TEST(MuseumTest, StackWhoseNodesComeBack) {
  Options options;
  options.bound = 2;
  Exhibit(FailureKind::kCheck, StackWhoseNodesComeBack<false>,
          StackWhoseNodesComeBack<true>, options);
}

// Chase and Lev's deque: take() and steal() agree on the last item only if both
// their looks are sequentially consistent (CVE-2021-32810).
template <bool kRight>
void DequeWithoutSeqCst(Execution& run) {
  constexpr auto kStore = kRight ? kSeqCst : kRelease;
  constexpr auto kLoad = kRight ? kSeqCst : kAcquire;
  Atomic<int> top{0};
  Atomic<int> bottom{2};  // two items, 0 and 1
  int taken[2] = {};
  run.Run(
      [&] {
        for (int i = 0; i < 2; ++i) {
          const int b = bottom.load(kRelaxed) - 1;
          bottom.store(b, kStore);
          int t = top.load(kLoad);
          if (t < b) {
            ++taken[b];
          } else if (t == b) {
            if (top.compare_exchange_strong(t, t + 1, kSeqCst, kRelaxed))
              ++taken[b];
            bottom.store(b + 1, kRelease);
            return;
          } else {
            bottom.store(b + 1, kRelease);
            return;
          }
        }
      },
      [&] {
        for (int i = 0; i < 2; ++i) {
          int t = top.load(kLoad);
          const int b = bottom.load(kLoad);
          if (t >= b) return;
          if (top.compare_exchange_strong(t, t + 1, kSeqCst, kRelaxed))
            ++taken[t];
        }
      });
  Check(taken[0] <= 1 && taken[1] <= 1, "no item twice");
}
TEST(MuseumTest, DequeWithoutSeqCst) {
  Exhibit(FailureKind::kCheck, DequeWithoutSeqCst<false>,
          DequeWithoutSeqCst<true>);
}

// An intrusive queue of many producers whose consumer takes a node that is not
// linked yet for the end, and begins anew (stdexec#1812).
template <bool kRight>
void QueueThatLosesTheNodeBeingLinked(Execution& run) {
  struct Node {
    Atomic<Node*> next{nullptr};
  };
  Node stub;
  Node nodes[2];
  Atomic<Node*> tail{&stub};
  Node* head = &stub;
  int popped = 0;
  const auto push = [&](Node& node) {
    Node* const before = tail.exchange(&node, kAcqRel);
    before->next.store(&node, kRelease);
  };
  const auto pop_all = [&] {
    for (;;) {
      Node* next = head->next.load(kAcquire);
      if (next == nullptr) {
        Node* end = head;
        if (kRight) {
          if (tail.load(kAcquire) == end) return;  // nobody is on the way
          Yield();
          continue;
        }
        tail.store(end, kRelease);  // empty, it believes
        return;
      }
      ++popped;
      head = next;
    }
  };
  run.Run([&] { push(nodes[0]); }, [&] { push(nodes[1]); }, pop_all);
  pop_all();
  Check(popped == 2, "no node is lost");
}
TEST(MuseumTest, QueueThatLosesTheNodeBeingLinked) {
  Exhibit(FailureKind::kCheck, QueueThatLosesTheNodeBeingLinked<false>,
          QueueThatLosesTheNodeBeingLinked<true>);
}

// A cell of a bounded queue that is published before what is in it.
template <bool kRight>
void CellThatIsPublishedBeforeItsItem(Execution& run) {
  struct Cell {
    Atomic<uint32_t> sequence{0};
    Var<int> item = 0;
  };
  Cell cell;
  run.Run(
      [&] {
        cell.item = 7;
        cell.sequence.store(1, kRight ? kRelease : kRelaxed);
      },
      [&] {
        if (cell.sequence.load(kAcquire) == 1) Check(cell.item == 7);
      });
}
TEST(MuseumTest, CellThatIsPublishedBeforeItsItem) {
  Exhibit(FailureKind::kDataRace, CellThatIsPublishedBeforeItsItem<false>,
          CellThatIsPublishedBeforeItsItem<true>);
}

// A slot that is given back before it was read: the producer writes over it.
template <bool kRight>
void SlotThatIsFreedBeforeItIsRead(Execution& run) {
  Var<int> slot = 0;
  Atomic<uint32_t> full{0};
  run.Run(
      [&] {
        for (int i = 1; i <= 2; ++i) {
          while (full.load(kAcquire) != 0) Yield();
          slot = i;
          full.store(1, kRelease);
        }
      },
      [&] {
        int sum = 0;
        for (int i = 1; i <= 2; ++i) {
          while (full.load(kAcquire) != 1) Yield();
          if (kRight) {
            sum += slot;
            full.store(0, kRelease);
          } else {
            full.store(0, kRelease);
            sum += slot;
          }
        }
        Check(sum == 3);
      });
}
TEST(MuseumTest, SlotThatIsFreedBeforeItIsRead) {
  Exhibit(FailureKind::kDataRace, SlotThatIsFreedBeforeItIsRead<false>,
          SlotThatIsFreedBeforeItIsRead<true>);
}

// A count that runs ahead of the items: who was let in by it finds none
// (concurrentqueue#173, #271, #278).
template <bool kRight>
void CountAheadOfTheItems(Execution& run) {
  Atomic<uint32_t> count{0};
  Atomic<uint32_t> items{0};
  run.Run(
      [&] {
        if (!kRight) count.fetch_add(1, kRelease);
        items.fetch_add(1, kRelease);
        if (kRight) count.fetch_add(1, kRelease);
      },
      [&] {
        uint32_t one = 1;
        if (count.compare_exchange_strong(one, 0, kAcquire, kRelaxed))
          Check(items.load(kAcquire) == 1, "let in to an item");
      });
}
TEST(MuseumTest, CountAheadOfTheItems) {
  Exhibit(FailureKind::kCheck, CountAheadOfTheItems<false>,
          CountAheadOfTheItems<true>);
}

// A reader of a sequence lock that takes half of one state and half of the next
// for a whole.
template <bool kRight>
void SequenceLockReaderThatLooksOnce(Execution& run) {
  Atomic<uint32_t> sequence{0};
  Atomic<int> x{0};
  Atomic<int> y{0};
  run.Run(
      [&] {
        sequence.store(1, kSeqCst);
        x.store(1, kSeqCst);
        y.store(1, kSeqCst);
        sequence.store(2, kSeqCst);
      },
      [&] {
        const uint32_t before = sequence.load(kSeqCst);
        const int a = x.load(kSeqCst);
        const int b = y.load(kSeqCst);
        if (before % 2 != 0) return;
        if (kRight && sequence.load(kSeqCst) != before) return;
        Check(a == b, "a whole state");
      });
}
TEST(MuseumTest, SequenceLockReaderThatLooksOnce) {
  Exhibit(FailureKind::kCheck, SequenceLockReaderThatLooksOnce<false>,
          SequenceLockReaderThatLooksOnce<true>);
}

}  // namespace
}  // namespace museum
}  // namespace explore
}  // namespace heddle
