// SharedLoop: the elements of a loop whose body is on the stack of its caller,
// done by the caller and by guests, each of which takes pieces of what is left.
//
//   (L1) present_ counts those inside, at first the caller. Nobody enters at 0,
//        and the caller returns only when it is 0 and no piece is left: who
//        comes later touches nothing but the object itself.
//   (L2) left_ only falls while the loop is open; who lowers it from a to b does
//        the elements [end - a, end - b).
//   [OPEN] release of present_ in Open() -> acquire by who enters: what the loop
//          is, and all that its caller did before.
//   [OUT] release of present_ by who leaves -> acquire by who brings it to 0,
//         and [SET] of the event: all pieces before the caller's return.
//
// A body may end the thread of the caller (pthread_exit()): then no piece is begun
// any more, and the guests are waited for as ever, since what they use lies on
// that stack.
//
// In the child of a fork() the other threads are lost. Where a guest's body has
// forked, the caller's stack may be another's there: so the guest does no further
// element, and touches nothing more of the loop. Where the caller's has, and there
// were guests inside, nobody knows what they have done: Run() throws BrokenExecutor.
//
// Thread safety: as said at each method.

#ifndef HEDDLE_POOL_INTERNAL_SHARED_LOOP_H_
#define HEDDLE_POOL_INTERNAL_SHARED_LOOP_H_

#include <cstdint>
#include <exception>
#include <limits>

#include "heddle/pool/internal/lowest_error.h"
#include "heddle/sync/event.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/var.h"

namespace heddle {
namespace pool_internal {

struct LoopGuest;

class SharedLoop {
 public:
  // body(context, first, last, at) does a piece, with `at` as the number of the
  // element: for (at = first; at < last; ++at). So it throws what an element
  // threw with that number in `at`; and it ends when an element has set `at` to
  // kBeyondAll, which is what a fork() of a guest's does in the child.
  using Body = void (*)(void* context, int64_t first, int64_t last,
                        int64_t& at);
  static constexpr int64_t kBeyondAll = std::numeric_limits<int64_t>::max() - 1;
  struct Work {
    Body body = nullptr;
    void* context = nullptr;
    // A piece is one part in `share` of what is left; but `least` elements, as
    // long as there are so many, and `most` at most.
    int64_t share = 1;
    int64_t least = 1;
    int64_t most = 1;
    int64_t begin = 0;
    int64_t end = 0;
  };

  SharedLoop() = default;
  SharedLoop(const SharedLoop&) = delete;
  SharedLoop& operator=(const SharedLoop&) = delete;

  // By the caller, who is inside then. REQUIRES: it is the only one who calls
  // this, and its last loop has been run.
  void Open(const Work& work);

  // By the caller: does pieces, and returns when all are done. Returns what the
  // lowest element that threw has thrown.
  std::exception_ptr Run();

  // Whether there is something for a guest to do; advisory.
  bool HasPieces() const {
    return left_.load(std::memory_order_relaxed) > 0;  // relaxed: a hint
  }
  // By a guest: does pieces if the loop is open.
  void Help();

 private:
  // By a guest, or the caller: null.
  void DoPieces(LoopGuest* guest);
  // By the caller: no piece is begun any more. Returns when all are out; or
  // false, if guests were lost in a fork() since Forks() said `forks`.
  bool Close(uint32_t forks);

  internal::Atomic<int> present_{0};   // (L1)
  internal::Atomic<int64_t> left_{0};  // (L2)
  internal::Var<Work> work_ = Work();
  Event all_out_;
  LowestError thrown_;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_SHARED_LOOP_H_
