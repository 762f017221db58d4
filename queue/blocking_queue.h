// BlockingQueue: what Queue, LifoQueue and PriorityQueue have in common.
//
// A queue hands items from threads that put them to threads that get them. The
// three differ in the order in which items come out, and in nothing else; take
// one of them (queue.h, lifo_queue.h, priority_queue.h), this header is their
// manual.
//
// Example: three workers, and a producer that never runs ahead by more than 100
// lines.
//
//   Queue<std::string> lines(/*maxsize=*/100);
//   ...                                          // each worker:
//   for (std::string& line : lines) Handle(line);
//   ...                                          // the producer:
//   while (ReadLine(line)) lines.Put(std::move(line));
//   lines.Shutdown();                            // the workers' loops end
//
// Waiting. Put() waits while the queue is full, Get() while it is empty; both
// take a WaitLimit. What ends a wait without success is a value, not an error:
// false from Put(), which then has left the item with the caller, nullopt from
// Get(). Threads that wait are let through in the order in which they came; one
// that comes at the right moment may overtake them.
//
// Ending. After Shutdown() puts are refused, and what is in the queue is still
// given out; after the last item, Get() says nullopt at once and loops over the
// queue end. Shutdown(kImmediate) throws away what is in the queue.
//
// Work in progress. The queue counts its unfinished items: each Put() adds one,
// each TaskDone() takes one away. Join() waits until there are none, that is,
// until all that was put has been got and dealt with.
//
// What T must be able to do: move, or copy. If that throws in Put(), the queue is
// as it was; if it throws in Get(), the item stays in the queue.
//
// Code of yours that the calls run, and what they hold meanwhile. What runs
// under a lock must be quick, must not wait and must not use the same queue:
// the calls of other threads wait for that lock, and their limits do not count
// that time.
//
//   | what                                             | holds            |
//   |--------------------------------------------------|------------------|
//   | moves, copies, conversions into the queue        | the put lock     |
//   | moves out of it; writes to `into`, `out`         | the get lock     |
//   | Compare (of a PriorityQueue)                     | its one lock     |
//   | PutMany() reads a container, or contiguous items | the put lock     |
//   | PutMany() reads any other range                  | nothing          |
//   | what is left of a moved item is destroyed        | the get lock (a) |
//   | items are destroyed that were dropped            | nothing          |
//   | operator new, operator delete                    | either lock      |
//
// (a) Nothing, in a Queue without a bound. A LifoQueue and a PriorityQueue have
// one lock for both sides.
//
// Memory: with a bound, all of it is allocated by the constructor. Without one,
// it grows and shrinks with what is in the queue, and an allocation serves 32
// items or more.
//
// Thread safety: all methods but the destructor. What is left in it is
// destroyed.
//
// Lifetime: a thread may destroy the queue once nobody waits in it, nobody will
// call it any more, and all that the calls do has come to pass, even if some of
// them have not returned: the receiver of the last item, as soon as it has it;
// the thread whose Put() took the place of the last item that was got; a thread
// that was told of the Shutdown(); a thread that has joined.
//
// Memory ordering: what came before the Put() of an item is visible after the
// Get() that returns it; what came before TaskDone() is visible after the
// Join() that waited for it. (Python: queue.Queue. There maxsize may be changed
// later, and the limits raise Full, Empty and ShutDown.)

#ifndef HEDDLE_QUEUE_BLOCKING_QUEUE_H_
#define HEDDLE_QUEUE_BLOCKING_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "heddle/queue/internal/bound.h"
#include "heddle/queue/internal/done_count.h"
#include "heddle/queue/internal/gate.h"
#include "heddle/sync/internal/lock_pass.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/owned_elements.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {
struct SelectAccess;
}  // namespace queue_internal

template <typename T>
class SimpleQueue;

namespace queue_internal {

// How long to wait, awake, before the first look. Who comes as soon as there is
// room for one item finds the queue full again after it, and each time the
// counts of one side go to the other's processor: with a bound of 1024, 1 pause
// for all takes 50 ns an item, 32 take 20. But 32 make the way of a single item
// to a consumer that waits awake longer, 700 ns instead of 250; 8 do not.
inline constexpr int kPausesForRoom = 32;
inline constexpr int kPausesForItems = 8;
inline constexpr int kPausesForDone = 1;
}  // namespace queue_internal

