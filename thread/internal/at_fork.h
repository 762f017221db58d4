// AtFork: what the child of a fork() does with Heddle's process-wide state.
//
// The child has one thread, the one that called fork(). What the others held is
// held for ever there, and what they had half changed stays so. So each piece
// of process-wide state has a function that makes it as in a new process. These
// run in the child before fork() returns. The rule, and the list of all such
// state, are in README.md beside this file ("After fork()").
//
// Example: a list that threads share, and its lock.
//
//   constinit RawLock lock;
//   constinit Entry* first ABSL_GUARDED_BY(lock) = nullptr;
//   constinit AtFork at_fork([]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
//     lock.ResetInChild();
//     first = nullptr;
//   });
//   ...
//   at_fork.Follow();  // at the price of a load: before each use
//   LockGuard guard(lock);
//
// Why not hold the locks over the fork: handlers of a user's, registered with
// pthread_atfork(), may run while they would be held, and may use Heddle.
//
// State that is made by its first user is no function's `static`: its guard may
// be taken by a thread that the child has not. It is an Atomic that is set by a
// compare-exchange, or by whoever computes the same value.
//
// A child of vfork(), _Fork() or clone() runs no handlers and must not use
// Heddle. Memory ordering: none needed, there is one thread.

#ifndef HEDDLE_THREAD_INTERNAL_AT_FORK_H_
#define HEDDLE_THREAD_INTERNAL_AT_FORK_H_

#include <cstdint>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/atomic.h"

namespace heddle {
namespace internal {

// How many forks have led to this process since Heddle follows them, which it
// does from the first Follow() on. What was made at another count belonged to
// the parent, and has lost its threads.
extern constinit uint32_t fork_count;  // changes where there is but one thread
inline uint32_t Forks() { return fork_count; }

// Constant-initialised and never destroyed.
class AtFork {
 public:
  // `reset` takes no lock, waits for nothing and throws nothing.
  explicit constexpr AtFork(void (*reset)()) : reset_(reset) {}
  AtFork(const AtFork&) = delete;
  AtFork& operator=(const AtFork&) = delete;

  // From now on, reset() is called in each child. Allocates nothing; may be
  // called by several threads at once, also while one of them forks.
  void Follow() {
#ifndef HEDDLE_MODEL  // no process forks there
    // acquire: with the release in FollowSlow(), for what the table holds.
    if (ABSL_PREDICT_FALSE(!follows_.load(std::memory_order_acquire)))
      FollowSlow();
#endif
  }

 private:
  void FollowSlow();

  void (*const reset_)();
  Atomic<bool> follows_{false};
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_AT_FORK_H_
