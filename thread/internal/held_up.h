// HeldUp: a thread that does not get to run, for tests and models. Test-only.
//
// It stands for a thread of a low priority on a busy processor. A thread that
// runs under it and then waits for longer than BlockListener's grace is held up
// there: it may be woken, but does not go on before Release().
//
//   HeldUp held_up;
//   Thread slow([&] { held_up.Run([&] { LockGuard guard(lock); }); });
//   slow.Start();
//   held_up.Await();  // `slow` is queued for the lock, and no longer runs

#ifndef HEDDLE_THREAD_INTERNAL_HELD_UP_H_
#define HEDDLE_THREAD_INTERNAL_HELD_UP_H_

#include <cstdint>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/block_listener.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/futex.h"
#include "heddle/thread/internal/per_thread.h"

namespace heddle {
namespace internal {

class HeldUp final : public BlockListener {
 public:
  // Calls `function`, in one thread at most, which is held up in it if it waits
  // for long.
  template <typename Function>
  void Run(Function function) {
    ThisThread().block_listener = this;
    function();
    ThisThread().block_listener = nullptr;
  }

  // Waits until that thread is held up.
  void Await() { AwaitFlag(held_); }

  // Lets it go on, now or when it comes there.
  void Release() { SetFlag(released_); }

  void Blocked() noexcept override {
    SetFlag(held_);
    AwaitFlag(released_);
  }
  void Unblocked() noexcept override {}

 private:
  static void SetFlag(Atomic<uint32_t>& flag) {
    flag.store(1, std::memory_order_release);
    FutexWakeAll(&flag);
  }
  static void AwaitFlag(Atomic<uint32_t>& flag) {
    while (flag.load(std::memory_order_acquire) == 0) {
      FutexWait(flag, 0, Deadline::Never());
    }
  }

  Atomic<uint32_t> held_{0};
  Atomic<uint32_t> released_{0};
};

// Lets so much time pass: in a model, all that others can do first is done.
inline void LetTimePass(int64_t nanos) {
  Atomic<uint32_t> never{0};
  const Deadline deadline = Deadline::After(nanos);
  while (FutexWait(never, 0, deadline)) {
  }
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_HELD_UP_H_