// What becomes of the items that are in a queue at its Shutdown().
enum class QueueShutdown {
  kDrain,      // they are given out
  kImmediate,  // they are destroyed
};

// `Store` is one of queue/internal: fifo.h, stack.h, heap.h.
template <typename T, typename Store>
class BlockingQueue {
  static_assert(std::is_object_v<T> && !std::is_array_v<T> &&
                    !std::is_const_v<T> && !std::is_volatile_v<T>,
                "a queue holds objects that can be moved out of it: for a "
                "reference take a pointer or a std::reference_wrapper, for an "
                "array a std::array");

 public:
  BlockingQueue(const BlockingQueue&) = delete;
  BlockingQueue& operator=(const BlockingQueue&) = delete;

  // Puts `item` into the queue, waiting for room within `limit`. Returns false,
  // with the item still the caller's, if that passed first or the queue is shut
  // down. Throws std::bad_alloc, or what T's move (copy) throws.
  [[nodiscard]] bool Put(T&& item, const WaitLimit& limit) {
    return PutWithin(std::move(item), limit);
  }
  [[nodiscard]] bool Put(const T& item, const WaitLimit& limit) {
    return PutWithin(item, limit);
  }
  bool Put(T&& item) { return PutWithin(std::move(item), WaitLimit()); }
  bool Put(const T& item) { return PutWithin(item, WaitLimit()); }

  // The same without waiting.
  [[nodiscard]] bool TryPut(T&& item) {
    return PutNow(std::move(item), Look::kSure) == Outcome::kDone;
  }
  [[nodiscard]] bool TryPut(const T& item) {
    return PutNow(item, Look::kSure) == Outcome::kDone;
  }

  // Puts the items of a range, in its order, waiting for room within `limit`;
  // returns how many it has put: all of them, unless the limit passed or the
  // queue was shut down. A container that is passed as an rvalue is moved from,
  // as far as that number; that is what has an allocator, or is an array (a span
  // shows what is somebody else's). Items of other threads may come between
  // them. If reading the range or T's move (copy) throws, what was put before is
  // put.
  //
  // Many items of a container or of contiguous memory go in under one
  // synchronisation, during which they are read. Any other range (a view, a
  // generator, another queue) may wait: its items are read one by one with
  // nothing held, and each is put before the next is read. Where reading takes
  // an item away, the one that was read last is lost if it cannot be put.
  // Throws std::logic_error if the range gets its items from this very queue.
  template <std::ranges::input_range Range>
  [[nodiscard]] size_t PutMany(Range&& range, const WaitLimit& limit);
  template <std::ranges::input_range Range>
  size_t PutMany(Range&& range) {
    return PutMany(std::forward<Range>(range), WaitLimit());
  }

  // Takes the next item, waiting for one within `limit`. Returns nullopt if that
  // passed first, or if the queue is shut down and has none left.
  [[nodiscard]] std::optional<T> Get(const WaitLimit& limit = {}) {
    std::optional<T> item;
    const auto take = [&item](T&& value) { item.emplace(std::move(value)); };
    TakeWithin(/*most=*/1, take, limit);
    return item;
  }

  // Takes the next item into an object that is there, with one move assignment.
  // Returns false, with that as it was, where the other Get() returns nullopt.
  // (Not where T is itself a limit: `queue.Get(timeout)` means the limit.)
  [[nodiscard]] bool Get(T& into, const WaitLimit& limit = {}) requires(
      !std::is_convertible_v<T&, WaitLimit>) {
    const auto take = [&into](T&& value) { into = std::move(value); };
    return TakeWithin(/*most=*/1, take, limit) != 0;
  }

  // The same without waiting.
  [[nodiscard]] std::optional<T> TryGet() {
    std::optional<T> item;
    const auto take = [&item](T&& value) { item.emplace(std::move(value)); };
    TakeNow(/*most=*/1, take, Look::kSure);
    return item;
  }

