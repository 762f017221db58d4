// TimerCore: what a Timer and its thread share. One word decides who is first.

#ifndef HEDDLE_THREAD_INTERNAL_TIMER_CORE_H_
#define HEDDLE_THREAD_INTERNAL_TIMER_CORE_H_

#include <cstdint>
#include <stop_token>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

class TimerCore {
 public:
  explicit TimerCore(const WaitLimit& delay) : delay_(delay) {}
  TimerCore(const TimerCore&) = delete;
  TimerCore& operator=(const TimerCore&) = delete;

  // As the methods of Timer.
  bool Cancel();
  bool WaitFinished(const WaitLimit& limit) const;
  bool IsFinished() const {
    return word_.load(std::memory_order_acquire) == kFinished;  // [FINISH]
  }

  // The timer's thread, from the beginning of its wait to the function's end,
  // however that comes. True if the function is to be called.
  class Turn {
   public:
    Turn(TimerCore& core, const std::stop_token& stop)
        : core_(core), mine_(core.AwaitTurn(stop)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      if (mine_) core_.Finish(kFiring);
    }
    explicit operator bool() const { return mine_; }

   private:
    TimerCore& core_;
    const bool mine_;
  };

 private:
  // | word_     | meaning                                | next, by          |
  // |-----------|----------------------------------------|-------------------|
  // | kPending  | not fired and not cancelled            | kFiring, thread   |
  // |           |                                        | kFinished, anyone |
  // | kFiring   | the function runs: the thread's        | kFinished, thread |
  // | kFinished | cancelled, or the function has ended   |                   |
  //
  // Threads are parked on word_: those in WaitFinished(), and the timer's own,
  // until kFinished.
  //   [FINISH] release of word_ in Finish() -> acquire in IsFinished(): what
  //   the function did.
  static constexpr uint32_t kPending = 0;
  static constexpr uint32_t kFiring = 1;
  static constexpr uint32_t kFinished = 2;

  bool AwaitTurn(const std::stop_token& stop);
  bool Finish(uint32_t from);  // false if that is not the state

  const WaitLimit delay_;
  Atomic<uint32_t> word_{kPending};
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_TIMER_CORE_H_
