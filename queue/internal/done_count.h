// DoneCount: how many items of a queue have been dealt with, and where the
// threads wait that want all of them to be.
//
// The exchange that counts the last item is the last touch of the queue by the
// thread that makes it, as with Semaphore and Latch: a thread that has joined
// may destroy the queue.
//
//   if (!done_.AddOne(puts)) Throw(...);      // size_t puts(): put so far
//   ...
//   DoneTurn turn(done_, is_done);            // bool is_done(): all of them?
//   while (turn.Await(started, /*first_look=*/1)) {
//     if (is_done()) return true;
//   }

#ifndef HEDDLE_QUEUE_INTERNAL_DONE_COUNT_H_
#define HEDDLE_QUEUE_INTERNAL_DONE_COUNT_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/optimization.h"
#include "absl/functional/function_ref.h"
#include "heddle/queue/internal/wait_place.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {

class DoneCount {
 public:
  constexpr DoneCount() = default;
  DoneCount(const DoneCount&) = delete;
  DoneCount& operator=(const DoneCount&) = delete;

  // How many of those that `puts` says were put are not done.
  template <typename Puts>
  size_t CountLeft(const Puts& puts) const {
    const size_t seen = word_.load(std::memory_order_seq_cst);  // (D3), [DONE]
    return Left(seen, puts()) / kOne;
  }

  // Counts one more item. Returns false, and has changed nothing, if as many
  // are done as `puts` says were put. `puts` acquires what it reads.
  template <typename Puts>
  bool AddOne(const Puts& puts) {
    // The exchange checks this value, but not whether puts() is as new: (D3).
    size_t seen = word_.load(std::memory_order_acquire);
    for (;;) {
      const size_t left = Left(seen, puts());
      if (left == 0) return false;
      if (ABSL_PREDICT_FALSE(left == kOne && (seen & kAwaited) != 0)) {
        if (AddLast(seen)) return true;
        continue;
      }
      if (word_.compare_exchange_weak(seen, seen + kOne,
                                      std::memory_order_seq_cst,
                                      std::memory_order_acquire)) {  // [DONE]
        return true;
      }
    }
  }

  // Counts `count` more items, but no more than `puts`, and lets all go who
  // wait if that makes it `puts`. REQUIRES: nobody puts.
  void AddUpTo(size_t count, size_t puts, internal::WakeList& woken);

 private:
  friend class DoneTurn;

  //   (D1) word_ is twice the number of the items that are done, and kAwaited
  //        while threads are queued. Legal to be set when nobody is queued;
  //        illegal to be clear when somebody is. It changes, and threads are
  //        queued, only with the parking spot of this object held.
  //   (D2) what makes a Join() come true is an exchange that finds kAwaited
  //        clear, or is made with the spot held, which then wakes all. It is
  //        the last touch of the object, and of the queue.
  //   (D3) a thread that compares this count with that of the puts reads this
  //        one first, and acquires it: then it cannot find more done than put.
  //   [DONE] release of word_ in AddOne(), AddUpTo() -> acquire in CountLeft()
  //        and AddOne(): what came before the TaskDone(), and the Put() of its
  //        item.
  static constexpr size_t kAwaited = 1;
  static constexpr size_t kOne = 2;

  static constexpr size_t Left(size_t word, size_t puts) {
    return kOne * puts - (word & ~kAwaited);
  }

  // With threads queued, for an item that may be the last. False if the word is
  // not `seen`; sets that to what it is.
  bool AddLast(size_t& seen);

  internal::Atomic<size_t> word_{0};
};

// A thread's waiting until all is done. `is_done` must outlive it.
class DoneTurn final : public WaitPlace {
 public:
  DoneTurn(DoneCount& done, absl::FunctionRef<bool()> is_done)
      : done_(done), is_done_(is_done) {}
  DoneTurn(const DoneTurn&) = delete;
  DoneTurn& operator=(const DoneTurn&) = delete;

  // As GateTurn::Await().
  bool Await(const WaitLimit& started, int first_look) {
    WaitPlace* const place = this;
    return AwaitAny({&place, 1}, started, first_look);
  }

  bool IsReady() const override { return is_done_(); }
  bool Queue(internal::Waiter& waiter) override;
  void Woken(uint32_t /*message*/) override {}

 private:
  DoneCount& done_;
  const absl::FunctionRef<bool()> is_done_;
};

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_DONE_COUNT_H_