  // Takes up to `most` items, as many as there are, under one synchronisation,
  // and writes them to the output iterator `out`; waits within `limit` while
  // there are none. Returns how many; 0 means the same as Get()'s nullopt. If
  // writing to `out` throws, that item stays in the queue, as the write has
  // left it. (With an array of yours as `out`, or `&item` and 1, it is moved
  // once.)
  template <typename Output>
  [[nodiscard]] size_t GetMany(Output out, size_t most,
                               const WaitLimit& limit = {}) {
    return TakeWithin(
        most, [&out](T&& value) { *out++ = std::move(value); }, limit);
  }

  // Declares an item that was taken from the queue dealt with. Throws
  // std::logic_error if that is said more often than items were put.
  void TaskDone();

  // Waits within `limit` until no item is unfinished; returns false if that
  // passed first. Without a limit it is always true.
  [[nodiscard]] bool Join(const WaitLimit& limit);
  bool Join() { return Join(WaitLimit()); }

  // Refuses every further Put() and wakes all who wait in Put(), and in Get()
  // once the queue is empty. Returns how many items were destroyed, which then
  // count as dealt with: with kImmediate, all there were. May be called again,
  // and cannot be undone.
  size_t Shutdown(QueueShutdown how = QueueShutdown::kDrain);

  // How many items there are; whether there are none; whether there is no room.
  // It was so at some moment of the call; other threads may change it at any
  // time.
  [[nodiscard]] size_t Size() const;
  [[nodiscard]] bool Empty() const { return Size() == 0; }
  [[nodiscard]] bool Full() const { return Size() >= most_; }

  // How many items were put that TaskDone() was not called for: as Size().
  [[nodiscard]] size_t unfinished_tasks() const;

  // True once Shutdown() was called.
  [[nodiscard]] bool is_shutdown() const {
    return is_shutdown_.load(std::memory_order_acquire);  // [SHUTDOWN]
  }

  // The bound: 0 if there is none.
  [[nodiscard]] size_t maxsize() const { return most_ == kNoBound ? 0 : most_; }

  // `for (T& item : queue)`: gets items until the queue is shut down and has none
  // left. Several threads may loop over one queue; each item goes to one of them.
  class Iterator;
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 protected:
  // For at most `maxsize` items, which allocates them; for any number of items
  // if it is zero or negative. `name` is for the error.
  template <typename... StoreArgs>
  explicit BlockingQueue(const char* name, int64_t maxsize,
                         StoreArgs&&... args);
  ~BlockingQueue() { Shutdown(QueueShutdown::kImmediate); }

 private:
  friend struct queue_internal::SelectAccess;
  friend class SimpleQueue<T>;

  enum class Outcome { kDone, kFull, kShutdown };

  // How to look at what the other side has changed. A quick look may miss the
  // latest; who does not look again has to be sure (Q6).
  enum class Look { kQuick, kSure };

