// BlockListener: who is told when a thread has to wait for long.
//
// A worker of a pool that waits for another task would keep that task from
// running. All waiting in Heddle goes through Waiter::Sleep(), so that is where
// the pool of the thread learns of it, and sends another worker in its place.

#ifndef HEDDLE_THREAD_INTERNAL_BLOCK_LISTENER_H_
#define HEDDLE_THREAD_INTERNAL_BLOCK_LISTENER_H_

#include <cstdint>
#include <limits>

namespace heddle {
namespace internal {

class BlockListener {
 public:
  // A wait that ends within this time is nobody's business: to wake a thread
  // for it, or to start one, would cost more.
  static constexpr int64_t kGraceNanos = 1'000'000;

  // The calling thread, PerThread::block_listener of which this is, waits and
  // cannot say how long; and waits no longer. Calls come in pairs; a pair may
  // lie within another.
  //
  // Both run inside a wait. The thread may stand in a queue; a wake-up that
  // other threads rely on may have been given to it (a Lock, a queue); it may
  // own what it waited for (a unit of a Semaphore, a SharedLock, a Lock). A
  // listener that waits for the same object waits for itself. So neither runs
  // code of a user's, such as an observer: note what is to be told, and tell it
  // elsewhere. Both may take locks that the listener's owner alone uses, under
  // which nobody waits and no code of a user's runs, and wait for nothing else.
  // They throw nothing.
  virtual void Blocked() noexcept = 0;
  virtual void Unblocked() noexcept = 0;

  // Between the two, now and then: the wait goes on. Returns how many
  // nanoseconds later it is to be called again, if the wait goes on until then;
  // kNever: not at all. The first call is due kFirstCheckNanos after Blocked().
  static constexpr int64_t kFirstCheckNanos = 10'000'000;
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  virtual int64_t StillBlocked() noexcept { return kNever; }

 protected:
  ~BlockListener() = default;
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_BLOCK_LISTENER_H_