  //   (Q1) puts_ items have come, takes_ have gone, and puts_ - takes_ are in
  //        store_. puts_ changes only under put_lock_, takes_ only under
  //        get_lock_; neither goes back. Where the store has one side only, the
  //        two are the same lock.
  //   (Q2) takes_ <= puts_ <= takes_ + most_. Whoever reads both without the
  //        locks reads takes_ first, and may so find more items than there are,
  //        never fewer than none.
  //   (Q3) seen_takes_ is a value that takes_ had, seen_puts_ one that puts_ had:
  //        so there is at least as much room, and there are at least as many
  //        items, as they say. A side looks at the other's cache line only when
  //        they do not say enough.
  //   (Q4) is_shutdown_ is set under put_lock_, for good: once it is seen, no
  //        item comes any more, and a queue that is then empty remains so.
  //   (Q5) done_ <= puts_: the rest is unfinished. A thread that compares the
  //        two reads done_ first, and acquires it (D3): the puts_ that it reads
  //        then is at least that done_, and if they are equal, they were so at
  //        the moment at which done_ was read.
  //   (Q6) a call that begins after another has returned finds what that one has
  //        changed, although the two may have no lock in common: before it says
  //        that there is no item, or no room, it passes by the other side's lock
  //        and looks again, and so sees all that was changed before (L5). (A load
  //        that may be old would not be linearizable: TryGet() could miss what
  //        TryPut() has put, and a model says so.)
  //   (Q7) getters_ belongs to put_lock_, putters_ to get_lock_ (see gate.h),
  //        and is_shutdown_ changes under both. A thread that has changed
  //        something claims those it is to wake before it releases the lock:
  //        that release is its last touch of the queue, or the exchange of
  //        done_ is (D2). The destructor takes both locks, and so comes after
  //        every such release. Where both are taken, put_lock_ is the first.
  //        What is left of items ends later, and touches no queue.
  //   [ITEM] release of puts_ by the put side -> acquire by the get side: the
  //        item before its taking.
  //   [ROOM] release of takes_ by the get side -> acquire by the put side: the
  //        taking of an item before the reuse of its slot.
  //   [SHUTDOWN] release of is_shutdown_ -> acquire: the last item before the end.
  //   [DONE] see done_count.h.
  static constexpr size_t kNoBound = std::numeric_limits<size_t>::max();
  static constexpr size_t kBatch = 1024;  // at most so many items per holding

  bool HasRoomFor(size_t count, Look look)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(put_lock_);
  // What getters wait for, and putters: how many tries are worth it.
  size_t CountForGetters() const;
  size_t CountForPutters() const;
  size_t CountItems(size_t most, Look look)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(get_lock_);
  void CountTaken(size_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(get_lock_);
  // With both locks, which are one where the store has one side: more than the
  // analysis can follow.
  size_t DropAll(typename Store::Remains& dropped, internal::WakeList& woken)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(put_lock_) ABSL_NO_THREAD_SAFETY_ANALYSIS;

  // For SimpleQueue: destroys what is there, and what the destructors of that
  // put.
  void DropUntilEmpty();

  // The only attempts; the others wait for the moment to make one.
  // After a wait they are a part of its turn.
  template <typename U>
  Outcome PutNow(U&& item, Look look, queue_internal::GateTurn* turn = nullptr);
  template <typename Begin, typename End>
  Outcome PutBatch(Begin& next, const End& end, size_t& count, Look look,
                   queue_internal::GateTurn* turn);
  template <typename Take>
  size_t TakeNow(size_t most, Take&& take, Look look);
  template <typename Take>
  size_t TakeInTurn(size_t most, Take&& take, Look look,
                    queue_internal::GateTurn& turn) {
    return turn.is_coming() ? TakeComing(most, take, look, turn)
                            : TakeNow(most, take, look);
  }
  template <typename Take>
  ABSL_ATTRIBUTE_NOINLINE size_t TakeComing(size_t most, Take& take, Look look,
                                            queue_internal::GateTurn& turn);
  template <typename Take>
  ABSL_ATTRIBUTE_ALWAYS_INLINE inline size_t TakeLocked(
      size_t most, Take&& take, Look look, typename Store::Remains& remains,
      std::optional<internal::WakeList>& woken)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(get_lock_);
  void ComeAfterPut(queue_internal::GateTurn& turn,
                    std::optional<internal::WakeList>& woken)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(put_lock_);

  template <typename Range>
  static const BlockingQueue* SourceOf(const Range& range);
  template <typename Attempt>
  bool PutWhenRoom(const WaitLimit& limit, Attempt attempt);
  template <typename U>
  bool PutWithin(U&& item, const WaitLimit& limit);
  template <typename Take>
  size_t TakeWithin(size_t most, Take&& take, const WaitLimit& limit);

  // What one side writes lies a cache line away from what the other does. (By
  // distance, not by alignment: a queue may lie anywhere.) A gate lies beside
  // what its waiters wait for: who waits, or is woken, touches both.
  struct Apart {
    std::byte bytes[64];
  };

  const size_t most_;
  Lock& get_lock_;
  internal::Atomic<bool> is_shutdown_{false};
  Apart apart_1_;

  Lock put_lock_;
  queue_internal::Gate getters_;  // woken when there are items
  size_t seen_takes_ ABSL_GUARDED_BY(put_lock_) = 0;
  internal::Atomic<size_t> puts_{0};
  Apart apart_2_;

  Lock own_get_lock_;
  queue_internal::Gate putters_;  // woken when there is room
  size_t seen_puts_ ABSL_GUARDED_BY(get_lock_) = 0;
  internal::Atomic<size_t> takes_{0};
  Apart apart_3_;

  queue_internal::DoneCount done_;
  Apart apart_4_;

  Store store_;
};

// From here on: how.

template <typename T, typename Store>
template <typename... StoreArgs>
BlockingQueue<T, Store>::BlockingQueue(const char* name, int64_t maxsize,
                                       StoreArgs&&... args)
    : most_(queue_internal::BoundFrom(name, maxsize, Store::kMaxBound)),
      get_lock_(Store::kHasTwoSides ? own_get_lock_ : put_lock_),
      store_(this->maxsize(), std::forward<StoreArgs>(args)...) {}

template <typename T, typename Store>
bool BlockingQueue<T, Store>::HasRoomFor(size_t count, Look look) {
  // relaxed: we hold the lock under which it changes.
  const size_t puts = puts_.load(std::memory_order_relaxed) + count;
  if (puts - seen_takes_ <= most_) return true;          // (Q3)
  seen_takes_ = takes_.load(std::memory_order_acquire);  // [ROOM]
  if (Store::kHasTwoSides && look == Look::kSure &&
      puts - seen_takes_ > most_) {
    sync_internal::LockPass::By(get_lock_);
    seen_takes_ = takes_.load(std::memory_order_acquire);  // [ROOM], (Q6)
  }
  return puts - seen_takes_ <= most_;
}

template <typename T, typename Store>
size_t BlockingQueue<T, Store>::CountForGetters() const {
  const size_t takes = takes_.load(std::memory_order_acquire);  // (Q2)
  const size_t items = puts_.load(std::memory_order_acquire) - takes;
  if (items != 0) return items;
  return is_shutdown_.load(std::memory_order_acquire) ? 1 : 0;  // [SHUTDOWN]
}

template <typename T, typename Store>
size_t BlockingQueue<T, Store>::CountForPutters() const {
  // In this order, other than in (Q2): rather too much room than too little.
  const size_t puts = puts_.load(std::memory_order_acquire);
  const size_t used = puts - takes_.load(std::memory_order_acquire);
  // More were taken, even of those that have come since: then there is room.
  if (used > most_) return 1;
  if (used != most_) return most_ - used;
  return is_shutdown_.load(std::memory_order_acquire) ? 1 : 0;  // [SHUTDOWN]
}

// How many items there are to take, up to `most`.
template <typename T, typename Store>
size_t BlockingQueue<T, Store>::CountItems(size_t most, Look look) {
  // relaxed: we hold the lock under which it changes.
  const size_t takes = takes_.load(std::memory_order_relaxed);
  if (seen_puts_ - takes < most) {                       // (Q3)
    seen_puts_ = puts_.load(std::memory_order_acquire);  // [ITEM]
  }
  if (Store::kHasTwoSides && look == Look::kSure && seen_puts_ == takes) {
    sync_internal::LockPass::By(put_lock_);
    seen_puts_ = puts_.load(std::memory_order_acquire);  // [ITEM], (Q6)
  }
  return std::min(most, seen_puts_ - takes);
}

template <typename T, typename Store>
void BlockingQueue<T, Store>::CountTaken(size_t count) {
  // relaxed: we hold the lock under which it changes.
  takes_.store(takes_.load(std::memory_order_relaxed) + count,
               std::memory_order_release);  // [ROOM]
}

template <typename T, typename Store>
template <typename U>
auto BlockingQueue<T, Store>::PutNow(U&& item, Look look,
                                     queue_internal::GateTurn* turn)
    -> Outcome {
  std::optional<internal::WakeList> woken;  // when the lock is free
  LockGuard guard(put_lock_);
  // relaxed: (Q4).
  if (is_shutdown_.load(std::memory_order_relaxed)) return Outcome::kShutdown;
  if (!HasRoomFor(1, look)) return Outcome::kFull;
  store_.Push(std::forward<U>(item));
  // relaxed: we hold the lock under which it changes.
  puts_.store(puts_.load(std::memory_order_relaxed) + 1,
              std::memory_order_release);  // [ITEM]
  getters_.LetOne(woken);                  // (Q7)
  if (turn != nullptr && turn->is_coming()) ComeAfterPut(*turn, woken);
  return Outcome::kDone;
}

// Lets the next putter through if there is still room.
template <typename T, typename Store>
void BlockingQueue<T, Store>::ComeAfterPut(
    queue_internal::GateTurn& turn, std::optional<internal::WakeList>& woken) {
  std::optional<LockGuard<Lock>> get_guard;
  if constexpr (Store::kHasTwoSides) get_guard.emplace(get_lock_);
  turn.Come(/*wants=*/0, woken);
  turn.Tried();
}

// Puts from `next` to `end` what there is room for, and adds up in `count`.
template <typename T, typename Store>
template <typename Begin, typename End>
auto BlockingQueue<T, Store>::PutBatch(Begin& next, const End& end,
                                       size_t& count, Look look,
                                       queue_internal::GateTurn* turn)
    -> Outcome {
  std::optional<internal::WakeList> woken;  // when the lock is free
  LockGuard guard(put_lock_);
  // relaxed: (Q4).
  if (is_shutdown_.load(std::memory_order_relaxed)) return Outcome::kShutdown;
  // relaxed: we hold the lock under which it changes.
  const size_t puts = puts_.load(std::memory_order_relaxed);
  size_t batch = 0;
  // The analysis does not see that the guard outlives this.
  const absl::Cleanup publish = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (batch == 0) return;
    puts_.store(puts + batch, std::memory_order_release);  // [ITEM]
    getters_.LetOne(woken);                                // (Q7)
    if (turn != nullptr && turn->is_coming()) ComeAfterPut(*turn, woken);
    count += batch;
  };
  for (; next != end && batch < kBatch; ++next) {
    if (!HasRoomFor(batch + 1, look)) return Outcome::kFull;
    store_.Push(*next);
    ++batch;
  }
  return Outcome::kDone;
}

// Gives up to `most` items to `take`, each as a T&&, and returns how many.
template <typename T, typename Store>
template <typename Take>
size_t BlockingQueue<T, Store>::TakeNow(size_t most, Take&& take, Look look) {
  typename Store::Remains remains;          // destroyed when the lock is free
  std::optional<internal::WakeList> woken;  // before that
  LockGuard guard(get_lock_);
  return TakeLocked(most, take, look, remains, woken);
}

template <typename T, typename Store>
template <typename Take>
size_t BlockingQueue<T, Store>::TakeComing(size_t most, Take& take, Look look,
                                           queue_internal::GateTurn& turn) {
  typename Store::Remains remains;
  std::optional<internal::WakeList> woken;
  std::optional<LockGuard<Lock>> put_guard;
  if constexpr (Store::kHasTwoSides) put_guard.emplace(put_lock_);
  LockGuard guard(get_lock_);
  turn.Come(most, woken);
  put_guard.reset();  // nobody else takes any more until we have
  return TakeLocked(most, take, look, remains, woken);
}

template <typename T, typename Store>
template <typename Take>
size_t BlockingQueue<T, Store>::TakeLocked(
    size_t most, Take&& take, Look look, typename Store::Remains& remains,
    std::optional<internal::WakeList>& woken) {
  size_t taken = 0;
  // The analysis does not see that the lock outlives this.
  const absl::Cleanup publish = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (taken == 0) return;
    CountTaken(taken);
    if (most_ != kNoBound) putters_.LetOne(woken);  // (Q7)
  };
  for (const size_t there = CountItems(most, look); taken != there; ++taken) {
    store_.Pop(take, remains);
  }
  return taken;
}

template <typename T, typename Store>
template <typename U>
bool BlockingQueue<T, Store>::PutWithin(U&& item, const WaitLimit& limit) {
  return PutWhenRoom(limit,
                     [this, &item](Look look, queue_internal::GateTurn* turn) {
                       return PutNow(std::forward<U>(item), look, turn);
                     });
}

// Makes `attempt` until it is not for lack of room that it fails, and returns
// whether it was done within `limit`.
template <typename T, typename Store>
template <typename Attempt>
bool BlockingQueue<T, Store>::PutWhenRoom(const WaitLimit& limit,
                                          Attempt attempt) {
  Outcome outcome = attempt(Look::kQuick, nullptr);
  if (outcome != Outcome::kFull) return outcome == Outcome::kDone;
  const WaitLimit started = limit.Started();
  const auto count = [this] { return CountForPutters(); };
  queue_internal::GateTurn turn(putters_, count, get_lock_);
  while (turn.Await(started, queue_internal::kPausesForRoom)) {
    outcome = attempt(Look::kQuick, &turn);
    turn.Tried();
    if (outcome != Outcome::kFull) return outcome == Outcome::kDone;
  }
  return attempt(Look::kSure, &turn) == Outcome::kDone;
}

template <typename T, typename Store>
template <std::ranges::input_range Range>
size_t BlockingQueue<T, Store>::PutMany(Range&& range, const WaitLimit& limit) {
  if (SourceOf(range) == this) {
    internal::Throw(std::logic_error(
        "PutMany: the range gets its items from the queue they are put into"));
  }
  using Plain = std::remove_cvref_t<Range>;
  // Else its iterators may run any code, and wait.
  constexpr bool kLiesInMemory = std::ranges::contiguous_range<Range> ||
                                 (std::ranges::forward_range<Range> &&
                                  internal::OwnsElements<Plain>::value);
  size_t count = 0;
  const auto put_all = [&](auto next, auto end) {
    if constexpr (kLiesInMemory) {
      PutWhenRoom(limit, [&](Look look, queue_internal::GateTurn* turn) {
        Outcome outcome = PutBatch(next, end, count, look, turn);
        while (outcome == Outcome::kDone && next != end) {
          outcome = PutBatch(next, end, count, look, turn);
        }
        return outcome;
      });
    } else {
      for (const WaitLimit started = limit.Started(); next != end; ++next) {
        auto&& item = *next;
        if (!PutWithin(std::forward<decltype(item)>(item), started)) return;
        ++count;
      }
    }
  };
  if constexpr (internal::kOwnsElements<Range>) {
    put_all(std::move_iterator(std::ranges::begin(range)),
            std::move_sentinel(std::ranges::end(range)));
  } else {
    put_all(std::ranges::begin(range), std::ranges::end(range));
  }
  return count;
}

// The queue that a range is, or that it is a view of; null if it is none.
template <typename T, typename Store>
template <typename Range>
const BlockingQueue<T, Store>* BlockingQueue<T, Store>::SourceOf(
    const Range& range) {
  if constexpr (std::is_base_of_v<BlockingQueue, Range>) {
    return &range;
  } else if constexpr (requires { range.base(); }) {
    return SourceOf(range.base());
  } else {
    return nullptr;
  }
}

template <typename T, typename Store>
template <typename Take>
size_t BlockingQueue<T, Store>::TakeWithin(size_t most, Take&& take,
                                           const WaitLimit& limit) {
  const size_t at_once = TakeNow(most, take, Look::kQuick);
  if (at_once != 0 || most == 0) return at_once;
  const WaitLimit started = limit.Started();
  const auto count = [this] { return CountForGetters(); };
  queue_internal::GateTurn turn(getters_, count, put_lock_);
  for (;;) {
    const bool is_last =
        is_shutdown() || !turn.Await(started, queue_internal::kPausesForItems);
    const size_t taken =
        TakeInTurn(most, take, is_last ? Look::kSure : Look::kQuick, turn);
    turn.Tried();
    if (taken != 0 || is_last) return taken;  // (Q4)
  }
}

template <typename T, typename Store>
void BlockingQueue<T, Store>::TaskDone() {
  const auto puts = [this] { return puts_.load(std::memory_order_acquire); };
  if (!done_.AddOne(puts)) {  // (Q5)
    internal::Throw(
        std::logic_error("TaskDone: called more often than items were put"));
  }
}

template <typename T, typename Store>
bool BlockingQueue<T, Store>::Join(const WaitLimit& limit) {
  const auto is_done = [this] {
    const auto puts = [this] {
      sync_internal::LockPass::By(put_lock_);  // (Q6)
      return puts_.load(std::memory_order_acquire);
    };
    return done_.CountLeft(puts) == 0;  // (Q5)
  };
  if (is_done()) return true;
  const WaitLimit started = limit.Started();
  queue_internal::DoneTurn turn(done_, is_done);
  while (turn.Await(started, queue_internal::kPausesForDone)) {
    if (is_done()) return true;
  }
  return is_done();
}

template <typename T, typename Store>
size_t BlockingQueue<T, Store>::DropAll(typename Store::Remains& dropped,
                                        internal::WakeList& woken) {
  // Quick: nobody puts, since we hold the other lock too.
  const size_t count = CountItems(kNoBound, Look::kQuick);
  store_.Drop(count, dropped);
  CountTaken(count);
  // relaxed: we hold the lock under which it changes.
  done_.AddUpTo(count, puts_.load(std::memory_order_relaxed), woken);
  return count;
}

template <typename T, typename Store>
void BlockingQueue<T, Store>::DropUntilEmpty() {
  size_t count = 0;
  do {
    typename Store::Remains dropped;  // destroyed when the locks are free
    internal::WakeList woken;
    LockGuard put_guard(put_lock_);
    std::optional<LockGuard<Lock>> get_guard;
    if constexpr (Store::kHasTwoSides) get_guard.emplace(get_lock_);
    count = DropAll(dropped, woken);
  } while (count != 0);
}

template <typename T, typename Store>
size_t BlockingQueue<T, Store>::Shutdown(QueueShutdown how) {
  typename Store::Remains dropped;  // destroyed when the locks are free
  internal::WakeList woken;         // before that
  LockGuard put_guard(put_lock_);
  std::optional<LockGuard<Lock>> get_guard;
  if constexpr (Store::kHasTwoSides) get_guard.emplace(get_lock_);
  is_shutdown_.store(true, std::memory_order_release);  // [SHUTDOWN]
  const size_t count =
      how == QueueShutdown::kImmediate ? DropAll(dropped, woken) : 0;
  putters_.LetAll(woken);
  getters_.LetAll(woken);  // (Q7)
  return count;
}

template <typename T, typename Store>
size_t BlockingQueue<T, Store>::Size() const {
  // While as many had gone, as many had come as we read meanwhile: so many
  // items there were at that moment.
  size_t takes = takes_.load(std::memory_order_acquire);
  for (;;) {
    const size_t puts = puts_.load(std::memory_order_acquire);
    const size_t now = takes_.load(std::memory_order_acquire);
    if (now == takes) return puts - takes;
    takes = now;
  }
}

template <typename T, typename Store>
size_t BlockingQueue<T, Store>::unfinished_tasks() const {
  const auto puts = [this] { return puts_.load(std::memory_order_acquire); };
  return done_.CountLeft(puts);
}

template <typename T, typename Store>
class BlockingQueue<T, Store>::Iterator {
 public:
  using value_type = T;
  using difference_type = ptrdiff_t;

  explicit Iterator(BlockingQueue& queue) : queue_(&queue) { ++*this; }

  T& operator*() const { return *item_; }
  Iterator& operator++() {
    item_.reset();
    const auto take = [this](T&& value) { item_.emplace(std::move(value)); };
    queue_->TakeWithin(/*most=*/1, take, WaitLimit());
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& iterator, std::default_sentinel_t) {
    return !iterator.item_.has_value();
  }

 private:
  BlockingQueue* queue_;
  mutable std::optional<T> item_;
};

}  // namespace heddle

#endif  // HEDDLE_QUEUE_BLOCKING_QUEUE_H_
